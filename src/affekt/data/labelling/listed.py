"""Targets from a column of label lists; equal cells are read once."""

from collections.abc import Hashable, Sequence

import numpy as np

from affekt.data.findings import Finding
from affekt.data.labelling.cells import as_labels, cell_keys
from affekt.data.labelling.extracted import Extracted, IndexArray, one_text_per_row, row_finding
from affekt.data.labelling.label_names import LabelNames
from affekt.data.labelling.layouts import Layout
from affekt.data.reading.tables import Table
from affekt.errors import DataError

MOST_LABELS = 2_000
_SHOWN = 5
Trouble = dict[str, dict[int, str]]
"""Kind of trouble -> code of the cell -> the first label concerned."""


def from_lists(table: Table, layout: Layout) -> Extracted:
    """One text per row; cells that cannot be read or name unknown labels take their row out."""
    values = table.column(layout.labels[0])
    codes: dict[Hashable, int] = {}
    code_of = np.array([codes.setdefault(key, len(codes)) for key in cell_keys(values)], dtype=np.intp)
    firsts = np.unique(code_of, return_index=True)[1]
    lists = [as_labels(values[row], layout.separators) for row in firsts.tolist()]
    names = layout.names or _names_in(lists)
    if len(names.names) > MOST_LABELS:
        raise DataError(
            f"Column '{layout.labels[0]}' holds {len(names.names):,} different labels; {MOST_LABELS:,} is the most.",
            hint="Name the column of labels with --labels.",
        )
    patterns = np.zeros((len(lists), len(names.names)), dtype=np.float32)
    trouble: Trouble = {"unreadable": {}, "unknown": {}, "repeated": {}}
    for code, tokens in enumerate(lists):
        for position in _positions(tokens, names, code, trouble):
            patterns[code, position] = 1
    extracted = one_text_per_row(names.names, patterns[code_of])
    for kind, found in trouble.items():
        if found:
            _note(kind, found, table, layout, extracted, code_of)
    return extracted


def _names_in(lists: Sequence[tuple[str, ...] | None]) -> LabelNames:
    names = tuple(sorted({token for tokens in lists for token in tokens or ()}))
    return LabelNames(names, {}, "the cells")


def _positions(tokens: tuple[str, ...] | None, names: LabelNames, code: int, trouble: Trouble) -> set[int]:
    if tokens is None:
        trouble["unreadable"][code] = ""
        return set()
    positions: set[int] = set()
    for token in tokens:
        position = names.position(token)
        if position is None:
            trouble["unknown"].setdefault(code, token)
        elif position in positions:
            trouble["repeated"].setdefault(code, token)
        else:
            positions.add(position)
    return positions


def _note(
    kind: str, found: dict[int, str], table: Table, layout: Layout, extracted: Extracted, code_of: IndexArray
) -> None:
    rows = np.flatnonzero(np.isin(code_of, list(found))).tolist()
    tokens = list(dict.fromkeys(found[code] for code in code_of[rows].tolist()))
    shown = ", ".join(f"'{token[:40]}'" for token in tokens[:_SHOWN]) + (", …" if len(tokens) > _SHOWN else "")
    extracted.findings.append(_finding(kind, shown, rows, table, layout))
    if kind != "repeated":
        extracted.text_of[rows] = -1


def _finding(kind: str, shown: str, rows: list[int], table: Table, layout: Layout) -> Finding:
    if kind == "repeated":
        message = f"Labels are repeated within a row, and count once: {shown}."
        return row_finding("repeated-labels", "warning", message, rows, table)
    if kind == "unreadable":
        message = f"Cells of column '{layout.labels[0]}' hold no list of labels."
        return row_finding("unreadable-labels", "error", message, rows, table)
    where, hint = "the label names", "Mend them, name all labels with --label-names, or use --bad-rows skip."
    if layout.names is not None:
        where = f"the {len(layout.names.names)} label names of {layout.names.source}"
        ids = sorted(int(key) for key in layout.names.index)
        if layout.ids and ids:
            where += f", whose ids are {ids[0]} to {ids[-1]}"
            hint = "If the ids start at 1, give --first-id 1." if ids[0] == 0 else hint
    return row_finding("unknown-labels", "error", f"Not among {where}: {shown}.", rows, table, hint)
