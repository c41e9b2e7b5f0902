"""A shard's rows as the bytes of its file: the same bytes for the same rows, some rows at a time."""

import csv
import io
import json
import math
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from affekt.bulk.reading.formats import Compression, Format
from affekt.bulk.reading.jsonreader import RAW
from affekt.bulk.values import values
from affekt.bulk.writing.cells import cells, name_cell, plain
from affekt.errors import MissingExtraError

BLOCK = 1024
"""Rows that are written as text at once."""


@dataclass(frozen=True)
class Written:
    """What was written.

    Attributes:
        header: bytes at the beginning that hold the columns' names; left out when shards are joined.
        neutralised: cells in which a formula was made harmless.
    """

    header: int = 0
    neutralised: int = 0


def write_shard(table: pa.Table, path: Path, format: Format, *, neutralise: bool) -> Written:  # noqa: A002
    """Write rows to a file of their own, complete with header.

    Args:
        table: (rows, columns).
        path: the file.
        format: of the file.
        neutralise: make formulas in csv and tsv cells harmless.
    """
    if format.kind == "parquet":
        pq.write_table(table, path, compression="zstd")
        return Written()
    if format.kind == "jsonl":
        _write(path, b"", (_json_lines(block).encode() for block in _blocks(table)), format.compression)
        return Written()
    delimiter = "\t" if format.kind == "tsv" else ","
    names = [[name_cell(name, neutralise=neutralise)] for name in table.schema.names]
    neutralised: list[int] = []

    def body() -> Iterator[bytes]:
        for block in _blocks(table):
            columns, counts = zip(*(cells(column, neutralise=neutralise) for column in block.columns), strict=True)
            neutralised.extend(counts)
            yield _delimited(columns, delimiter).encode()

    header = _write(path, _delimited(names, delimiter).encode(), body(), format.compression)
    return Written(header, sum(neutralised))


def _blocks(table: pa.Table) -> Iterator[pa.Table]:
    for start in range(0, len(table), BLOCK):
        yield table.slice(start, BLOCK)


def _write(path: Path, header: bytes, body: Iterator[bytes], compression: Compression) -> int:
    """Write header and body as compressed streams of their own, and return the bytes of the first.

    Such streams can be put behind one another, and have neither date nor name in them.
    """
    with open(path, "wb") as file:
        if header:
            packer = _packer(compression)
            file.write(packer.compress(header) + packer.flush())
        begun = file.tell()
        packer, filled = _packer(compression), False
        for content in body:
            file.write(packer.compress(content))
            filled = True
        if filled:
            file.write(packer.flush())
    return begun


class _Packer(Protocol):
    def compress(self, data: bytes, /) -> bytes: ...

    def flush(self) -> bytes: ...


class _Plain:
    """Stands in for a compressor."""

    def compress(self, data: bytes, /) -> bytes:
        return data

    def flush(self) -> bytes:
        return b""


def _packer(compression: Compression) -> _Packer:
    if not compression:
        return _Plain()
    if compression == "gz":
        return zlib.compressobj(6, wbits=31)
    try:
        import zstandard
    except ImportError:
        raise MissingExtraError("Writing Zstandard files", "bulk") from None
    return zstandard.ZstdCompressor(level=3).compressobj()


def _delimited(columns: Sequence[Sequence[str]], delimiter: str) -> str:
    """Rows as lines, quoted where needed; one with a carriage return is quoted throughout, as readers expect."""
    target = io.StringIO(newline="")
    minimal = csv.writer(target, delimiter=delimiter, lineterminator="\n")
    minimal.writerows(zip(*columns, strict=True))
    written = target.getvalue()
    if "\r" not in written:
        return written
    target = io.StringIO(newline="")
    minimal = csv.writer(target, delimiter=delimiter, lineterminator="\n")
    full = csv.writer(target, delimiter=delimiter, lineterminator="\n", quoting=csv.QUOTE_ALL)
    for row in zip(*columns, strict=True):
        (full if any("\r" in cell for cell in row) else minimal).writerow(row)
    return target.getvalue()


def _json_lines(table: pa.Table) -> str:
    raw = table.schema.names[:1] == [RAW]
    lines = table.column(0).to_pylist() if raw else []
    rest = table.remove_column(0) if raw else table
    columns = [_json_values(column) for column in rest.columns]
    records = (dict(zip(rest.schema.names, row, strict=True)) for row in zip(*columns, strict=True))
    if not raw:
        return "".join(f"{_dump(record)}\n" for record in records)
    return "".join(f"{_spliced(line, _dump(record))}\n" for line, record in zip(lines, records, strict=True))


def _json_values(column: pa.ChunkedArray) -> list[Any]:
    kind = column.type
    if pa.types.is_float32(kind):
        return _short(column)
    if pa.types.is_list(kind) and pa.types.is_float32(kind.value_type):
        entries = iter(_short(pc.list_flatten(column)))
        sizes = pc.list_value_length(column).to_pylist()
        return [None if size is None else list(islice(entries, size)) for size in sizes]
    found = values(column)
    return found if pa.types.is_string(kind) else [plain(value) for value in found]


def _short(column: pa.ChunkedArray) -> list[float | None]:
    """For each float32 the shortest number that stands for it; None for what JSON cannot write."""
    numbers = (None if text is None else float(text) for text in pc.cast(column, pa.string()).to_pylist())
    return [number if number is not None and math.isfinite(number) else None for number in numbers]


def _dump(record: dict[str, Any]) -> str:
    return json.dumps(record, ensure_ascii=False)


def _spliced(line: str, addition: str) -> str:
    """A JSON object's source text with the members of another behind its own."""
    inner = line[1:-1].strip()
    return f"{{{inner}, {addition[1:]}" if inner else addition
