"""What is wrong with a table, and where: a list of findings that people and programs can read.

Every check is a function from a loaded table to findings; a further one is added by passing it along.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from affekt.data.dataset import Dataset
from affekt.data.duplicates import IntArray, group_numbers, text_groups
from affekt.data.findings import Finding, Severity
from affekt.data.labelling.unlabelled import why_unlabelled
from affekt.data.load import Loaded, read_labelled
from affekt.data.options import ReadOptions

Check = Callable[[Loaded], list[Finding]]
_ORDER = {"error": 0, "warning": 1, "note": 2}
_DEFAULT = ReadOptions()


@dataclass(frozen=True)
class CheckReport:
    """The state of one table.

    Attributes:
        path: the file.
        form: its format in words.
        layout: how texts and labels stand in it, one sentence.
        rows: rows of the table.
        texts: texts that remain after the policies.
        labels: label names.
        findings: errors first.
        usable: whether a model can be trained or measured on it as it is.
    """

    path: str
    form: str
    layout: str
    rows: int
    texts: int
    labels: tuple[str, ...]
    findings: tuple[Finding, ...]

    @property
    def usable(self) -> bool:
        """Whether no finding is an error."""
        return all(finding.severity != "error" for finding in self.findings)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "path": self.path,
            "form": self.form,
            "layout": self.layout,
            "rows": self.rows,
            "texts": self.texts,
            "labels": list(self.labels),
            "usable": self.usable,
            "findings": [finding.to_dict() for finding in self.findings],
        }


def check_labels(loaded: Loaded) -> list[Finding]:
    """No labels at all, labels that no text has, and names that differ in case or spaces only."""
    dataset = loaded.dataset
    if not dataset.labels:
        reason, hint = why_unlabelled(loaded.table, loaded.layout)
        return [Finding("no-labels", "error", f"The table {reason}.", hint)]
    findings = []
    unseen = [
        label for label, seen in zip(dataset.labels, dataset.positives.sum(axis=0).tolist(), strict=True) if not seen
    ]
    if unseen:
        message = f"No text has the label{'s' * (len(unseen) > 1)} {', '.join(unseen)}."
        findings.append(Finding("unseen-labels", "warning", message, "", len(unseen)))
    folded = Counter("".join(label.lower().split()) for label in dataset.labels)
    similar = [label for label in dataset.labels if folded["".join(label.lower().split())] > 1]
    if similar:
        message = f"Label names differ in case or spaces only: {', '.join(map(repr, similar))}."
        findings.append(Finding("similar-labels", "warning", message, "Spell them alike.", len(similar)))
    return findings


def check_ids(loaded: Loaded) -> list[Finding]:
    """Row ids that come back."""
    if loaded.dataset.ids is None:
        return []
    copies = _copies(group_numbers(loaded.dataset.ids))
    if not len(copies):
        return []
    message = f"Row ids in '{loaded.layout.row_id}' come back."
    return [_at(loaded, copies, "repeated-ids", "warning", message)]


def check_duplicates(loaded: Loaded) -> list[Finding]:
    """Texts that come back exactly, or but for case and punctuation, and those whose labels then disagree."""
    texts = loaded.dataset.texts
    if not texts:
        return []
    exact, alike = group_numbers(texts), text_groups(texts)
    first_of_exact = np.unique(exact, return_index=True)[1]
    similar = np.intersect1d(_copies(alike), first_of_exact)
    return [
        *_duplicates(loaded, "exact", "Texts that are the same", exact, _copies(exact)),
        *_duplicates(loaded, "similar", "Texts alike but for case, punctuation or spaces", alike, similar),
    ]


def _duplicates(loaded: Loaded, kind: str, what: str, groups: IntArray, copies: IntArray) -> list[Finding]:
    if not len(copies):
        return []
    among = np.unique(groups[copies])
    message = f"{what}: {len(copies):,} further cop{'ies' if len(copies) > 1 else 'y'} of {len(among):,}."
    findings = [_at(loaded, copies, f"{kind}-duplicates", "note", message)]
    rows = np.flatnonzero(np.isin(groups, among) & _disagreement(loaded.dataset, groups))
    if len(rows):
        count = len(np.unique(groups[rows]))
        message = f"{what} have different labels: {count:,} of {len(among):,}."
        findings.append(_at(loaded, rows, f"disagreeing-{kind}", "warning", message))
    return findings


def _disagreement(dataset: Dataset, groups: IntArray) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """(texts,) bool: whether a text's group holds more than one set of labels."""
    known = np.where(dataset.known, dataset.targets, np.float32(-1))
    pattern = np.unique(known, axis=0, return_inverse=True)[1].reshape(-1)
    first = np.unique(groups, return_index=True)[1]
    differs = pattern != pattern[first][groups]
    split_groups = np.unique(groups[differs])
    return np.isin(groups, split_groups)


def _copies(groups: IntArray) -> IntArray:
    """Indices of members that are not the first of their group."""
    first = np.unique(groups, return_index=True)[1]
    return np.setdiff1d(np.arange(len(groups)), first)


def _at(loaded: Loaded, texts: IntArray, code: str, severity: Severity, message: str) -> Finding:
    """A finding about ``texts`` (indices from 0), with their places in the file."""
    return Finding(code, severity, message, "", len(texts), tuple(loaded.lines[texts].tolist()), loaded.table.unit)


CHECKS: tuple[Check, ...] = (check_labels, check_ids, check_duplicates)
"""What every report looks at, beyond what reading found."""


def check(path: str | Path, options: ReadOptions = _DEFAULT, checks: Sequence[Check] = CHECKS) -> CheckReport:
    """Read a table and look for everything that is wrong with it.

    Args:
        path: the file.
        options: as for ``load_dataset``.
        checks: what to look at beyond what reading finds; pass more to look deeper.

    Raises:
        DataError: if the file as a whole cannot be read or has no texts.
    """
    loaded = read_labelled(path, options)
    findings = [*loaded.findings, *(finding for one in checks for finding in one(loaded))]
    if not len(loaded.dataset):
        findings.append(Finding("no-texts", "error", "No usable text is left."))
    findings.sort(key=lambda finding: _ORDER[finding.severity])
    return CheckReport(
        str(path), loaded.table.form, loaded.layout.sentence(), len(loaded.table), len(loaded.dataset),
        loaded.dataset.labels, tuple(findings),
    )  # fmt: skip
