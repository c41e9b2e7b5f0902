"""The rows of a table whose labels look most wrong, with their lines: what people should look at again."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from affekt.errors import DataError
from affekt.evaluation.noise import Suspect, suspect_rows
from affekt.evaluation.outoffold import quick_scores

if TYPE_CHECKING:
    from affekt.data import Dataset, Loaded
    from affekt.data.findings import Unit

ENOUGH = 20
"""Texts from which on labels are looked at for mistakes."""

Scores = npt.NDArray[np.float32]


@dataclass(frozen=True)
class SuspectRow:
    """A row whose labels look wrong.

    Attributes:
        line: where the row starts in its file, numbered from 1 in ``unit``.
        text: as read.
        given: its labels.
        wrong: given labels that look wrong, most suspect first.
        missing: labels that look missing, most suspect first.
        suspicion: how far the worst of its labels is from what the scores say, in [0, 1].
        unit: ``line``, or ``row`` where the file has no lines (Parquet).
    """

    line: int
    text: str
    given: tuple[str, ...]
    wrong: tuple[str, ...]
    missing: tuple[str, ...]
    suspicion: float
    unit: "Unit" = "line"

    @classmethod
    def of(cls, loaded: "Loaded", found: Suspect) -> "SuspectRow":
        """With the names of its labels and its place in the file."""
        dataset, row = loaded.dataset, found.row
        wrong, missing = (tuple(dataset.labels[i] for i in columns) for columns in (found.wrong, found.missing))
        given = tuple(dataset.labels[i] for i in np.flatnonzero(dataset.positives[row]))
        line, suspicion = int(loaded.lines[row]), float(found.suspicion)
        return cls(line, dataset.texts[row], given, wrong, missing, suspicion, loaded.table.unit)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return {
            "line": self.line, "text": self.text, "given": list(self.given), "wrong": list(self.wrong),
            "missing": list(self.missing), "suspicion": self.suspicion,
        }  # fmt: skip


def most_suspect(
    loaded: "Loaded", n: int = 20, *, model: str | Path | None = None, seed: int = 0
) -> Sequence[SuspectRow]:
    """The ``n`` rows whose labels look most wrong, worst first.

    Args:
        loaded: a table with its labels.
        n: at most so many.
        model: one that did not learn from these texts; by default a quick model of words is fitted on the other folds.
        seed: of the folds.

    Raises:
        DataError: if there are too few texts, or the model lacks a label.
        MissingExtraError: if scikit-learn is not installed.
    """
    dataset = loaded.dataset
    if len(dataset) < ENOUGH or not dataset.labels:
        raise DataError(f"'{dataset.name}' has too few labelled texts to say which labels look wrong: {len(dataset)}.")
    scores = model_scores(model, dataset) if model is not None else None
    if scores is None:
        scores = quick_scores(dataset.texts, dataset.positives, seed=seed)
    return [SuspectRow.of(loaded, found) for found in suspect_rows(scores, dataset.positives, n)]


def model_scores(model: str | Path, dataset: "Dataset") -> Scores:
    """A model's scores in the columns of a data set.

    Raises:
        DataError: if the model lacks one of its labels.
        ModelFolderError: if the model folder cannot be used.
    """
    from affekt.classifier import EmotionClassifier

    classifier = EmotionClassifier.load(model)
    missing = [label for label in dataset.labels if label not in classifier.labels]
    if missing:
        raise DataError(
            f"The model does not know the label{'s' * (len(missing) > 1)} {', '.join(missing)}.",
            hint="Leave --model out to look for suspect labels with a quick model of words.",
        )
    columns = [classifier.labels.index(label) for label in dataset.labels]
    scores: Scores = classifier.scores(dataset.texts)[:, columns]
    return scores
