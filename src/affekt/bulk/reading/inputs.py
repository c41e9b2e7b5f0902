"""What a job reads: its files, their columns and types, found before the first row is read."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from affekt.bulk.options import JobOptions
from affekt.bulk.reading import dialect as dialects
from affekt.bulk.reading.dialect import Dialect
from affekt.bulk.reading.formats import Format, Kind, format_of
from affekt.bulk.reading.jsonreader import RAW, JsonReader
from affekt.bulk.reading.jsontypes import schema_of
from affekt.bulk.reading.rows import RowReader
from affekt.bulk.reading.streams import Lines
from affekt.bulk.values import without_views
from affekt.errors import DataError

SAMPLED = 10_000
"""JSON objects that decide on the columns, where the output has columns."""

_SAMPLED_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True)
class Input:
    """What a job reads.

    Attributes:
        files: in the order of reading.
        kind: their format.
        schema: of the rows as they are read; a single column :data:`~affekt.bulk.reading.jsonreader.RAW` for JSON lines
            that stay as they are written.
        columns: of each csv or tsv file, in its own order; none of a file whose first row cannot be read.
        dialect: of csv and tsv files.
        encoding: of text files.
        sizes: bytes of each file.
        known: column names that were seen; all there are, but for JSON lines.
        closed: whether JSON objects must not have other keys.
    """

    files: tuple[Path, ...]
    kind: Kind
    schema: pa.Schema
    sizes: tuple[int, ...]
    columns: tuple[tuple[str, ...], ...] = ()
    dialect: Dialect | None = None
    encoding: str = "utf-8"
    known: tuple[str, ...] = ()
    closed: bool = False

    @property
    def raw(self) -> bool:
        """Whether rows are JSON lines that stay as they are written."""
        return bool(self.schema.names == [RAW])


def open_input(files: Sequence[Path], options: JobOptions, *, keep_lines: bool) -> Input:
    """What there is in files.

    Args:
        files: of one format; see :func:`~affekt.bulk.reading.formats.expand`.
        options: those that say how to read.
        keep_lines: JSON lines stay as they are written, because the output is JSON lines too.

    Raises:
        DataError: if there is nothing to read, or what there is cannot be read.
    """
    kind = (format_of(files[0]) or Format("csv")).kind
    sizes = tuple(path.stat().st_size for path in files)
    encoding = dialects.check_encoding(options.encoding)
    if kind == "parquet":
        schema = _parquet_schema(list(files))
        return Input(tuple(files), kind, schema, sizes, known=tuple(schema.names))
    if kind == "jsonl":
        return _json_input(list(files), sizes, options, encoding, keep_lines=keep_lines)
    return _delimited_input(list(files), kind, sizes, options, encoding)


def _delimited_input(
    files: list[Path], kind: Kind, sizes: tuple[int, ...], options: JobOptions, encoding: str
) -> Input:
    dialect = _dialect(files, options, encoding)
    columns = tuple(_header(path, dialect) if size else () for path, size in zip(files, sizes, strict=True))
    names = tuple(dict.fromkeys(name for row in columns for name in row))
    if not names:
        hint = "Is it really a text file in this encoding?"
        raise DataError(f"The first row of '{files[0]}' cannot be read.", hint=hint)
    schema = pa.schema([(name, pa.string()) for name in names])
    return Input(tuple(files), kind, schema, sizes, columns, dialect, encoding, names)


def _dialect(files: list[Path], options: JobOptions, encoding: str) -> Dialect:
    """The dialect of the first file that has one."""
    refused: list[DataError] = []
    for path in files:
        try:
            return dialects.detect(path, delimiter=options.delimiter, header=options.header, encoding=encoding)
        except DataError as error:
            refused.append(error)
    raise refused[0]


def _header(path: Path, dialect: Dialect) -> tuple[str, ...]:
    """The columns of a file; none if its first row cannot be read, which is left for the reader to report."""
    lines = Lines(path)
    try:
        row = RowReader(lines, dialect, str(path)).header()
    finally:
        lines.close()
    return () if row is None else dialects.column_names(path, row, dialect)


def _json_input(
    files: list[Path], sizes: tuple[int, ...], options: JobOptions, encoding: str, *, keep_lines: bool
) -> Input:
    sample = list(islice(_objects(files, encoding), SAMPLED))
    if not sample:
        raise _no_object(files[0])
    known = tuple(dict.fromkeys(name for found in sample for name in found))
    schema = pa.schema([(RAW, pa.string())]) if keep_lines else schema_of(sample, known)
    closed = options.columns is None and not keep_lines
    return Input(tuple(files), "jsonl", schema, sizes, encoding=encoding, known=known, closed=closed)


def _no_object(path: Path) -> DataError:
    lines = Lines(path)
    try:
        lines.next()
        if lines.damage:
            return DataError(f"'{path}' cannot be read: {lines.damage}.")
    finally:
        lines.close()
    return DataError(f"'{path}' holds no JSON object.", hint="There must be one object per line.")


def _objects(files: list[Path], encoding: str) -> Iterator[dict[str, Any]]:
    """The first objects of the input, as many as decide on its columns."""
    room = _SAMPLED_BYTES
    for path in files:
        lines = Lines(path)
        try:
            reader = JsonReader(lines, str(path), encoding)
            while lines.offset < room and (found := reader.next()) is not None:
                if isinstance(found, tuple):
                    yield found[1]
            room -= lines.offset
        finally:
            lines.close()
        if room <= 0:
            return


def _parquet_schema(files: list[Path]) -> pa.Schema:
    """The union of the files' schemas; a file that cannot be opened is left for the reader to report."""
    schemas = []
    for path in files:
        try:
            schemas.append(pq.read_schema(path))
        except (OSError, pa.ArrowException):
            continue
    if not schemas:
        raise DataError(f"'{files[0]}' cannot be read as Parquet.", hint="Was it written to its end?")
    try:
        schema = pa.unify_schemas(schemas, promote_options="permissive")
    except pa.ArrowException as error:
        raise DataError(f"The Parquet files have columns of different types: {error}.") from error
    return pa.schema([field.with_type(without_views(field.type)) for field in schema], schema.metadata)
