"""Measuring models on labelled tables: matching labels, and telling whether a model has seen the texts before."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from affekt.answering import View
from affekt.decision import logit
from affekt.errors import DataError
from affekt.evaluation.measure import Naming, Resampling, measure
from affekt.evaluation.provenance import provenance
from affekt.evaluation.results import Evaluation
from affekt.taxonomy import Taxonomy, identity
from affekt.tuning.arrays import Bool, as_truth

if TYPE_CHECKING:
    from affekt.classifier import EmotionClassifier
    from affekt.data.dataset import Dataset

Floats = npt.NDArray[np.float32]


def evaluate(
    model: "EmotionClassifier | str | Path | None",
    data: "Dataset | str | Path",
    *,
    taxonomy: str | None = None,
    labelled_only: bool = False,
    known_only: bool = False,
    resampling: Resampling = Resampling(),  # noqa: B008
) -> Evaluation:
    """Measure a model on labelled texts.

    Args:
        model: a classifier, a model folder, or None for the shipped model.
        data: a data set, or a table in any layout that :func:`affekt.data.load_dataset` finds out.
        taxonomy: label set to measure in; the model's own by default. The table may hold its labels or the model's own.
        labelled_only: leave out texts that have none of the labels.
        known_only: leave out texts of which a label is not known.
        resampling: how many resamples, folds and repeats.

    Raises:
        DataError: if the table cannot be used, or its labels are not the model's.
        SettingError: if the model has no such label set.
        ModelFolderError: if the model folder cannot be used.
    """
    classifier, table = _model(model), _data(data)
    dataset = table.fully_labelled() if known_only else table
    manifest = classifier.manifest
    view = View.of(manifest, taxonomy)
    name = taxonomy or manifest.taxonomy
    truth, notes = match_truth(dataset, view.source, view.taxonomy or identity(name, view.labels))
    rows = np.flatnonzero(truth.any(axis=1)) if labelled_only else np.arange(len(truth))
    if rows.size == 0:
        raise DataError(f"'{dataset.name}' has no text to measure on.")
    raw = classifier.logits([dataset.texts[row] for row in rows])
    own = raw if view.taxonomy is None else logit(view.taxonomy.combine(view.own.calibration.apply(raw), view.source))
    known = provenance(manifest, name, table)
    if known_only:
        notes = (*notes, f"{len(table) - len(dataset):,} texts of which a label is not known were left out.")
    if labelled_only:
        notes = (*notes, f"{len(truth) - rows.size:,} texts without any of the labels were left out.")
    return measure(
        own, truth[rows], view.labels,
        rule=view.rule if name in manifest.rules else None, rule_saw_texts=known.rule_saw_texts,
        naming=Naming(manifest.name, dataset.name, name), resampling=resampling, notes=(*known.notes, *notes),
    )  # fmt: skip


def match_truth(dataset: "Dataset", source: Sequence[str], target: Taxonomy) -> tuple[Bool, tuple[str, ...]]:
    """Gold labels of a label set, from a table that holds either the model's own labels or the set's.

    Args:
        dataset: the table.
        source: the model's own labels.
        target: the label set.

    Returns:
        (texts, labels of the set) bool, and what a reader should know.

    Raises:
        DataError: if the labels of the table are neither, or a row has unknown labels.
    """
    direct = identity(target.name, target.labels)
    wanted = direct if _fit(dataset.labels, target.labels) >= _fit(dataset.labels, source) else target
    names = target.labels if wanted is direct else tuple(source)
    missing = [label for label in names if label not in dataset.labels]
    extra = [label for label in dataset.labels if label not in names]
    if (missing and extra) or len(missing) == len(names):
        raise DataError(
            f"'{dataset.name}' has labels that are not the model's ({_few(extra)}), and not its {_few(missing)}.",
            hint="Name the table's labels with --label-names, or choose a label set with --taxonomy.",
        )
    notes = []
    if missing:
        notes.append(f"The table does not have {_few(missing)}: taken as never given.")
    if extra:
        notes.append(f"The model does not know {_few(extra)}: left out.")
    truth = np.zeros((len(dataset), len(names)), dtype=bool)
    if len(dataset):
        columns = [names.index(label) for label in dataset.labels if label in names]
        kept = [index for index, label in enumerate(dataset.labels) if label in names]
        truth[:, columns] = as_truth(_known(dataset, dataset.targets[:, kept]))
    return (truth if wanted is direct else target.combine_truth(truth, names)), tuple(notes)


def _known(dataset: "Dataset", targets: Floats) -> Floats:
    """The targets, if all of them are known."""
    unsure = int(np.isnan(targets).any(axis=1).sum())
    if unsure:
        raise DataError(
            f"A label is not known of {unsure:,} of the {len(targets):,} texts of '{dataset.name}'.",
            hint="Measure on the others with --known-only (in Python: known_only=True).",
        )
    return targets


def _fit(have: Sequence[str], wanted: Sequence[str]) -> tuple[int, int]:
    """How well the table's labels are those wanted: fewest differences first, then most in common."""
    return -len(set(have) ^ set(wanted)), len(set(have) & set(wanted))


def _few(labels: Sequence[str], most: int = 6) -> str:
    if not labels:
        return "none"
    return ", ".join(labels[:most]) + (f" and {len(labels) - most} more" if len(labels) > most else "")


def _model(model: "EmotionClassifier | str | Path | None") -> "EmotionClassifier":
    from affekt.classifier import EmotionClassifier

    return EmotionClassifier.load(model) if model is None or isinstance(model, str | Path) else model


def _data(data: "Dataset | str | Path") -> "Dataset":
    from affekt.data import load_dataset

    return load_dataset(data) if isinstance(data, str | Path) else data
