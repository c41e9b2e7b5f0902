"""What a competition's sample submission asks for: its id column, its label columns, and how cells are written."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from affekt.data.labelling.cells import as_flag, as_labels, as_text, is_id
from affekt.data.reading.headers import ID_NAMES, LABEL_NAMES, canonical
from affekt.data.reading.tables import Table
from affekt.errors import DataError

Values = Literal["auto", "decisions", "scores"]


@dataclass(frozen=True)
class SampleForm:
    """How a submission is to be written.

    Attributes:
        row_id: the sample's id column.
        columns: label column -> the model's label, where each label has a column of its own; empty for a list.
        list_column: the column that lists labels, if there is one.
        copied: columns of the sample to be copied from the test table.
        values: ``decisions`` or ``scores`` in label columns.
        no_yes: how a decision is spelled in label columns.
        join: what joins labels in the list column; ``json`` and ``python`` write bracketed lists.
        ids: whether the list column holds label ids.
        spelling: the model's label -> how the sample spells it.
    """

    row_id: str
    columns: dict[str, str] = field(default_factory=dict)
    list_column: str | None = None
    copied: tuple[str, ...] = ()
    values: Literal["decisions", "scores"] = "decisions"
    no_yes: tuple[str, str] = ("0", "1")
    join: str = ","
    ids: bool = False
    spelling: dict[str, str] = field(default_factory=dict)

    def sentence(self) -> str:
        """The form in words."""
        if self.list_column is None:
            cells = f"{self.no_yes[0]} or {self.no_yes[1]}" if self.values == "decisions" else "scores"
            return f"One column per label ({len(self.columns)}), cells hold {cells}; ids in '{self.row_id}'."
        how = {"json": "as JSON lists", "python": "as Python lists"}.get(self.join, f"joined by {self.join!r}")
        return f"Label {'ids' if self.ids else 'names'} {how} in '{self.list_column}'; ids in '{self.row_id}'."


def read_form(
    sample: Table,
    labels: Sequence[str],
    test_columns: Sequence[str],
    *,
    row_id: str | None = None,
    values: Values = "auto",
    separator: str | None = None,
) -> SampleForm:
    """Find out the form of a sample submission.

    Args:
        sample: the sample's table.
        labels: the model's label names.
        test_columns: names of the test table's columns; the sample may repeat some.
        row_id: the sample's id column, if it is not to be found out.
        values: what label columns are to hold; ``auto`` follows the sample's own cells.
        separator: what joins labels in a list column; found out by default.

    Raises:
        DataError: if a column is neither the ids, nor a label of the model, nor a column of the test table.
    """
    key = _id_column(sample) if row_id is None else sample.resolve(row_id)
    rest = [column for column in sample.columns if column != key]
    if not rest:
        raise DataError(f"The sample '{sample.path}' has no column for labels besides '{key}'.")
    known = {_plain(label): label for label in labels}
    columns = {column: known[_plain(column)] for column in rest if _plain(column) in known}
    others = [column for column in rest if column not in columns]
    if columns and not any(canonical(column) in LABEL_NAMES for column in others):
        copied = _copied(sample, others, test_columns, labels)
        kind, spelled = _cells(sample, list(columns))
        return SampleForm(key, columns, None, copied, kind if values == "auto" else values, spelled)
    column = _list_column(sample, rest, test_columns)
    copied = tuple(other for other in rest if other != column)
    join, ids, spelling = _list_style(sample, column, labels, separator)
    return SampleForm(key, {}, column, copied, join=join, ids=ids, spelling=spelling)


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]+", " ", name.strip().casefold())


def _id_column(sample: Table) -> str:
    names = {canonical(column): column for column in sample.columns}
    found = next((names[name] for name in ID_NAMES if name in names), None)
    return found or next((c for c in sample.columns if canonical(c).endswith("_id")), sample.columns[0])


def _copied(sample: Table, others: list[str], test_columns: Sequence[str], labels: Sequence[str]) -> tuple[str, ...]:
    unknown = [column for column in others if column not in test_columns]
    if unknown:
        raise DataError(
            f"Column '{unknown[0]}' of the sample '{sample.path}' is neither a label of the model nor a column of the "
            "test table.",
            hint=f"The model's labels: {', '.join(labels)}.",
        )
    return tuple(others)


def _cells(sample: Table, columns: list[str]) -> tuple[Literal["decisions", "scores"], tuple[str, str]]:
    cells = {as_text(value).strip() for column in columns for value in sample.column(column)}
    flags = [as_flag(cell) for cell in cells]
    if any(flag is not None and 0 < flag < 1 for flag in flags):
        return "scores", ("0", "1")
    for pair in (("0", "1"), ("0.0", "1.0"), ("False", "True"), ("false", "true"), ("FALSE", "TRUE")):
        if cells & set(pair):
            return "decisions", pair
    return "decisions", ("0", "1")


def _list_column(sample: Table, rest: list[str], test_columns: Sequence[str]) -> str:
    candidates = [column for column in rest if column not in test_columns] or rest
    named = [column for column in candidates if canonical(column) in LABEL_NAMES]
    if len(named) == 1 or len(candidates) == 1:
        return (named or candidates)[0]
    raise DataError(
        f"No column of the sample '{sample.path}' can be told to hold the labels: {', '.join(rest)}.",
        hint="It must have one column per label of the model, or a single one for all of them.",
    )


def _list_style(
    sample: Table, column: str, labels: Sequence[str], separator: str | None
) -> tuple[str, bool, dict[str, str]]:
    cells = [as_text(value).strip() for value in sample.column(column)]
    filled = [cell for cell in cells if cell]
    join = separator or _join(filled)
    split_at = ",;|" if join in ("json", "python") else join.strip()
    known = {_plain(label): label for label in labels}
    tokens = {token for cell in filled for token in _tokens(cell, split_at, known)}
    if tokens and all(is_id(token) for token in tokens) and not tokens <= known.keys():
        return join, True, {}
    unknown = sorted(token for token in tokens if _plain(token) not in known)
    if unknown:
        raise DataError(
            f"Column '{column}' of the sample '{sample.path}' holds '{unknown[0][:60]}', no label of the model.",
            hint=f"The model's labels: {', '.join(labels)}.",
        )
    return join, False, {known[_plain(token)]: token for token in tokens}


def _tokens(cell: str, split_at: str, known: dict[str, str]) -> tuple[str, ...]:
    if _plain(cell) in known:
        return (cell,)
    return (as_labels(cell, split_at) or ()) if split_at else tuple(cell.split())


def _join(cells: Sequence[str]) -> str:
    if any(cell.startswith("[") for cell in cells):
        return "python" if any("'" in cell for cell in cells) else "json"
    for separator in ",;|":
        if any(separator in cell for cell in cells):
            return f"{separator} " if any(f"{separator} " in cell for cell in cells) else separator
    spaced = [cell for cell in cells if len(cell.split()) > 1]
    return " " if spaced and all(is_id(token) for cell in spaced for token in cell.split()) else ","
