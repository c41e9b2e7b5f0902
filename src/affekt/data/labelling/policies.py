"""What becomes of rows that are not quite right: blank or endless texts, no labels, bad cells."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from affekt.data.findings import Finding
from affekt.data.labelling.extracted import Extracted, row_finding
from affekt.data.labelling.layouts import Layout
from affekt.data.options import Unlabelled
from affekt.data.reading.tables import Table

LONGEST_TEXT = 1_000_000
"""Characters; a longer "text" is a file that got into a cell."""

_SKIPPABLE = frozenset(
    {"ragged-rows", "broken-json", "bad-label-values", "unknown-labels", "unreadable-labels", "long-texts"}
)


def skipped(finding: Finding) -> Finding:
    """The finding once the rows that it is about are left out: a warning."""
    if finding.severity != "error" or finding.code not in _SKIPPABLE:
        return finding
    return replace(finding, severity="warning", message=f"{finding.message} Such rows are skipped.", hint="")


def leave_out_texts(table: Table, layout: Layout, texts: list[str], extracted: Extracted) -> None:
    """Take out the rows whose text is blank or longer than :data:`LONGEST_TEXT`, and note them."""
    blank = [row for row, text in enumerate(texts) if not text.strip()]
    long = [row for row, text in enumerate(texts) if len(text) > LONGEST_TEXT]
    column = f"column '{layout.text}'"
    if blank:
        message = f"Texts in {column} are missing or blank; such rows are left out."
        extracted.findings.append(row_finding("blank-texts", "warning", message, blank, table))
    if long:
        message = f"A text in {column} has {len(texts[long[0]]):,} characters; {LONGEST_TEXT:,} is the most."
        hint = "Split it, or leave it out with --bad-rows skip."
        extracted.findings.append(row_finding("long-texts", "error", message, long, table, hint))
    extracted.text_of[blank + long] = -1


def treat_unlabelled(table: Table, extracted: Extracted, policy: Unlabelled) -> npt.NDArray[np.bool_]:
    """Keep, drop or mark the texts without any label, and note them; texts with unknown targets are none of these.

    Returns:
        (texts,) bool: which texts stay.
    """
    used = np.zeros(len(extracted.targets), dtype=bool)
    used[extracted.text_of[extracted.text_of >= 0]] = True
    unsure = np.isnan(extracted.targets).any(axis=1)
    bare = used & ~unsure & ~(extracted.targets > 0).any(axis=1)
    if not extracted.labels or not bare.any():
        return used
    rows = extracted.first_row[bare].tolist()
    treated = {"keep": "kept, with every label 0", "drop": "dropped", "neutral": "marked as 'neutral'"}[policy]
    message = f"{len(rows):,} text{'s have' if len(rows) > 1 else ' has'} no label: {treated}."
    hint = "Choose with --unlabelled keep, drop or neutral."
    extracted.findings.append(row_finding("unlabelled-texts", "note", message, rows, table, hint))
    if policy == "neutral":
        _mark_neutral(extracted, bare)
    return used & ~bare if policy == "drop" else used


def _mark_neutral(extracted: Extracted, bare: npt.NDArray[np.bool_]) -> None:
    if "neutral" not in extracted.labels:
        extracted.labels = (*extracted.labels, "neutral")
        extracted.targets = np.pad(extracted.targets, ((0, 0), (0, 1)))
    extracted.targets[bare, extracted.labels.index("neutral")] = 1
