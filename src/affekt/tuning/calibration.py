"""Fitting calibration: logits to probabilities, per label, with rare labels held near what all labels share."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from affekt.decision import Calibration
from affekt.errors import SettingError
from affekt.tuning.counts import Bool, Float, as_scores, as_truth

MIN_SLOPE = 0.05
"""A slope never falls below this: a calibration may stretch scores, not turn their order round."""

SLOPE_SPREAD = 0.25
"""How far (one standard deviation, relative to the shared slope) labels' slopes are expected to differ."""

INTERCEPT_SPREAD = 0.5
"""The same for intercepts, in logits."""

_STEPS = 30
_RIDGE = 1e-3


def fit_calibration(logits: npt.ArrayLike, truth: npt.ArrayLike, method: str = "platt") -> Calibration:
    """Fit what makes scores mean what they say.

    Losses that reweight examples (focal, asymmetric, positive weights) leave logits whose sigmoid is no probability: focal loss
    with alpha 0.25 reaches 0.5 only where the true probability is 0.75. The distortion is monotone and close to affine in the logit over
    the range where decisions fall, so a slope and an intercept per label undo it (Platt 1999); nothing needs to know
    which loss it was.

    Args:
        logits: (texts, labels) finite numbers, of texts that the model did not learn from.
        truth: (texts, labels) of 0/1.
        method: one of :data:`CALIBRATION_METHODS`.

    Raises:
        DataError: if the arrays do not match or are not finite.
        SettingError: if there is no such method.
    """
    values = as_scores(logits, "logits")
    gold = as_truth(truth, values.shape)
    if method not in CALIBRATION_METHODS:
        raise SettingError(f"There is no calibration '{method}'.", hint=f"Known: {', '.join(CALIBRATION_METHODS)}.")
    slope, intercept = CALIBRATION_METHODS[method](values, gold)
    return Calibration(tuple(_plain(slope)), tuple(_plain(intercept)))


def _none(logits: Float, truth: Bool) -> tuple[Float, Float]:
    labels = truth.shape[1]
    return np.ones(labels), np.zeros(labels)


def _temperature(logits: Float, truth: Bool) -> tuple[Float, Float]:
    """One slope for all labels and no intercept (Guo et al. 2017)."""
    pooled, gold = logits.reshape(-1, 1), truth.reshape(-1, 1)
    zero = np.zeros(1)
    slope, _ = _newton(pooled, gold, (np.ones(1), zero), (np.full(1, _RIDGE), np.full(1, np.inf)))
    return np.repeat(slope, truth.shape[1]), np.zeros(truth.shape[1])


def _shared(logits: Float, truth: Bool) -> tuple[Float, Float]:
    """One slope and one intercept for all labels."""
    pooled, gold = logits.reshape(-1, 1), truth.reshape(-1, 1)
    slope, intercept = _newton(pooled, gold, (np.ones(1), np.zeros(1)), (np.full(1, _RIDGE), np.full(1, _RIDGE)))
    return np.repeat(slope, truth.shape[1]), np.repeat(intercept, truth.shape[1])


def _platt(logits: Float, truth: Bool) -> tuple[Float, Float]:
    """A slope and an intercept per label, with a Gaussian prior around the shared ones.

    The prior weighs as much as a handful of positives, so that a common label is fitted by its own texts and a rare one
    leans on the others.
    """
    centre = _shared(logits, truth)
    slope_precision = 1.0 / (SLOPE_SPREAD * np.maximum(centre[0], MIN_SLOPE)) ** 2
    intercept_precision = np.full(truth.shape[1], 1.0 / INTERCEPT_SPREAD**2)
    return _newton(logits, truth, centre, (slope_precision, intercept_precision))


CALIBRATION_METHODS: Mapping[str, Callable[[Float, Bool], tuple[Float, Float]]] = MappingProxyType(
    {"none": _none, "temperature": _temperature, "shared": _shared, "platt": _platt}
)
"""Name -> fit of (slope, intercept), each (labels,)."""


def _newton(
    logits: Float, truth: Bool, centre: tuple[Float, Float], precision: tuple[Float, Float]
) -> tuple[Float, Float]:
    """Minimise log loss + precision/2 * (parameter - centre)^2 for every label at once, by damped Newton steps.

    An infinite precision holds a parameter at its centre. The loss is convex, so a halved step is all the safety needed.
    """
    slope, intercept = centre[0].copy(), centre[1].copy()
    loss = _loss(logits, truth, (slope, intercept), centre, precision)
    for _ in range(_STEPS):
        step_slope, step_intercept = _direction(logits, truth, (slope, intercept), centre, precision)
        size = np.ones_like(slope)
        for _ in range(20):
            trial = np.maximum(slope - size * step_slope, MIN_SLOPE), intercept - size * step_intercept
            trial_loss = _loss(logits, truth, trial, centre, precision)
            worse = trial_loss > loss + 1e-9 * np.abs(loss)
            if not worse.any():
                break
            size[worse] *= 0.5
        else:
            trial = np.where(worse, slope, trial[0]), np.where(worse, intercept, trial[1])
            trial_loss = np.where(worse, loss, trial_loss)
        moved = max(np.abs(trial[0] - slope).max(), np.abs(trial[1] - intercept).max())
        (slope, intercept), loss = trial, trial_loss
        if moved < 1e-6:
            break
    return slope, intercept


def _direction(
    logits: Float, truth: Bool, at: tuple[Float, Float], centre: tuple[Float, Float], precision: tuple[Float, Float]
) -> tuple[Float, Float]:
    scores = 0.5 * np.tanh(0.5 * (logits * at[0] + at[1])) + 0.5
    error, curve = scores - truth, scores * (1.0 - scores)
    held = np.isinf(precision[1])
    free_precision = np.where(held, 0.0, precision[1])
    g_slope = (error * logits).sum(axis=0) + precision[0] * (at[0] - centre[0])
    g_intercept = error.sum(axis=0) + free_precision * (at[1] - centre[1])
    weighted = curve * logits
    h_slope = (weighted * logits).sum(axis=0) + precision[0]
    h_both = np.where(held, 0.0, weighted.sum(axis=0))
    h_intercept = np.where(held, 1.0, curve.sum(axis=0) + free_precision)
    g_intercept = np.where(held, 0.0, g_intercept)
    below = h_slope * h_intercept - h_both**2
    at_floor = (at[0] <= MIN_SLOPE) & (h_intercept * g_slope - h_both * g_intercept > 0)
    return (
        np.where(at_floor, 0.0, (h_intercept * g_slope - h_both * g_intercept) / below),
        np.where(at_floor, g_intercept / h_intercept, (h_slope * g_intercept - h_both * g_slope) / below),
    )


def _loss(
    logits: Float, truth: Bool, at: tuple[Float, Float], centre: tuple[Float, Float], precision: tuple[Float, Float]
) -> Float:
    values = logits * at[0] + at[1]
    nll: Float = (np.logaddexp(0.0, values) - truth * values).sum(axis=0)
    for parameter, middle, weight in zip(at, centre, precision, strict=True):
        nll = nll + np.where(np.isinf(weight), 0.0, 0.5 * np.where(np.isinf(weight), 0.0, weight) * (parameter - middle) ** 2)
    return nll


def _plain(values: Float) -> list[float]:
    """Numbers that float32 holds exactly, so that a saved rule and a fresh one decide alike."""
    return [float(v) for v in values.astype(np.float32)]
