"""A competition's submission: the model's answers in exactly the sample's columns, ids and order."""

import csv
import gzip
import io
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from affekt.data.findings import raise_errors
from affekt.data.labelling.cells import as_text
from affekt.data.labelling.layouts import detect_layout
from affekt.data.options import ReadOptions
from affekt.data.reading.tables import Table, read_table
from affekt.errors import DataError
from affekt.export.samples import SampleForm, Values, read_form
from affekt.files import atomic_file
from affekt.prediction import Prediction
from affekt.taxonomy import TAXONOMIES

_SHOWN = 3


class Predicts(Protocol):
    """What a submission needs of a classifier."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The model's own labels."""

    def predict(self, texts: Iterable[str], *, taxonomy: str | None = None) -> list[Prediction]:
        """One answer per text."""


@dataclass(frozen=True)
class Submission:
    """What was written.

    Attributes:
        path: the file.
        rows: how many.
        form: its form, one sentence.
        notes: what a person may want to know, a sentence each.
    """

    path: Path
    rows: int
    form: str
    notes: tuple[str, ...]


def write_submission(
    model: Predicts,
    test: Path,
    sample: Path,
    out: Path,
    *,
    text: str | None = None,
    row_id: str | None = None,
    taxonomy: str | None = None,
    values: Values = "auto",
    separator: str | None = None,
    first_id: int = 0,
) -> Submission:
    """Predict every text of ``test`` and write what ``sample`` shows.

    Args:
        model: a classifier.
        test: table of ids and texts.
        sample: the competition's sample submission, csv or tsv.
        out: the file to write; an existing one is replaced only once the new one is complete.
        text: the test table's column of texts; found out by default.
        row_id: the sample's column of ids; found out by default.
        taxonomy: label set of the answers; the model's own by default.
        values: ``decisions`` or ``scores`` in label columns; ``auto`` follows the sample.
        separator: what joins labels in a list column; found out by default.
        first_id: the first label's id, where a list column holds ids.

    Raises:
        DataError: if ids, columns or labels of the three do not match.
    """
    samples, tests = _read(sample), _read(test)
    if not samples.delimiter:
        raise DataError(f"The sample '{sample}' is not a csv or tsv file.")
    if out.resolve() in (test.resolve(), sample.resolve()):
        raise DataError(f"'{out}' is one of the files to be read.", hint="Name another file with --out.")
    if out.is_dir():
        raise DataError(f"'{out}' is a folder.", hint="Name a file with --out.")
    labels = TAXONOMIES[taxonomy].labels if taxonomy is not None and taxonomy in TAXONOMIES else model.labels
    form = read_form(samples, labels, tests.columns, row_id=row_id, values=values, separator=separator)
    layout = detect_layout(tests, ReadOptions(text=text, row_id=_test_id(tests, form), layout="none"))
    rows = _matching_rows(samples, tests, form, layout.row_id)
    column = tests.column(layout.text)
    texts = [as_text(column[row]) for row in rows]
    answers = model.predict(texts, taxonomy=taxonomy)
    numbers = {label: str(position + first_id) for position, label in enumerate(labels)}
    records = [_record(samples, tests, form, place, row, answers[place], numbers) for place, row in enumerate(rows)]
    _write(samples, records, out)
    return Submission(out, len(records), form.sentence(), tuple(_notes(form, labels, answers, taxonomy)))


def _read(path: Path) -> Table:
    table = read_table(path)
    raise_errors(table.findings, str(path))
    return table


def _test_id(tests: Table, form: SampleForm) -> str | None:
    wanted = form.row_id.strip().casefold()
    return next((column for column in tests.columns if column.strip().casefold() == wanted), None)


def _matching_rows(samples: Table, tests: Table, form: SampleForm, test_id: str | None) -> list[int]:
    """The test row of each sample row.

    Raises:
        DataError: if ids are repeated, missing or superfluous on either side.
    """
    if test_id is None:
        raise DataError(
            f"The test table '{tests.path}' has no column '{form.row_id}' like the sample's.",
            hint=f"Its columns: {', '.join(tests.columns)}; name the sample's id column with --id.",
        )
    wanted = [as_text(value).strip() for value in samples.column(form.row_id)]
    given = [as_text(value).strip() for value in tests.column(test_id)]
    for name, ids in ((samples.path, wanted), (tests.path, given)):
        value, times = Counter(ids).most_common(1)[0]
        if times > 1:
            raise DataError(f"'{name}' has the id '{value}' {times:,} times.")
    row_of = {value: row for row, value in enumerate(given)}
    _complain(f"ids of the sample '{samples.path}' are not in the test table", [i for i in wanted if i not in row_of])
    expected = set(wanted)
    _complain(f"ids of the test table '{tests.path}' are not in the sample", [i for i in given if i not in expected])
    return [row_of[value] for value in wanted]


def _complain(what: str, ids: Sequence[str]) -> None:
    if ids:
        shown = ", ".join(f"'{value}'" for value in ids[:_SHOWN]) + (", …" if len(ids) > _SHOWN else "")
        raise DataError(f"{len(ids):,} {what}: {shown}.", hint="Check that both files belong together.")


def _record(
    samples: Table, tests: Table, form: SampleForm, place: int, row: int, answer: Prediction, numbers: dict[str, str]
) -> list[str]:
    cells = []
    decided = set(answer.emotions)
    for column in samples.columns:
        if column == form.row_id:
            cells.append(as_text(samples.column(column)[place]))
        elif column in form.columns:
            label = form.columns[column]
            score = f"{answer.scores[label]:.6f}"
            cells.append(score if form.values == "scores" else form.no_yes[label in decided])
        elif column == form.list_column:
            cells.append(_listed(form, [label for label in numbers if label in decided], numbers))
        else:
            cells.append(as_text(tests.column(column)[row]))
    return cells


def _listed(form: SampleForm, decided: list[str], numbers: dict[str, str]) -> str:
    tokens = [numbers[label] if form.ids else form.spelling.get(label, label) for label in decided]
    if form.join in ("json", "python"):
        values: list[str] | list[int] = [int(token) for token in tokens] if form.ids else tokens
        return json.dumps(values, ensure_ascii=False) if form.join == "json" else repr(values)
    return form.join.join(tokens)


def _write(samples: Table, records: list[list[str]], out: Path) -> None:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter=samples.delimiter, lineterminator="\n")
    if samples.named:
        writer.writerow(samples.columns)
    writer.writerows(records)
    content = buffer.getvalue().encode("utf-8")
    try:
        with atomic_file(out) as temporary:
            temporary.write_bytes(gzip.compress(content, mtime=0) if out.suffix == ".gz" else content)
    except OSError as error:
        raise DataError(f"'{out}' cannot be written: {error.strerror or error}.") from None


def _notes(form: SampleForm, labels: Sequence[str], answers: list[Prediction], taxonomy: str | None) -> list[str]:
    notes = []
    left_out = [label for label in labels if form.columns and label not in form.columns.values()]
    if left_out:
        notes.append(f"The sample has no column for {', '.join(left_out)}.")
    asked = set(form.columns.values())
    alike = [name for name, other in TAXONOMIES.items() if asked and asked == set(other.labels) != set(labels)]
    if alike and taxonomy is None:
        notes.append(
            f"The sample's labels are those of '{alike[0]}': --taxonomy {alike[0]} would combine the others into them."
        )
    empty = sum(not answer.emotions for answer in answers)
    if empty and form.values == "decisions":
        notes.append(f"{empty:,} of {len(answers):,} texts have no label.")
    return notes
