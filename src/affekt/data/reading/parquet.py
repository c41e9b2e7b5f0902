"""Parquet to columns, through pyarrow (extra ``parquet``)."""

import io
from pathlib import Path
from typing import Any

from affekt.data.reading.sources import ParquetSource
from affekt.errors import DataError, MissingExtraError


def read(content: bytes, path: Path) -> tuple[tuple[str, ...], tuple[list[Any], ...], ParquetSource]:
    """Column names, one list of Python values per column, and a writer of rows.

    Raises:
        DataError: if the bytes are not a Parquet file, or a column name is repeated.
        MissingExtraError: if pyarrow is not installed.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise MissingExtraError("Reading Parquet", "parquet") from None
    try:
        file = pq.ParquetFile(io.BytesIO(content))
        names = tuple(file.schema_arrow.names)
        if len(set(names)) < len(names):
            raise DataError(f"'{path}' names a column twice: {', '.join(names)}.")
        table = file.read()
        cells = tuple(column.to_pylist() for column in table.columns)
    except (pa.ArrowException, OSError, ValueError, UnicodeDecodeError) as error:
        reason = str(error).strip().split("\n")[0].rstrip(".")
        raise DataError(f"'{path}' is not a readable Parquet file: {reason}.") from None
    return names, cells, ParquetSource(table)
