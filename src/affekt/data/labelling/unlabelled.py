"""Tables without labels: how to know one whose label columns hold only a word for nothing, and how to say it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from affekt.data.labelling.cells import MISSING, as_text, is_blank
from affekt.data.reading.tables import Table
from affekt.errors import DataError

if TYPE_CHECKING:
    from affekt.data.labelling.layouts import Layout


def says_nothing(cells: Sequence[Any]) -> bool:
    """Whether a column holds a word for nothing, such as ``NONE``, in each cell that is not blank, and in one at least.

    So test tables of competitions, SemEval's for one, keep the columns of labels that they do not tell.
    """
    word = _word(cells)
    return word is not None and all(
        is_blank(cell) or (isinstance(cell, str) and cell.strip().lower() in MISSING) for cell in cells
    )


def _word(cells: Sequence[Any]) -> str | None:
    return next((as_text(cell).strip() for cell in cells if not is_blank(cell)), None)


def why_unlabelled(table: Table, layout: "Layout") -> tuple[str, str]:
    """What to say of a table without labels, as the end of a sentence, and the way out."""
    columns = layout.untold
    if layout.labels:
        return f"has no labels: column '{layout.labels[0]}' names none", ""
    if not columns:
        shown = ", ".join(table.columns[:40])
        return "has no column of labels", f"Name it with --labels, if there is one; its columns are: {shown}."
    named = f"column '{columns[0]}' holds" if len(columns) == 1 else f"its {len(columns)} columns of labels hold"
    word = _word(table.column(columns[0]))
    return (
        f"has no labels: {named} nothing but '{word}'",
        "Answer it with 'affekt predict' or 'affekt submit'; to train or measure, take a table that has its labels.",
    )


def raise_no_labels(table: Table, layout: "Layout") -> NoReturn:
    """Say that a table has no labels.

    Raises:
        DataError: always.
    """
    reason, hint = why_unlabelled(table, layout)
    raise DataError(f"'{table.path}' {reason}.", hint=hint)
