"""Which column holds the texts, which the row ids, and which may hold labels."""

import math
from collections import Counter
from collections.abc import Collection, Iterable

from affekt.data.labelling.cells import FLAG_WORDS, SEPARATORS, as_flag, as_labels, as_text, cell_keys, is_blank
from affekt.data.reading.headers import ID_NAMES, LABEL_NAMES, TEXT_NAMES, canonical
from affekt.data.reading.tables import Table
from affekt.errors import DataError

_SAMPLE = 5000
_FLAG_SHARE = 0.9
_LONGEST_LABELS = 300
_MOST_LABELS = 200
_FEW = 10


def by_name(columns: Iterable[str], known: Iterable[str]) -> str | None:
    """The first of ``columns`` that bears one of the ``known`` names, tried in their order."""
    names = {canonical(column): column for column in columns}
    return next((names[name] for name in known if name in names), None)


def texts_of(table: Table, column: str | None = None) -> list[str]:
    """The texts of a table, one per row, empty where the cell is missing.

    Args:
        table: any table.
        column: the column of texts, by name or number from 1; guessed by default.

    Raises:
        DataError: if there is no such column, or none that holds texts.
    """
    return [as_text(cell) for cell in table.column(column if column is not None else guess_text(table))]


def guess_text(table: Table, taken: Collection[str] = ()) -> str:
    """The column of texts: by its name, or else the longest words.

    Raises:
        DataError: if no column holds words.
    """
    free = [column for column in table.columns if column not in taken]
    named = by_name(free, TEXT_NAMES)
    if named is not None:
        return named
    lengths = {column: _mean_length(table, column) for column in free}
    best = max(lengths, key=lambda column: lengths[column], default=None)
    if best is None or lengths[best] == 0:
        raise DataError(
            f"'{table.path}' has no column of texts.", hint=f"Name it with --text; columns: {', '.join(table.columns)}."
        )
    return best


def _mean_length(table: Table, column: str) -> float:
    texts = [as_text(value) for value in table.column(column)[:_SAMPLE]]
    wordy = [text for text in texts if any(character.isalpha() for character in text[:200])]
    return sum(len(text) for text in wordy) / len(texts) if len(wordy) * 4 > len(texts) else 0.0


def guess_id(table: Table, taken: Collection[str]) -> str | None:
    """The column of row ids: by its name, or else (in files without names) one whose short values are all different."""
    free = [column for column in table.columns if column not in taken]
    named = by_name(free, ID_NAMES)
    if named is not None:
        return named
    if table.named:
        return next((column for column in free if canonical(column).endswith("_id")), None)
    return next((column for column in reversed(free) if _are_ids(table, column)), None)


def _are_ids(table: Table, column: str) -> bool:
    values = table.column(column)
    short = all(isinstance(value, str) and 0 < len(value) <= 64 and not value.split()[1:] for value in values)
    return short and len(set(values)) == len(values) and any(not value.isdigit() for value in values)


def flag_columns(table: Table, taken: Collection[str]) -> list[str]:
    """Columns of 0 and 1 (or scores between); words such as true and false count only where no column has numbers."""
    numbers: list[str] = []
    words: list[str] = []
    for column in table.columns:
        if column in taken:
            continue
        kind = _flag_kind(table, column)
        if kind is not None:
            (words if kind == "words" else numbers).append(column)
    return numbers or words


def _flag_kind(table: Table, column: str) -> str | None:
    cells = Counter(cell_keys(table.column(column)))
    flags = {value: as_flag(value) for value in cells}
    good = sum(count for value, count in cells.items() if flags[value] is not None)
    present = [value for value, flag in flags.items() if flag is not None and not math.isnan(flag)]
    if not present or good < _FLAG_SHARE * len(table):
        return None
    spelled = {value.strip().lower() for value in present if isinstance(value, str)}
    return "words" if spelled & FLAG_WORDS.keys() or any(isinstance(value, bool) for value in present) else "numbers"


def guess_label_column(table: Table, taken: Collection[str], names: Collection[str] = ()) -> str | None:
    """The column that lists labels: by its name, by holding known names, or else the smallest vocabulary."""
    free = [column for column in table.columns if column not in taken]
    named = by_name(free, LABEL_NAMES)
    if named is not None:
        return named
    ranks = {column: _vocabulary_rank(table, column, set(names)) for column in free}
    found = {column: rank for column, rank in ranks.items() if rank is not None}
    return min(found, key=lambda column: found[column], default=None)


def _vocabulary_rank(table: Table, column: str, names: set[str]) -> tuple[bool, float] | None:
    values = table.column(column)[:_SAMPLE]
    tokens: set[str] = set()
    for value in set(values) if all(isinstance(value, str) for value in values) else values:
        found = as_labels(value, SEPARATORS)
        if found is None or (isinstance(value, str) and len(value) > _LONGEST_LABELS):
            return None
        tokens.update(found)
    if not tokens or len(tokens) > _MOST_LABELS or any(len(token.split()) > 4 for token in tokens):
        return None
    filled = sum(not is_blank(value) for value in values)
    if len(tokens) >= max(filled, _FEW):
        return None
    return not (names and tokens <= names), len(tokens) / max(filled, 1)
