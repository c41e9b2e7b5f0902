"""Choosing thresholds for macro-F1: several ways behind one interface, since the best on the fitting data is not the best."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from affekt.errors import DataError, SettingError
from affekt.tuning.arrays import Bool, Float, as_scores, as_truth

SHRINK = 20.0
"""Positives at which a label's own threshold and the common one weigh the same."""

BAGS = 40
"""Bootstrap resamples of the bagged thresholds."""

_GRID = np.linspace(0.01, 0.99, 99)


def fit_thresholds(
    scores: npt.ArrayLike,
    truth: npt.ArrayLike,
    method: str = "shrunk",
    *,
    shrink: float = SHRINK,
    seed: int = 0,
) -> tuple[float, ...]:
    """Thresholds, one per label, for decisions ``score >= threshold``.

    Args:
        scores: (texts, labels) calibrated scores in [0, 1].
        truth: (texts, labels) of 0/1.
        method: one of :data:`THRESHOLD_METHODS`.
        shrink: for the methods that shrink: positives at which a label's own evidence weighs as much as the common value.
        seed: for the methods that resample.

    Raises:
        DataError: if the arrays do not match or a score is outside [0, 1].
        SettingError: if there is no such method or ``shrink`` is negative.
    """
    values = as_scores(scores)
    gold = as_truth(truth, values.shape)
    if values.min() < 0.0 or values.max() > 1.0:
        raise DataError("Scores must lie in [0, 1]; these look like logits.")
    if method not in THRESHOLD_METHODS:
        raise SettingError(f"There is no threshold method '{method}'.", hint=f"Known: {', '.join(THRESHOLD_METHODS)}.")
    if not shrink >= 0.0:
        raise SettingError(f"shrink must be at least 0, not {shrink}.")
    fitted = THRESHOLD_METHODS[method](values, gold, shrink, np.random.default_rng(seed))
    return tuple(float(t) for t in np.clip(fitted, 0.0, 1.0).astype(np.float32))


def best_cuts(scores: Float, positives: Float, weights: Float | None = None) -> tuple[Float, Float]:
    """The thresholds of highest F1, exactly, over all cuts between distinct scores.

    Args:
        scores: (texts, labels).
        positives: (texts, labels) in [0, 1]: gold labels, or probabilities that count as fractions of a positive.
        weights: (resamples, texts) weights of the texts; one resample of weight 1 if left out.

    Returns:
        (resamples, labels) thresholds, each half way between two scores, and their F1; NaN and 0 for a label without a
        positive. Without ``weights``, (labels,) each.
    """
    order = np.argsort(-scores, axis=0, kind="stable")
    ranked = np.take_along_axis(scores, order, axis=0)
    gain = np.take_along_axis(positives, order, axis=0)
    following = np.vstack([ranked[1:], np.full((1, scores.shape[1]), -np.inf)])
    cuttable = ranked > following
    low = np.where(np.isneginf(following), ranked, following)
    limits = 0.5 * (ranked + low)
    rows = np.ones((1, len(scores))) if weights is None else weights
    thresholds, f1 = np.empty((len(rows), scores.shape[1])), np.empty((len(rows), scores.shape[1]))
    for index, row in enumerate(rows):
        weight = row[order]
        hits = np.cumsum(weight * gain, axis=0)
        curve = np.where(cuttable, 2.0 * hits / np.maximum(np.cumsum(weight, axis=0) + hits[-1], 1e-12), -1.0)
        best = curve.argmax(axis=0)[None]
        f1[index] = np.take_along_axis(curve, best, axis=0)[0]
        thresholds[index] = np.where(hits[-1] > 0, np.take_along_axis(limits, best, axis=0)[0], np.nan)
    return (thresholds[0], f1[0]) if weights is None else (thresholds, f1)


def _fixed(scores: Float, truth: Bool, shrink: float, rng: np.random.Generator) -> Float:
    """0.5 for every label."""
    return np.full(truth.shape[1], 0.5)


def _shared(scores: Float, truth: Bool, shrink: float, rng: np.random.Generator) -> Float:
    """The one threshold, of a grid of 99, whose macro-F1 is highest."""
    hits = np.empty((len(_GRID), truth.shape[1]))
    decided = np.empty_like(hits)
    for row, limit in enumerate(_GRID):
        above = scores >= limit
        hits[row], decided[row] = (above & truth).sum(axis=0), above.sum(axis=0)
    f1 = 2.0 * hits / np.maximum(decided + truth.sum(axis=0), 1.0)
    return np.full(truth.shape[1], _GRID[f1.mean(axis=1).argmax()])


def _per_label(scores: Float, truth: Bool, shrink: float, rng: np.random.Generator) -> Float:
    """Each label's best threshold; the shared one for a label without a positive."""
    return _filled(best_cuts(scores, truth.astype(np.float64))[0], scores, truth, rng)


def _shrunk(scores: Float, truth: Bool, shrink: float, rng: np.random.Generator) -> Float:
    """Each label's best threshold drawn towards the shared one, in logits, the more the fewer its positives."""
    common = _logit(_shared(scores, truth, shrink, rng))
    own = _logit(_per_label(scores, truth, shrink, rng))
    trust = _trust(truth, shrink)
    return _sigmoid(trust * own + (1.0 - trust) * common)


def _plug_in(scores: Float, truth: Bool, shrink: float, rng: np.random.Generator) -> Float:
    """The thresholds of highest expected F1 if the scores are probabilities: F*/2 (Lipton et al. 2014).

    The gold labels have no say beyond the calibration, so few positives cannot mislead it and a wrong calibration can.
    """
    return 0.5 * best_cuts(scores, scores)[1]


def _blended(scores: Float, truth: Bool, shrink: float, rng: np.random.Generator) -> Float:
    """Best cuts for gold labels mixed with the scores themselves: per label at many positives, plug-in at few."""
    trust = _trust(truth, shrink)
    return _filled(best_cuts(scores, trust * truth + (1.0 - trust) * scores)[0], scores, truth, rng)


def _bagged(scores: Float, truth: Bool, shrink: float, rng: np.random.Generator) -> Float:
    """The mean, in logits, of each label's best thresholds over bootstrap resamples of the texts."""
    texts = len(scores)
    weights = rng.multinomial(texts, np.full(texts, 1.0 / texts), size=BAGS).astype(np.float64)
    cuts = best_cuts(scores, truth.astype(np.float64), weights)[0]
    seen = ~np.isnan(cuts)
    total = np.where(seen, _logit(np.where(seen, cuts, 0.5)), 0.0).sum(axis=0)
    mean = _sigmoid(total / np.maximum(seen.sum(axis=0), 1))
    return _filled(np.where(seen.any(axis=0), mean, np.nan), scores, truth, rng)


ThresholdMethod = Callable[[Float, Bool, float, np.random.Generator], Float]

THRESHOLD_METHODS: Mapping[str, ThresholdMethod] = MappingProxyType(
    {
        "fixed": _fixed,
        "shared": _shared,
        "per_label": _per_label,
        "shrunk": _shrunk,
        "plug_in": _plug_in,
        "blended": _blended,
        "bagged": _bagged,
    }
)
"""Name -> (scores, truth, shrink, generator) to thresholds (labels,)."""


def _trust(truth: Bool, shrink: float) -> Float:
    positives = truth.sum(axis=0)
    return positives / np.maximum(positives + shrink, 1e-12)


def _filled(thresholds: Float, scores: Float, truth: Bool, rng: np.random.Generator) -> Float:
    empty = np.isnan(thresholds)
    return np.where(empty, _shared(scores, truth, 0.0, rng), thresholds) if empty.any() else thresholds


def _logit(values: Float) -> Float:
    clipped = np.clip(values, 1e-6, 1.0 - 1e-6)
    return np.log(clipped) - np.log1p(-clipped)


def _sigmoid(values: Float) -> Float:
    return 0.5 * np.tanh(0.5 * values) + 0.5
