"""What the layouts' extractors have in common: targets per text, and the way back to the rows."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from affekt.data.dataset import FloatArray
from affekt.data.findings import Finding, Severity
from affekt.data.reading.tables import Table

IndexArray = npt.NDArray[np.intp]


@dataclass
class Extracted:
    """Targets per text, and which text each row of the table belongs to.

    Attributes:
        labels: label names.
        targets: (texts, labels) float32.
        text_of: (rows,) the text of each row; -1 where the row is left out.
        first_row: (texts,) the first row of each text.
        findings: what did not fit.
    """

    labels: tuple[str, ...]
    targets: FloatArray
    text_of: IndexArray
    first_row: IndexArray
    findings: list[Finding] = field(default_factory=list)


def one_text_per_row(labels: tuple[str, ...], targets: FloatArray) -> Extracted:
    """Every row is a text of its own."""
    rows = np.arange(len(targets))
    return Extracted(labels, targets, rows.copy(), rows)


def row_finding(
    code: str, severity: Severity, message: str, rows: Sequence[int], table: Table, hint: str = ""
) -> Finding:
    """A finding about ``rows`` (indices from 0) of ``table``, with their places in the file."""
    return Finding(code, severity, message, hint, len(rows), tuple(table.lines[row] for row in rows), table.unit)
