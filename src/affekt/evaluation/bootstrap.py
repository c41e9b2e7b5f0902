"""Intervals by resampling texts: all metrics of all resamples from a few matrix products."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from affekt.errors import SettingError
from affekt.tuning.arrays import Bool, Counts, Float, as_truth, f1_of

CHUNK_BYTES = 64 * 2**20
"""Memory for the weights of the resamples that are worked on at once."""


@dataclass(frozen=True)
class Interval:
    """A figure and the range that holds the given part of the resamples.

    Attributes:
        value: the figure on the texts themselves.
        low: lower end.
        high: upper end.
    """

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        """As people read it: ``0.523 [0.507, 0.538]``."""
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


@dataclass(frozen=True)
class LabelIntervals:
    """The same for every label; each array is (labels,)."""

    value: Float
    low: Float
    high: Float


@dataclass(frozen=True)
class Intervals:
    """Intervals of every metric of a set of decisions.

    Attributes:
        overall: metric name -> interval, for the metrics of :data:`OVERALL`.
        labels: ``precision``, ``recall`` and ``f1`` -> intervals per label.
        level: part of the resamples inside each interval.
    """

    overall: Mapping[str, Interval]
    labels: Mapping[str, LabelIntervals]
    level: float


OVERALL = ("macro_f1", "micro_f1", "weighted_f1", "samples_f1", "jaccard", "subset_accuracy", "hamming_loss")


def bootstrap_intervals(
    truth: npt.ArrayLike, decisions: npt.ArrayLike, *, resamples: int = 1000, level: float = 0.95, seed: int = 0
) -> Intervals:
    """Percentile intervals over texts drawn with replacement (Efron & Tibshirani 1993).

    They say how far the figures would move with other texts of the same kind; the model and its thresholds are taken as
    they are. A label that a resample has no positive of counts as F1 0 there, as in the metric itself.

    Args:
        truth: (texts, labels) of 0/1.
        decisions: the same.
        resamples: how many.
        level: part of the resamples inside the interval.
        seed: which resamples.

    Raises:
        DataError: if the arrays do not match.
        SettingError: if ``resamples`` or ``level`` is outside its range.
    """
    check_resampling(resamples, level)
    gold = as_truth(truth)
    facts = text_facts(gold, as_truth(decisions, gold.shape))
    exact = metrics_of(facts.sum(axis=0, dtype=np.float64)[None] / len(gold))
    drawn = [metrics_of(means) for means in resampled_means(facts, resamples, seed)]
    tails = (0.5 - level / 2.0, 0.5 + level / 2.0)
    ranges = {name: np.quantile(np.concatenate([d[name] for d in drawn]), tails, axis=0) for name in exact}
    overall = {name: Interval(*(float(v) for v in (exact[name][0], *ranges[name]))) for name in OVERALL}
    labels = {name: LabelIntervals(exact[name][0], *ranges[name]) for name in ("precision", "recall", "f1")}
    return Intervals(overall, labels, level)


def check_resampling(resamples: int, level: float) -> None:
    """Raise SettingError if there is nothing to resample or the level is no part."""
    if resamples < 1:
        raise SettingError(f"resamples must be at least 1, not {resamples}.")
    if not 0.0 < level < 1.0:
        raise SettingError(f"level must lie between 0 and 1, not {level}.")


def text_facts(truth: Bool, decisions: Bool) -> npt.NDArray[np.float32]:
    """What every metric is made of, per text, so that any weighted sum of texts gives any metric.

    Returns:
        (texts, 3 labels + 4) float32: hits, decisions, true labels; then F1, Jaccard, exact match, wrong decisions.
    """
    hits = truth & decisions
    both, either = hits.sum(axis=1), (truth | decisions).sum(axis=1)
    sizes = truth.sum(axis=1) + decisions.sum(axis=1)
    wrong = (truth != decisions).mean(axis=1)
    per_text = np.column_stack([2.0 * both / np.maximum(sizes, 1), both / np.maximum(either, 1), wrong == 0.0, wrong])
    return np.hstack([hits, decisions, truth, per_text]).astype(np.float32)


def metrics_of(means: Float) -> dict[str, Float]:
    """Every metric of each resample: (resamples,) overall and (resamples, labels) per label.

    Args:
        means: (resamples, 3 labels + 4) weighted means of :func:`text_facts`.
    """
    labels = (means.shape[1] - 4) // 3
    hits, decided, true = (means[:, part * labels : (part + 1) * labels] for part in range(3))
    f1 = f1_of(Counts(hits, decided - hits, true - hits))
    pooled = Counts(*(part.sum(axis=1) for part in (hits, decided - hits, true - hits)))
    share = true / np.maximum(true.sum(axis=1, keepdims=True), 1e-12)
    return {
        "macro_f1": f1.mean(axis=1),
        "micro_f1": f1_of(pooled),
        "weighted_f1": (f1 * share).sum(axis=1),
        "samples_f1": means[:, -4],
        "jaccard": means[:, -3],
        "subset_accuracy": means[:, -2],
        "hamming_loss": means[:, -1],
        "precision": np.divide(hits, decided, out=np.zeros_like(hits), where=decided > 0),
        "recall": np.divide(hits, true, out=np.zeros_like(hits), where=true > 0),
        "f1": f1,
    }


def resampled_means(facts: npt.NDArray[np.float32], resamples: int, seed: int) -> Iterator[Float]:
    """Means of ``facts`` over texts drawn with replacement, some resamples at a time: (some, columns) float64."""
    texts = len(facts)
    rng = np.random.default_rng(seed)
    chunk = max(1, CHUNK_BYTES // (4 * texts))
    for first in range(0, resamples, chunk):
        rows = min(chunk, resamples - first)
        weights = np.empty((rows, texts), dtype=np.float32)
        for row in weights:
            row[:] = np.bincount(rng.integers(0, texts, texts), minlength=texts)
        yield (weights @ facts).astype(np.float64) / texts
