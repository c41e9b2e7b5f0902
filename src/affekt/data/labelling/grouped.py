"""Rows of one text each, with one label each, joined into texts with all their labels."""

import numpy as np

from affekt.data.findings import Finding
from affekt.data.labelling.cells import as_text
from affekt.data.labelling.extracted import Extracted, IndexArray, row_finding
from affekt.data.labelling.layouts import Layout
from affekt.data.reading.tables import Table


def grouped(table: Table, layout: Layout, extracted: Extracted) -> Extracted:
    """Rows of the same id (or, without ids, the same text) become one text with the labels of all of them."""
    groups: dict[str, int] = {}
    keys = [as_text(value) for value in table.column(layout.key)]
    text_of = np.array([groups.setdefault(key, len(groups)) for key in keys], dtype=np.intp)
    first = np.unique(text_of, return_index=True)[1]
    kept = extracted.text_of >= 0
    targets = np.zeros((len(groups), len(extracted.labels)), dtype=np.float32)
    np.maximum.at(targets, text_of[kept], extracted.targets[kept])
    findings = [*extracted.findings, *_differing(table, layout, text_of, first), *_repeated(table, extracted, text_of)]
    return Extracted(extracted.labels, targets, np.where(kept, text_of, -1), first, findings)


def _differing(table: Table, layout: Layout, text_of: IndexArray, first: IndexArray) -> list[Finding]:
    if layout.row_id is None:
        return []
    texts = table.column(layout.text)
    rows = [row for row, text in enumerate(text_of.tolist()) if texts[row] != texts[int(first[text])]]
    if not rows:
        return []
    message = f"Rows with the same '{layout.row_id}' hold different texts; the first was taken."
    return [row_finding("differing-texts", "warning", message, rows, table)]


def _repeated(table: Table, extracted: Extracted, text_of: IndexArray) -> list[Finding]:
    if not extracted.labels:
        return []
    labelled = np.flatnonzero(extracted.targets.any(axis=1))
    pairs = np.column_stack([text_of, extracted.targets.argmax(axis=1)])[labelled]
    fresh = np.unique(pairs, axis=0, return_index=True)[1]
    rows = np.delete(labelled, fresh).tolist()
    if not rows:
        return []
    message = "Rows repeat a text with a label that it already has; it counts once."
    return [row_finding("repeated-labels", "warning", message, rows, table)]
