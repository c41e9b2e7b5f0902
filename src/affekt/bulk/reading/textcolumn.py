"""Which column holds the texts: named by the person, by its own name, or told by its words."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from affekt.bulk.reading.cursors import open_cursor
from affekt.bulk.reading.inputs import Input
from affekt.bulk.reading.pieces import Piece, Position
from affekt.data.labelling.columns import by_name
from affekt.data.reading.headers import TEXT_NAMES
from affekt.errors import DataError

_SAMPLE_ROWS = 1000
_SAMPLE_BYTES = 4 * 1024 * 1024
_TEXTUAL = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_null)


def find(source: Input, given: str | None) -> str:
    """The column of texts.

    Args:
        source: what is read.
        given: its name, or its number from 1; found out by default, as for training tables.

    Raises:
        DataError: if there is no such column, or none that holds texts.
    """
    name = _guess(source) if given is None else resolve(source, given)
    if source.kind == "parquet":
        _check_type(source, name)
    return name


def resolve(source: Input, name: str) -> str:
    """The column called ``name``, or the one with that number, counted from 1.

    Raises:
        DataError: if there is none; the hint lists the columns.
    """
    if name in source.known:
        return name
    if name.isascii() and name.isdigit() and len(name) < 6 and 1 <= int(name) <= len(source.known):
        return source.known[int(name) - 1]
    raise missing_column(source, name)


def missing_column(source: Input, name: str) -> DataError:
    """What to raise for a name that is no column."""
    hint = f"Its columns are: {', '.join(source.known[:40])}."
    return DataError(f"'{source.files[0]}' has no column '{name}'.", hint=hint)


def _check_type(source: Input, name: str) -> None:
    kind = source.schema.field(name).type
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    if not any(fits(kind) for fits in _TEXTUAL):
        raise DataError(f"The column '{name}' holds {kind}, not texts.", hint="Name the column of texts with --text.")


def _guess(source: Input) -> str:
    named = by_name(source.known, TEXT_NAMES)
    if named is not None:
        return named
    lengths = {name: _mean_length(values) for name, values in _sample(source).items()}
    best = max(lengths, key=lambda name: lengths[name], default="")
    if not lengths.get(best):
        raise DataError(
            f"There is no telling which column of '{source.files[0]}' holds the texts.",
            hint=f"Name it with --text; there are: {', '.join(source.known[:40])}.",
        )
    return best


def _sample(source: Input) -> dict[str, Sequence[Any]]:
    for number in range(len(source.files)):
        piece = _first_rows(source, number)
        if piece.numbers:
            return {name: piece.values(name) for name in source.known}
    return {}


def _first_rows(source: Input, file: int) -> Piece:
    cursor = open_cursor(source, Position(file), source.known)
    try:
        return cursor.read(_SAMPLE_ROWS, _SAMPLE_BYTES)
    finally:
        cursor.close()


def _mean_length(values: Sequence[Any]) -> float:
    """Characters of a column's texts; 0 if fewer than a quarter of its cells hold letters."""
    wordy = [value for value in values if isinstance(value, str) and any(map(str.isalpha, value[:200]))]
    return sum(map(len, wordy)) / len(values) if len(wordy) * 4 > len(values) else 0.0
