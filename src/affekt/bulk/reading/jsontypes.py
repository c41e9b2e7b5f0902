"""Columns out of JSON objects, where the output has columns: types from a sample, and values made to fit them."""

import json
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

Objects = Sequence[dict[str, Any]]

_FITTING = {
    pa.bool_(): {type(None), bool},
    pa.int64(): {type(None), int},
    pa.float64(): {type(None), float, int},
}
"""Column type -> types of its values. Arrow itself would cut 1.5 down to 1."""


def schema_of(sample: Objects, names: Sequence[str]) -> pa.Schema:
    """A type per name: that of its values in the sample; text where they have none, or several.

    Objects and lists within objects become JSON text, because later ones need not have the same shape.
    """
    return pa.schema([(name, _type_of([found.get(name) for found in sample])) for name in names])


def _type_of(values: list[Any]) -> pa.DataType:
    kinds = {type(value) for value in values if value is not None}
    if kinds == {bool}:
        return pa.bool_()
    if kinds == {int} and all(value is None or -(2**63) <= value < 2**63 for value in values):
        return pa.int64()
    if kinds in ({float}, {float, int}) and all(map(_exact_as_float, values)):
        return pa.float64()
    return pa.string()


def _exact_as_float(value: Any) -> bool:
    return not isinstance(value, int) or abs(value) <= 2**53


def as_arrow(records: Objects, schema: pa.Schema) -> pa.Table:
    """The objects as rows.

    Raises:
        pyarrow.ArrowException, OverflowError, TypeError: if a value does not fit the type of its column.
    """
    return pa.table([_column(records, field) for field in schema], schema=schema)


def _column(records: Objects, field: pa.Field) -> pa.Array:
    values = [record.get(field.name) for record in records]
    if field.type == pa.string():
        values = [value if value is None or isinstance(value, str) else _text(value) for value in values]
    elif not set(map(type, values)) <= _FITTING[field.type]:
        raise TypeError(f"'{field.name}' holds other values than {field.type}")
    if field.type == pa.float64() and not all(map(_exact_as_float, values)):
        raise OverflowError(f"'{field.name}' holds integers that are too large for {field.type}")
    return pa.array(values, field.type)


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def misfit(record: dict[str, Any], schema: pa.Schema, *, closed: bool = True) -> str:
    """Why an object is no row of this schema; empty if it is one.

    Args:
        record: the object.
        schema: the columns.
        closed: whether it must not have other keys.
    """
    unknown = sorted(set(record) - set(schema.names)) if closed else []
    if unknown:
        return f"it has a key '{unknown[0]}' that the first objects do not have"
    for field in schema:
        try:
            _column([record], field)
        except (pa.ArrowException, OverflowError, TypeError):
            return f"'{field.name}' is {type(record[field.name]).__name__}, not {field.type}"
    return ""
