"""Multi-label metrics as plain array arithmetic, each equal to scikit-learn's where scikit-learn has it.

Everywhere: ``truth`` and ``decisions`` are (texts, labels) of 0/1, ``scores`` (texts, labels), higher for more likely.
A label without a positive has precision, recall and F1 0 (``zero_division=0``) and counts in macro averages, as in
scikit-learn; its average precision and ROC AUC are NaN and are left out of means.
"""

from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from affekt.errors import SettingError
from affekt.tuning.arrays import Bool, Counts, Float, as_scores, as_truth, count, f1_of, macro_f1

__all__ = [
    "LabelScores",
    "Reliability",
    "average_precision",
    "expected_calibration_error",
    "f1_scores",
    "hamming_loss",
    "jaccard",
    "macro_f1",
    "mean_defined",
    "micro_f1",
    "precision_recall",
    "reliability",
    "roc_auc",
    "samples_f1",
    "subset_accuracy",
    "weighted_f1",
]

Binning = Literal["width", "mass"]


class LabelScores(NamedTuple):
    """What each label's decisions are worth; every array is (labels,)."""

    precision: Float
    recall: Float
    f1: Float
    support: Float


class Reliability(NamedTuple):
    """Scores beside what happened, in bins; every array is (bins, labels), NaN means in empty bins."""

    texts: Float
    mean_score: Float
    rate: Float


def f1_scores(truth: npt.ArrayLike, decisions: npt.ArrayLike) -> LabelScores:
    """Precision, recall, F1 and support of every label."""
    counts = count(truth, decisions)
    support = counts.tp + counts.fn
    return LabelScores(_ratio(counts.tp, counts.tp + counts.fp), _ratio(counts.tp, support), f1_of(counts), support)


def micro_f1(truth: npt.ArrayLike, decisions: npt.ArrayLike) -> float:
    """F1 of all decisions of all labels thrown together."""
    return float(f1_of(Counts(*(part.sum() for part in count(truth, decisions)))))


def weighted_f1(truth: npt.ArrayLike, decisions: npt.ArrayLike) -> float:
    """Mean F1 over labels, each weighted by its support."""
    scores = f1_scores(truth, decisions)
    return float(_ratio((scores.f1 * scores.support).sum(), scores.support.sum()))


def samples_f1(truth: npt.ArrayLike, decisions: npt.ArrayLike) -> float:
    """Mean over texts of the F1 of each text's label set; 0 for a text with neither true nor decided labels."""
    gold, decided = _pair(truth, decisions)
    hits = (gold & decided).sum(axis=1)
    return float(_ratio(2.0 * hits, gold.sum(axis=1) + decided.sum(axis=1)).mean())


def jaccard(truth: npt.ArrayLike, decisions: npt.ArrayLike) -> float:
    """Mean over texts of |true and decided| / |true or decided|; 0 where both are empty."""
    gold, decided = _pair(truth, decisions)
    return float(_ratio((gold & decided).sum(axis=1), (gold | decided).sum(axis=1)).mean())


def subset_accuracy(truth: npt.ArrayLike, decisions: npt.ArrayLike) -> float:
    """The part of texts whose labels are exactly right."""
    gold, decided = _pair(truth, decisions)
    return float((gold == decided).all(axis=1).mean())


def hamming_loss(truth: npt.ArrayLike, decisions: npt.ArrayLike) -> float:
    """The part of all single decisions that are wrong."""
    gold, decided = _pair(truth, decisions)
    return float((gold != decided).mean())


def average_precision(truth: npt.ArrayLike, scores: npt.ArrayLike) -> Float:
    """Average precision per label, (labels,): mean of the precision at each positive, equal scores taken together."""
    gold, _, end = _ranked(truth, scores)
    hits = np.cumsum(gold, axis=0)
    precision = np.take_along_axis(hits, end, axis=0) / (end + 1.0)
    return _ratio((precision * gold).sum(axis=0), hits[-1], np.nan)


def roc_auc(truth: npt.ArrayLike, scores: npt.ArrayLike) -> Float:
    """Area under the ROC curve per label, (labels,): the chance that a positive scores above a negative, ties half."""
    gold, start, end = _ranked(truth, scores)
    rank_from_above = 0.5 * (start + end) + 1.0
    positives = gold.sum(axis=0).astype(np.float64)
    negatives = len(gold) - positives
    above = (rank_from_above * gold).sum(axis=0) - positives * (positives + 1.0) / 2.0
    return 1.0 - _ratio(above, positives * negatives, np.nan)


def precision_recall(truth: npt.ArrayLike, scores: npt.ArrayLike) -> tuple[Float, Float, Float]:
    """One label's precision–recall curve: thresholds (falling), and precision and recall at each.

    Args:
        truth: (texts,) of 0/1.
        scores: (texts,).
    """
    column = np.asarray(scores, dtype=np.float64)[:, None]
    gold, _, end = _ranked(np.asarray(truth)[:, None], column)
    last = np.unique(end[:, 0])
    hits = np.cumsum(gold[:, 0])[last].astype(np.float64)
    ranked = -np.sort(-column[:, 0])
    total = np.full_like(hits, gold.sum())
    return ranked[last], hits / (last + 1.0), _ratio(hits, total)


def reliability(truth: npt.ArrayLike, scores: npt.ArrayLike, bins: int = 15, binning: Binning = "width") -> Reliability:
    """What a reliability diagram shows: per bin and label the texts, their mean score, and the part that has the label.

    Args:
        truth: (texts, labels).
        scores: (texts, labels) probabilities.
        bins: how many.
        binning: ``width`` cuts [0, 1] into equal widths, (a, b] each, the first with its 0; ``mass`` gives every bin as
            many texts.

    Raises:
        SettingError: if ``bins`` is not positive.
    """
    values = as_scores(scores)
    gold = as_truth(truth, values.shape)
    if bins < 1:
        raise SettingError(f"bins must be at least 1, not {bins}.")
    if binning == "mass":
        rank = np.argsort(np.argsort(values, axis=0, kind="stable"), axis=0)
        index = rank * bins // len(values)
    else:
        index = np.clip(np.ceil(values * bins).astype(np.intp) - 1, 0, bins - 1)
    labels = values.shape[1]
    place = (index * labels + np.arange(labels)).ravel()
    sums = [
        np.bincount(place, weights=None if weight is None else weight.ravel(), minlength=bins * labels)
        .reshape(bins, labels)
        .astype(np.float64)
        for weight in (None, values, gold)
    ]
    return Reliability(sums[0], _ratio(sums[1], sums[0], np.nan), _ratio(sums[2], sums[0], np.nan))


def expected_calibration_error(
    truth: npt.ArrayLike, scores: npt.ArrayLike, bins: int = 15, binning: Binning = "width"
) -> Float:
    """Expected calibration error per label, (labels,): mean over texts of |mean score - rate| in their bin.

    Equal widths and 15 bins are the usual choice (Guo et al. 2017). Most scores of a rare label share the lowest bin:
    compare figures of one binning only.
    """
    diagram = reliability(truth, scores, bins, binning)
    gap = np.nan_to_num(np.abs(diagram.mean_score - diagram.rate))
    error: Float = (diagram.texts * gap).sum(axis=0) / diagram.texts.sum(axis=0)
    return error


def mean_defined(values: npt.ArrayLike) -> float:
    """Mean of the numbers that are not NaN; NaN if none is."""
    array = np.asarray(values, dtype=np.float64)
    defined = array[~np.isnan(array)]
    return float(defined.mean()) if defined.size else float("nan")


def _pair(truth: npt.ArrayLike, decisions: npt.ArrayLike) -> tuple[Bool, Bool]:
    gold = as_truth(truth)
    return gold, as_truth(decisions, gold.shape)


def _ratio(above: npt.ArrayLike, below: npt.ArrayLike, otherwise: float = 0.0) -> Float:
    """Quotient, with ``otherwise`` where the denominator is 0."""
    top, bottom = np.broadcast_arrays(np.asarray(above, dtype=np.float64), np.asarray(below, dtype=np.float64))
    quotient: Float = np.divide(top, bottom, out=np.full(bottom.shape, otherwise), where=bottom > 0)
    return quotient


def _ranked(truth: npt.ArrayLike, scores: npt.ArrayLike) -> tuple[Bool, npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Gold labels by falling score, and the first and last rank of the scores equal to each; (texts, labels) all."""
    values = as_scores(scores)
    gold = as_truth(truth, values.shape)
    order = np.argsort(-values, axis=0, kind="stable")
    ranked = np.take_along_axis(values, order, axis=0)
    differs = ranked[1:] != ranked[:-1]
    edge = np.ones((1, values.shape[1]), dtype=bool)
    rank = np.arange(len(values))[:, None]
    start = np.maximum.accumulate(np.where(np.vstack([edge, differs]), rank, 0), axis=0)
    end = np.minimum.accumulate(np.where(np.vstack([differs, edge]), rank, len(values))[::-1], axis=0)[::-1]
    return np.take_along_axis(gold, order, axis=0), start, end
