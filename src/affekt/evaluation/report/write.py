"""The report of a classifier on a data set: joins what was measured with the texts and the model's own explanations."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from affekt.answering import View
from affekt.evaluation.evaluate import match_truth
from affekt.evaluation.match import Match
from affekt.evaluation.report.build import write_report
from affekt.evaluation.results import Evaluation
from affekt.explanation import explain
from affekt.taxonomy import identity

if TYPE_CHECKING:
    from affekt.classifier import EmotionClassifier
    from affekt.data.dataset import Dataset


def report_on(
    classifier: "EmotionClassifier",
    dataset: "Dataset",
    found: Evaluation,
    folder: Path,
    *,
    match: Match | None = None,
    seed: int = 0,
) -> Path:
    """Write the report of an evaluation, with explanations of the worst mistakes; returns the page.

    Args:
        classifier: the model that was measured.
        dataset: what it was measured on; texts without any of the labels may have been left out.
        found: what was measured.
        folder: where to write.
        match: the same model beside another.
        seed: of resamples.

    Raises:
        DataError: if the evaluation was not made on this data set.
        MissingExtraError: if matplotlib is not installed.
    """
    name = None if found.label_set == classifier.manifest.taxonomy else found.label_set
    texts = dataset.texts
    if len(found.truth) != len(texts):
        view = View.of(classifier.manifest, name)
        truth, _ = match_truth(dataset, view.source, view.taxonomy or identity(found.label_set, view.labels))
        texts = tuple(texts[row] for row in np.flatnonzero(truth.any(axis=1)))
    return write_report(
        found,
        texts,
        folder,
        match=match,
        explain=lambda text, emotions: explain(classifier, text, taxonomy=name, emotions=emotions),
        seed=seed,
    )
