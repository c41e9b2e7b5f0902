"""Targets from one 0/1 column per label."""

import math
from typing import Any

import numpy as np

from affekt.data.findings import Severity
from affekt.data.labelling.cells import as_flag, as_text, cell_keys
from affekt.data.labelling.extracted import Extracted, one_text_per_row, row_finding
from affekt.data.labelling.layouts import Layout
from affekt.data.options import Missing
from affekt.data.reading.tables import Table


def from_columns(table: Table, layout: Layout, missing: Missing) -> Extracted:
    """One text per row; cells that are neither flags nor scores take their row out."""
    targets = np.empty((len(table), len(layout.labels)), dtype=np.float32)
    bad: dict[int, tuple[str, str]] = {}
    for position, column in enumerate(layout.labels):
        values = table.column(column)
        keys = cell_keys(values)
        flags = {key: _flag(value) for key, value in dict(zip(keys, values, strict=True)).items()}
        wrong = {key for key, flag in flags.items() if flag is None}
        numbers = {key: math.nan if flag is None else flag for key, flag in flags.items()}
        targets[:, position] = [numbers[key] for key in keys]
        for row in [row for row, key in enumerate(keys) if key in wrong] if wrong else ():
            bad.setdefault(row, (column, as_text(values[row])))
    extracted = one_text_per_row(layout.labels, targets)
    _note_bad(table, extracted, bad)
    _treat_missing(table, extracted, missing)
    return extracted


def _flag(value: Any) -> float | None:
    return None if isinstance(value, list | dict) else as_flag(value)


def _note_bad(table: Table, extracted: Extracted, bad: dict[int, tuple[str, str]]) -> None:
    if not bad:
        return
    rows = sorted(bad)
    column, value = bad[rows[0]]
    message = f"Label column '{column}' holds '{value[:40]}', which is neither 0, 1, nor a score between."
    extracted.findings.append(row_finding("bad-label-values", "error", message, rows, table))
    extracted.text_of[rows] = -1


def _treat_missing(table: Table, extracted: Extracted, missing: Missing) -> None:
    empty = np.isnan(extracted.targets) & (extracted.text_of >= 0)[:, None]
    rows = np.flatnonzero(empty.any(axis=1)).tolist()
    if not rows:
        return
    treated = {"unknown": "taken as unknown", "zero": "taken as 0", "error": "not allowed"}[missing]
    cells = int(empty.sum())
    message = f"{cells:,} cell{'s' * (cells > 1)} of label columns {'are' if cells > 1 else 'is'} empty: {treated}."
    hint = "Choose with --missing unknown, zero or error."
    severity: Severity = "error" if missing == "error" else "warning"
    extracted.findings.append(row_finding("missing-labels", severity, message, rows, table, hint))
    if missing == "zero":
        extracted.targets[empty] = 0
