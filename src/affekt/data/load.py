"""From a file to a Dataset: read, find the layout, extract the targets, apply the policies."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from affekt.data.dataset import Dataset
from affekt.data.findings import Finding, raise_errors
from affekt.data.labelling.cells import as_text
from affekt.data.labelling.extracted import Extracted, IndexArray
from affekt.data.labelling.layouts import Layout, detect_layout
from affekt.data.labelling.policies import leave_out_texts, skipped, treat_unlabelled
from affekt.data.labelling.targets import extract
from affekt.data.labelling.unlabelled import raise_no_labels
from affekt.data.options import BadRows, LayoutName, Missing, ReadOptions, Unlabelled
from affekt.data.reading.tables import Table, format_suffix, read_table
from affekt.errors import DataError

BoolArray = npt.NDArray[np.bool_]
_DEFAULT = ReadOptions()
_log = logging.getLogger("affekt.data")


@dataclass(frozen=True)
class Loaded:
    """A dataset together with the table it came from.

    Attributes:
        dataset: texts and targets, after the policies.
        table: as read.
        layout: as found or given.
        findings: everything found on the way.
        text_of: (rows,) the dataset index of each table row; -1 for rows left out.
        lines: (texts,) the line that each text starts at.
    """

    dataset: Dataset
    table: Table
    layout: Layout
    findings: tuple[Finding, ...]
    text_of: IndexArray
    lines: IndexArray

    @property
    def usable(self) -> bool:
        """Whether no finding is an error."""
        return all(finding.severity != "error" for finding in self.findings)


def load_dataset(
    path: str | Path,
    *,
    text: str | None = None,
    labels: str | Sequence[str] | None = None,
    layout: LayoutName = "auto",
    label_names: str | Path | Sequence[str] | None = None,
    first_id: int = 0,
    separator: str | None = None,
    unlabelled: Unlabelled = "keep",
    missing: Missing = "unknown",
    bad_rows: BadRows = "error",
    options: ReadOptions | None = None,
) -> Dataset:
    """Read a labelled table: csv, tsv, jsonl or Parquet (also ``.gz``) in any of the usual label layouts.

    What is not given is found out, and logged (logger ``affekt.data``) together with everything odd.

    Args:
        path: the file.
        text: the column of texts: name, or number from 1.
        labels: the column or columns of labels.
        layout: ``auto``, ``columns``, ``list`` or ``long``.
        label_names: names in order, or a file of them; needed where cells hold ids and no ``labels.txt`` lies beside.
        first_id: the first label name's id.
        separator: what joins labels in a cell.
        unlabelled: rows without any label: ``keep`` as all-zero, ``drop``, or mark as ``neutral``.
        missing: empty cells in 0/1 columns: ``unknown`` (NaN), ``zero`` or ``error``.
        bad_rows: rows that cannot be used: ``error`` or ``skip``.
        options: all of these and more at once, instead of the others.

    Raises:
        DataError: if the file or a row cannot be used; the sentence says where.
        SettingError: if an option is not one of its values.
        MissingExtraError: if it is Parquet and pyarrow is not installed.
    """
    options = options or ReadOptions(
        text=text, labels=labels, layout=layout, label_names=label_names, first_id=first_id, separator=separator,
        unlabelled=unlabelled, missing=missing, bad_rows=bad_rows,
    )  # fmt: skip
    loaded = read_labelled(path, options)
    _log.info("%s: %s", path, loaded.layout.sentence())
    raise_errors(loaded.findings, str(path))
    for finding in loaded.findings:
        if finding.severity == "warning":
            place = f" ({finding.where()})" if finding.lines else ""
            _log.warning("%s: %s%s", path, finding.message, place)
    if not loaded.dataset.labels:
        raise_no_labels(loaded.table, loaded.layout)
    if not len(loaded.dataset):
        raise DataError(f"'{path}' has no usable text.")
    return loaded.dataset


def read_labelled(path: str | Path, options: ReadOptions = _DEFAULT) -> Loaded:
    """Read a table and keep the way back to its rows; problems of single rows are findings, not errors.

    Raises:
        DataError: if the file as a whole cannot be used.
    """
    table = read_table(path, options)
    layout = detect_layout(table, options)
    extracted = extract(table, layout, options)
    texts = [as_text(value) for value in table.column(layout.text)]
    leave_out_texts(table, layout, texts, extracted)
    used = treat_unlabelled(table, extracted, options.unlabelled)
    findings = [*table.findings, *extracted.findings]
    if options.bad_rows == "skip":
        findings = [skipped(finding) for finding in findings]
    return _joined(table, layout, texts, extracted, used, findings)


def _joined(
    table: Table, layout: Layout, texts: list[str], extracted: Extracted, used: BoolArray, findings: list[Finding]
) -> Loaded:
    index = np.where(used, np.cumsum(used) - 1, -1)
    text_of = np.where(extracted.text_of >= 0, index[extracted.text_of], -1)
    rows = extracted.first_row[used]
    picked = rows.tolist()
    ids = None
    if layout.row_id is not None:
        cells = table.column(layout.row_id)
        ids = tuple(as_text(cells[row]) for row in picked)
    kept = tuple(texts[row] for row in picked)
    dataset = Dataset(kept, extracted.labels, extracted.targets[used], ids, _name(table.path))
    lines = np.asarray(table.lines, dtype=np.intp)[rows]
    return Loaded(dataset, table, layout, tuple(findings), text_of, lines)


def _name(path: Path) -> str:
    return path.name.removesuffix(".gz").removesuffix(format_suffix(path)) or path.name
