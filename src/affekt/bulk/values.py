"""Arrow columns as Python values, whatever their type: what Python's own types cannot hold becomes text or a number."""

from collections.abc import Callable
from typing import Any

import pyarrow as pa

Leaf = Callable[[pa.DataType], pa.DataType]


def values(column: pa.ChunkedArray) -> list[Any]:
    """A column's cells, None where there is none.

    Dates and times become text (``2024-01-31 12:00:00.000000001+0100``), because Python has no nanoseconds and no year
    20000; durations become numbers of their unit. What comes out depends on the type alone.

    Args:
        column: of any type, dates within lists and structures included.
    """
    kind = deeply(column.type, _held)
    found: list[Any] = (column if kind == column.type else column.cast(kind)).to_pylist()
    return found


def without_views(kind: pa.DataType) -> pa.DataType:
    """A type with the usual layout in place of views, from which Arrow cannot take rows."""
    return deeply(kind, _unviewed)


def deeply(kind: pa.DataType, leaf: Leaf) -> pa.DataType:
    """A type with ``leaf`` applied to what is in it, through lists, maps, structures and dictionaries."""
    if pa.types.is_struct(kind):
        return pa.struct([field.with_type(deeply(field.type, leaf)) for field in kind.fields])
    if pa.types.is_map(kind):
        return pa.map_(deeply(kind.key_type, leaf), deeply(kind.item_type, leaf))
    if pa.types.is_dictionary(kind):
        inner = deeply(kind.value_type, leaf)
        return kind if inner == kind.value_type else inner
    if not pa.types.is_nested(kind):
        return leaf(kind)
    inner = kind.value_field.with_type(deeply(kind.value_type, leaf))
    if inner.type == kind.value_type:
        return kind
    if pa.types.is_fixed_size_list(kind):
        return pa.list_(inner, kind.list_size)
    return pa.large_list(inner) if pa.types.is_large_list(kind) else pa.list_(inner)


def _held(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_duration(kind):
        return pa.int64()
    dated = pa.types.is_timestamp(kind) or pa.types.is_date(kind) or pa.types.is_time(kind)
    return pa.string() if dated else kind


def _unviewed(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_string_view(kind):
        return pa.string()
    return pa.binary() if pa.types.is_binary_view(kind) else kind
