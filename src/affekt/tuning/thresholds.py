"""Choosing thresholds for macro-F1: several ways behind one interface, as the best on the fitted texts rarely is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from affekt.errors import DataError, SettingError
from affekt.tuning.arrays import Bool, Float, as_saved, as_scores, as_truth, expit, log_odds

DEFAULT_METHOD = "steady"
"""The method that generalised best; figures in ``docs/evaluation.md``, repeated by ``benchmarks/decision_rules.py``."""

SHRINK = 5.0
"""Positives at which a label's own evidence and the common value weigh the same."""

BANDWIDTH = 0.5
"""Standard deviation, in logits, over which F1 is averaged before its highest point is taken."""

BAGS = 40
"""Bootstrap resamples of the bagged thresholds."""

_LOGIT_GRID = np.linspace(-8.0, 8.0, 321)


@dataclass(frozen=True)
class Evidence:
    """What thresholds are chosen from.

    Attributes:
        scores: (texts, labels) calibrated scores in [0, 1].
        truth: (texts, labels) bool.
        shrink: positives at which a label's own evidence and the common value weigh the same.
        seed: for the methods that resample.
    """

    scores: Float
    truth: Bool
    shrink: float = SHRINK
    seed: int = 0

    @property
    def trust(self) -> Float:
        """Weight of each label's own evidence, in [0, 1]: (labels,)."""
        positives = self.truth.sum(axis=0).astype(np.float64)
        weight: Float = positives / np.maximum(positives + self.shrink, 1e-12)
        return weight

    @cached_property
    def grid_f1(self) -> Float:
        """F1 of every label at every threshold of the logit grid: (thresholds, labels)."""
        labels = self.truth.shape[1]
        reached = np.searchsorted(expit(_LOGIT_GRID), self.scores, side="right")
        place = (reached * labels + np.arange(labels)).ravel()
        size = (len(_LOGIT_GRID) + 1) * labels
        decided, hits = (
            np.bincount(place, weights, size).reshape(-1, labels)[::-1].cumsum(axis=0)[::-1][1:]
            for weights in (None, self.truth.ravel().astype(np.float64))
        )
        f1: Float = 2.0 * hits / np.maximum(decided + self.truth.sum(axis=0), 1.0)
        return f1


def fit_thresholds(
    scores: npt.ArrayLike,
    truth: npt.ArrayLike,
    method: str = DEFAULT_METHOD,
    *,
    shrink: float = SHRINK,
    seed: int = 0,
) -> tuple[float, ...]:
    """Thresholds, one per label, for decisions ``score >= threshold``.

    Args:
        scores: (texts, labels) calibrated scores in [0, 1].
        truth: (texts, labels) of 0/1.
        method: one of :data:`THRESHOLD_METHODS`, or ``default``.
        shrink: for methods that shrink: positives at which a label's own evidence weighs as much as the common value.
        seed: for methods that resample.

    Returns:
        (labels,) numbers in [0, 1] that float32 holds exactly.

    Raises:
        DataError: if the arrays do not match or a score is outside [0, 1].
        SettingError: if there is no such method or ``shrink`` is negative.
    """
    values = as_scores(scores)
    gold = as_truth(truth, values.shape)
    if values.min() < 0.0 or values.max() > 1.0:
        raise DataError("Scores must lie in [0, 1]; these look like logits.")
    name = DEFAULT_METHOD if method == "default" else method
    if name not in THRESHOLD_METHODS:
        raise SettingError(f"There is no threshold method '{method}'.", hint=f"Known: {', '.join(THRESHOLD_METHODS)}.")
    if not 0.0 <= shrink < np.inf:
        raise SettingError(f"shrink must be a finite number of at least 0, not {shrink}.")
    return as_saved(THRESHOLD_METHODS[name](Evidence(values, gold, shrink, seed)))


def best_cuts(scores: Float, positives: Float, weights: Float | None = None) -> tuple[Float, Float]:
    """The thresholds of highest F1, exactly, over all cuts between distinct scores.

    Args:
        scores: (texts, labels).
        positives: (texts, labels) in [0, 1]: gold labels, or probabilities that count as fractions of a positive.
        weights: (resamples, texts) weights of the texts; one resample of weight 1 if left out.

    Returns:
        Thresholds and their F1, (resamples, labels) each or, without ``weights``, (labels,). A threshold lies half way
        between two scores where float32 can hold that; it is NaN, and its F1 0, for a label without a positive.
    """
    order = np.argsort(-scores, axis=0, kind="stable")
    ranked, gain = np.take_along_axis(scores, order, axis=0), np.take_along_axis(positives, order, axis=0)
    limits, cuttable = _between(ranked)
    rows = np.ones((1, len(scores))) if weights is None else weights
    thresholds, f1 = np.empty((len(rows), scores.shape[1])), np.empty((len(rows), scores.shape[1]))
    for index, row in enumerate(rows):
        weight = row[order]
        hits = np.cumsum(weight * gain, axis=0)
        below = np.maximum(np.cumsum(weight, axis=0) + hits[-1], 1e-300)
        curve = np.where(cuttable, 2.0 * hits / below, -1.0)
        best = curve.argmax(axis=0)[None]
        f1[index] = np.take_along_axis(curve, best, axis=0)[0]
        thresholds[index] = np.where(hits[-1] > 0, np.take_along_axis(limits, best, axis=0)[0], np.nan)
    return (thresholds[0], f1[0]) if weights is None else (thresholds, f1)


def bootstrap_thresholds(scores: npt.ArrayLike, truth: npt.ArrayLike, *, resamples: int = BAGS, seed: int = 0) -> Float:
    """Each label's best threshold on texts drawn with replacement: how much the choice of texts moves it.

    Returns:
        (resamples, labels); NaN where a resample has no positive.
    """
    values = as_scores(scores)
    gold = as_truth(truth, values.shape)
    texts = len(values)
    drawn = np.random.default_rng(seed).multinomial(texts, np.full(texts, 1.0 / texts), size=resamples)
    return best_cuts(values, gold.astype(np.float64), drawn.astype(np.float64))[0]


def _between(ranked: Float) -> tuple[Float, Bool]:
    """Thresholds that take in everything down to each rank, and whether one can cut there (not among equal scores)."""
    following = np.vstack([ranked[1:], ranked[-1:]])
    middle = (0.5 * (ranked + following)).astype(np.float32).astype(np.float64)
    cuttable = ranked > following
    cuttable[-1] = True
    return np.where((middle > following) & (middle <= ranked), middle, ranked), cuttable


def _fixed(evidence: Evidence) -> Float:
    """0.5 for every label."""
    return np.full(evidence.truth.shape[1], 0.5)


def _shared(evidence: Evidence) -> Float:
    """The one threshold, of a grid in logits, whose macro-F1 is highest."""
    best = evidence.grid_f1.mean(axis=1).argmax()
    return np.full(evidence.truth.shape[1], expit(_LOGIT_GRID[best]))


def _per_label(evidence: Evidence) -> Float:
    """Each label's best threshold; the shared one for a label without a positive."""
    return _or_shared(best_cuts(evidence.scores, evidence.truth.astype(np.float64))[0], evidence)


def _shrunk(evidence: Evidence) -> Float:
    """Each label's best threshold drawn towards the shared one, the more the fewer its positives."""
    return _mixed(_per_label(evidence), _shared(evidence), evidence.trust)


def _plug_in(evidence: Evidence) -> Float:
    """The thresholds of highest expected F1 if scores are probabilities: F*/2 (Lipton, Elkan & Narayanaswamy 2014).

    Gold labels have no say beyond the calibration: few positives cannot mislead it, a wrong calibration can.
    """
    return 0.5 * best_cuts(evidence.scores, evidence.scores)[1]


def _blended(evidence: Evidence) -> Float:
    """Best cuts for gold labels mixed with the scores themselves: per label at many positives, plug-in at few."""
    mixed = evidence.trust * evidence.truth + (1.0 - evidence.trust) * evidence.scores
    return _or_shared(best_cuts(evidence.scores, mixed)[0], evidence)


def _bagged(evidence: Evidence) -> Float:
    """The mean, in logits, of each label's best thresholds over bootstrap resamples of the texts."""
    cuts = bootstrap_thresholds(evidence.scores, evidence.truth, seed=evidence.seed)
    seen = ~np.isnan(cuts)
    total = np.where(seen, log_odds(np.where(seen, cuts, 0.5)), 0.0).sum(axis=0)
    mean = expit(total / np.maximum(seen.sum(axis=0), 1))
    return _or_shared(np.where(seen.any(axis=0), mean, np.nan), evidence)


def _smoothed(evidence: Evidence) -> Float:
    """The highest point of each label's F1 after averaging it over nearby thresholds (a Gaussian in logits).

    A sharp peak of the raw curve is mostly luck; a threshold amid others that do well keeps its promise.
    """
    curve = _smoothing() @ evidence.grid_f1
    return _or_shared(np.where(evidence.truth.any(axis=0), expit(_LOGIT_GRID[curve.argmax(axis=0)]), np.nan), evidence)


def _steady(evidence: Evidence) -> Float:
    """Smoothed thresholds, drawn for labels with few positives towards half way between shared and plug-in."""
    common = _mixed(_shared(evidence), _plug_in(evidence), np.full(evidence.truth.shape[1], 0.5))
    return _mixed(_smoothed(evidence), common, evidence.trust)


THRESHOLD_METHODS: Mapping[str, Callable[[Evidence], Float]] = MappingProxyType(
    {
        "fixed": _fixed,
        "shared": _shared,
        "per_label": _per_label,
        "shrunk": _shrunk,
        "plug_in": _plug_in,
        "blended": _blended,
        "bagged": _bagged,
        "smoothed": _smoothed,
        "steady": _steady,
    }
)
"""Name -> choice of (labels,) thresholds."""


@cache
def _smoothing() -> Float:
    kernel = np.exp(-0.5 * ((_LOGIT_GRID[:, None] - _LOGIT_GRID) / BANDWIDTH) ** 2)
    rows: Float = kernel / kernel.sum(axis=1, keepdims=True)
    return rows


def _mixed(own: Float, common: Float, trust: Float) -> Float:
    """Weighted mean of thresholds, taken in logits."""
    return expit(trust * log_odds(own) + (1.0 - trust) * log_odds(common))


def _or_shared(thresholds: Float, evidence: Evidence) -> Float:
    missing = np.isnan(thresholds)
    return np.where(missing, _shared(evidence), thresholds) if missing.any() else thresholds
