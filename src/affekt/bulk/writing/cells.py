"""Columns as the cells of a csv or tsv file: numbers written out, lists joined, formulas made harmless."""

import json
import re
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from affekt.bulk.values import values

SEPARATOR = ","
"""Between the entries of a list in one cell."""

_FORMULA = r"^[=+\-@\t\r\n＝＋－＠]"
_NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)*|\.\d+)([eE][+-]?\d+)?%?")


def cells(column: pa.ChunkedArray, *, neutralise: bool) -> tuple[list[str], int]:
    """A column's cells as text, missing ones empty, and how many formulas were made harmless.

    Args:
        column: of any type.
        neutralise: put an apostrophe before texts that a spreadsheet would take for a formula; numbers are left alone.
    """
    texts = _as_text(column)
    harmless = texts.to_pylist()
    if not neutralise or not _may_hold_formulas(column.type):
        return harmless, 0
    suspects = np.flatnonzero(pc.match_substring_regex(texts, _FORMULA).to_numpy())
    count = 0
    for row in suspects.tolist():
        if not _NUMBER.fullmatch(harmless[row]):
            harmless[row] = f"'{harmless[row]}"
            count += 1
    return harmless, count


def name_cell(name: str, *, neutralise: bool) -> str:
    """A column's name as a cell of the header."""
    risky = neutralise and re.match(_FORMULA, name) and not _NUMBER.fullmatch(name)
    return f"'{name}" if risky else name


def _may_hold_formulas(kind: pa.DataType) -> bool:
    return not (pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_boolean(kind))


def _as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    kind = column.type
    if pa.types.is_list(kind) and (pa.types.is_float32(kind.value_type) or pa.types.is_string(kind.value_type)):
        return _joined(column)
    if pa.types.is_nested(kind):
        return pa.chunked_array([pa.array([_json(value) for value in values(column)], pa.string())])
    if _has_no_text(kind):
        return pa.chunked_array([pa.array([str(plain(value or "")) for value in values(column)], pa.string())])
    return pc.fill_null(pc.cast(column, pa.string()), "")


def _has_no_text(kind: pa.DataType) -> bool:
    """Whether Arrow cannot write the type as text: bytes, and extensions such as UUIDs."""
    binary = pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind)
    return binary or isinstance(kind, pa.BaseExtensionType)


def _joined(column: pa.ChunkedArray) -> pa.ChunkedArray:
    parts = []
    for chunk in column.chunks:
        entries = pc.fill_null(chunk.flatten().cast(pa.string()), "")
        sizes = pc.fill_null(pc.list_value_length(chunk), 0).to_numpy(zero_copy_only=False)
        offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)
        parts.append(pc.binary_join(pa.ListArray.from_arrays(pa.array(offsets), entries), SEPARATOR))
    return pa.chunked_array(parts, pa.string())


def _json(value: Any) -> str:
    return "" if value is None else json.dumps(plain(value), ensure_ascii=False)


def plain(value: Any) -> Any:
    """A value as JSON has it: bytes as text with escapes, no infinite numbers, text for what it has no form for."""
    if isinstance(value, dict):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(entry) for entry in value]
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    if value is None or isinstance(value, (str, int, bool)):
        return value
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    return str(value)
