"""Reading on from any position of an input, some rows at a time: one cursor per kind of file."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Generic, Protocol, TypeVar

import pyarrow as pa

from affekt.bulk.reading.inputs import Input
from affekt.bulk.reading.jsonreader import RAW, JsonReader
from affekt.bulk.reading.jsontypes import as_arrow, misfit
from affekt.bulk.reading.parquetcursor import ParquetCursor
from affekt.bulk.reading.pieces import Piece, Position, Reject
from affekt.bulk.reading.rows import HeadlessReader, RowReader
from affekt.bulk.reading.streams import Lines

Read = TypeVar("Read", covariant=True)  # noqa: PLC0105
Found = TypeVar("Found")


class Cursor(Protocol):
    """A place in one file."""

    def read(self, rows: int, room: int) -> Piece:
        """Up to ``rows`` more rows, fewer once they take ``room`` bytes; at least one unless the file is finished."""
        ...

    def fraction(self) -> float:
        """Share of the file that was read."""
        ...

    def close(self) -> None:
        """Close the file."""
        ...


def open_cursor(source: Input, position: Position, needed: Sequence[str]) -> Cursor:
    """A cursor at a position.

    Args:
        source: what the job reads.
        position: where to go on.
        needed: columns that will be looked at; Parquet files are spared reading the others.
    """
    if source.kind == "parquet":
        size = source.sizes[position.file]
        return ParquetCursor(source.files[position.file], position, source.schema, needed, size)
    return JsonCursor(source, position) if source.kind == "jsonl" else DelimitedCursor(source, position)


class _Reader(Protocol[Read]):
    row: int
    offset: int

    def next(self) -> Read | Reject | None: ...


class _TextCursor(Generic[Found]):
    """What cursors over lines have in common."""

    reader: _Reader[Found]

    def __init__(self, source: Input, position: Position) -> None:
        self.source = source
        self.file = position.file
        self.path = source.files[position.file]
        self.lines = Lines(self.path, position.offset)

    def fraction(self) -> float:
        """Share of the file that was read."""
        return min(1.0, self.lines.consumed() / max(1, self.source.sizes[self.file]))

    def close(self) -> None:
        """Close the file."""
        self.lines.close()

    def take(self, rows: int, room: int) -> tuple[list[Found], Piece]:
        """The next rows as read, and a piece that still lacks its table."""
        reader = self.reader
        found: list[Found] = []
        numbers: list[int] = []
        offsets: list[int | None] = []
        rejects: list[Reject] = []
        first, start, ended = reader.row, reader.offset, False
        while not ended and reader.row - first < rows and reader.offset - start < room:
            offset = reader.offset
            row = reader.next()
            if row is None:
                ended = True
            elif isinstance(row, Reject):
                rejects.append(row)
            else:
                found.append(row)
                numbers.append(reader.row)
                offsets.append(offset)
        end = Position(self.file, reader.row, reader.offset)
        return found, Piece(pa.table({}), numbers, offsets, rejects, end, ended, reader.offset - start)


class DelimitedCursor(_TextCursor[list[str]]):
    """A place in a csv or tsv file; every cell is a string."""

    def __init__(self, source: Input, position: Position) -> None:
        super().__init__(source, position)
        if source.dialect is None:
            raise ValueError("a delimited file needs a dialect")
        self.columns = source.columns[self.file]
        if not self.columns:
            self.reader = HeadlessReader(self.lines, str(self.path), position)
            return
        reader = RowReader(self.lines, source.dialect, str(self.path), position, len(self.columns))
        if source.dialect.header and position.offset == 0:
            reader.header()
        self.reader = reader

    def read(self, rows: int, room: int) -> Piece:
        """See :class:`Cursor`."""
        cells, piece = self.take(rows, room)
        by_name = dict(zip(self.columns, zip(*cells, strict=True), strict=True)) if cells else {}
        arrays = [
            pa.array(by_name[name], pa.string()) if name in by_name else pa.nulls(len(cells), pa.string())
            for name in self.source.schema.names
        ]
        return replace(piece, table=pa.table(arrays, schema=self.source.schema))


class JsonCursor(_TextCursor[tuple[str, dict[str, object]]]):
    """A place in a JSON-lines file."""

    def __init__(self, source: Input, position: Position) -> None:
        super().__init__(source, position)
        self.reader = JsonReader(self.lines, str(self.path), source.encoding, position)

    def read(self, rows: int, room: int) -> Piece:
        """See :class:`Cursor`."""
        found, piece = self.take(rows, room)
        records = [record for _, record in found]
        texts = [text for text, _ in found]
        piece = replace(piece, records=records)
        if self.source.raw:
            return replace(piece, table=pa.table([pa.array(texts, pa.string())], names=[RAW]))
        schema, names = self.source.schema, set(self.source.schema.names)
        reasons = [""] * len(records)
        if self.source.closed:
            reasons = [misfit(record, schema) if record.keys() - names else "" for record in records]
        fitting = [record for record, reason in zip(records, reasons, strict=True) if not reason]
        try:
            table = as_arrow(fitting, schema)
        except (pa.ArrowException, OverflowError, TypeError):
            reasons = [misfit(record, schema, closed=self.source.closed) for record in records]
            table = as_arrow([record for record, reason in zip(records, reasons, strict=True) if not reason], schema)
        return replace(piece, table=table).refusing(reasons, str(self.path), "types", texts)
