"""A shard's rows as the bytes of its file, the same bytes for the same rows."""

import csv
import gzip
import io
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from affekt.bulk.cells import cells, name_cell, plain
from affekt.bulk.formats import Compression, Format
from affekt.bulk.jsonreader import RAW
from affekt.errors import MissingExtraError


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
        path.write_bytes(compress(_json_lines(table).encode(), format.compression))
        return Written()
    delimiter = "\t" if format.kind == "tsv" else ","
    names = [name_cell(name, neutralise=neutralise) for name in table.schema.names]
    header = compress(_delimited([[name] for name in names], delimiter).encode(), format.compression)
    columns, counts = zip(*(cells(column, neutralise=neutralise) for column in table.columns), strict=True)
    body = compress(_delimited(columns, delimiter).encode(), format.compression)
    path.write_bytes(header + body)
    return Written(len(header), sum(counts))


def compress(content: bytes, compression: Compression) -> bytes:
    """The content as a gzip member or Zstandard frame of its own, without date or name; such parts can be joined."""
    if not compression or not content:
        return content
    if compression == "gz":
        return gzip.compress(content, 6, mtime=0)
    try:
        import zstandard
    except ImportError:
        raise MissingExtraError("Writing Zstandard files", "bulk") from None
    packed: bytes = zstandard.ZstdCompressor(level=3).compress(content)
    return packed


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
    values: list[Any] = column.to_pylist()
    kind = column.type
    if pa.types.is_float32(kind):
        return [_short(value) for value in values]
    if pa.types.is_list(kind) and pa.types.is_float32(kind.value_type):
        return [None if value is None else [_short(entry) for entry in value] for value in values]
    return values if pa.types.is_string(kind) else [plain(value) for value in values]


def _short(value: float | None) -> float | None:
    """The shortest number that is the same float32; None for what JSON cannot write."""
    return float(str(np.float32(value))) if value is not None and math.isfinite(value) else None


def _dump(record: dict[str, Any]) -> str:
    return json.dumps(record, ensure_ascii=False)


def _spliced(line: str, addition: str) -> str:
    """A JSON object's source text with the members of another behind its own."""
    inner = line[1:-1].strip()
    return f"{{{inner}, {addition[1:]}" if inner else addition
