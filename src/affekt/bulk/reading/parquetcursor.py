"""A place in a Parquet file: row groups in pages, never a whole one in memory."""

from collections.abc import Generator, Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from affekt.bulk.reading.pieces import Piece, Position, Reject

BATCH = 2048
"""Rows that are taken from the file at once; fewer where they are long."""

BATCH_BYTES = 4 * 1024 * 1024
"""Bytes of a row group, on average, that are taken at once."""

_BUFFER = 1 << 20


class ParquetCursor:
    """A place in a Parquet file.

    Args:
        path: the file.
        position: where to go on.
        schema: of the job; columns that this file lacks are null.
        needed: columns of ``schema`` to read.
        size: bytes of the file.
    """

    def __init__(self, path: Path, position: Position, schema: pa.Schema, needed: Sequence[str], size: int) -> None:
        wanted = set(needed)
        self.path = path
        self.schema = pa.schema([field for field in schema if field.name in wanted], schema.metadata)
        self.position = position
        self.row = position.row
        self.total = max(1, size)
        self._pending: pa.Table | None = None
        self._items = self._read_file()

    def fraction(self) -> float:
        """Share of the file that was read."""
        return min(1.0, self.row / self.total)

    def close(self) -> None:
        """Close the file."""
        self._items.close()

    def read(self, rows: int, room: int) -> Piece:
        """See :class:`~affekt.bulk.reading.cursors.Cursor`."""
        parts: list[pa.Table] = []
        rejects: list[Reject] = []
        numbers: list[int] = []
        first, size, ended = self.row, 0, False
        while not ended and self.row - first < rows and size < room:
            item = next(self._items, None) if self._pending is None else self._pending
            self._pending = None
            if item is None:
                ended = True
            elif isinstance(item, Reject):
                rejects.append(item)
                self.row += item.rows
            else:
                part, taken = self._cut(item, rows - (self.row - first), room - size)
                size += taken
                numbers.extend(range(self.row + 1, self.row + 1 + len(part)))
                parts.append(part)
                self.row += len(part)
        table = pa.concat_tables([self.schema.empty_table(), *parts])
        end = Position(self.position.file, self.row)
        piece = Piece(table, numbers, [None] * len(numbers), rejects, end, ended, size)
        return self._decodable(piece)

    def _cut(self, table: pa.Table, rows: int, room: int) -> tuple[pa.Table, int]:
        """The rows of ``table`` that fit, at least one, and their bytes; the others wait."""
        bytes_up_to = np.cumsum(_row_sizes(table))
        fitting = min(rows, len(table), int(np.searchsorted(bytes_up_to, room)) + 1)
        if fitting < len(table):
            self._pending = table.slice(fitting)
        return table.slice(0, fitting), int(bytes_up_to[fitting - 1])

    def _read_file(self) -> Generator[pa.Table | Reject]:
        try:
            file = pq.ParquetFile(self.path, buffer_size=_BUFFER, pre_buffer=False)
        except (OSError, pa.ArrowException) as error:
            if self.position.row == 0:
                yield self._reject(0, 1, f"the file cannot be read as Parquet ({_first_line(error)})")
            return
        with file:
            self.total = max(1, file.metadata.num_rows)
            first = 0
            for group in range(file.metadata.num_row_groups):
                count = file.metadata.row_group(group).num_rows
                if first + count > self.position.row:
                    yield from self._read_group(file, group, first, count)
                first += count

    def _read_group(self, file: pq.ParquetFile, group: int, first: int, count: int) -> Iterator[pa.Table | Reject]:
        """A row group from its beginning, so that batches do not depend on where reading began."""
        row, start = first, self.position.row
        present = [name for name in self.schema.names if name in set(file.schema_arrow.names)]
        try:
            size = file.metadata.row_group(group).total_byte_size // max(1, count)
            rows = max(1, min(BATCH, BATCH_BYTES // max(1, size)))
            for batch in file.iter_batches(rows, row_groups=[group], columns=present):
                skipped = max(0, start - row)
                row += len(batch)
                if skipped < len(batch):
                    yield self._conform(batch).slice(skipped)
        except (OSError, pa.ArrowException) as error:
            row = max(row, start)
            yield self._reject(row, first + count - row, f"the file is damaged here ({_first_line(error)})")

    def _conform(self, batch: pa.RecordBatch) -> pa.Table:
        arrays = [
            batch.column(field.name).cast(field.type)
            if field.name in batch.schema.names
            else pa.nulls(len(batch), field.type)
            for field in self.schema
        ]
        return pa.table(arrays, schema=self.schema)

    def _reject(self, row: int, rows: int, reason: str) -> Reject:
        return Reject(str(self.path), row + 1, None, "damaged", reason, rows=rows)

    def _decodable(self, piece: Piece) -> Piece:
        """The piece without rows whose text is not UTF-8, which Parquet writers are free to write."""
        try:
            piece.table.validate(full=True)
        except pa.ArrowInvalid:
            reasons = [""] * len(piece.table)
            for field in piece.table.schema:
                if pa.types.is_string(field.type) or pa.types.is_large_string(field.type):
                    _check(piece.table.column(field.name), field.name, reasons)
            return piece.refusing(reasons, str(self.path), "encoding")
        return piece


def _check(column: pa.ChunkedArray, name: str, reasons: list[str]) -> None:
    for row, value in enumerate(column.cast(pa.large_binary()).to_pylist()):
        try:
            (value or b"").decode()
        except UnicodeDecodeError as error:
            reasons[row] = f"'{name}' is not utf-8: byte 0x{value[error.start]:02x} at place {error.start + 1}"


def _row_sizes(table: pa.Table) -> npt.NDArray[np.int64]:
    """Bytes of each row: what its texts take, and 8 for every other cell."""
    sizes = np.full(len(table), 8, dtype=np.int64)
    for column in table.columns:
        kind = column.type
        if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_binary(kind):
            sizes += pc.fill_null(pc.binary_length(column), 0).to_numpy().astype(np.int64)
        else:
            sizes += 8
    return sizes


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
