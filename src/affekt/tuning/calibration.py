"""Fitting calibration: logits to probabilities, per label, with rare labels held near what all labels share."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from affekt.decision import Calibration
from affekt.errors import SettingError
from affekt.tuning.arrays import Bool, Float, as_saved, as_scores, as_truth, expit

MIN_SLOPE = 1e-3
"""A slope never falls below this: a calibration may stretch scores, not turn their order round."""

SLOPE_SPREAD = 0.25
"""How far (one standard deviation, relative to the shared slope) labels' slopes are expected to differ."""

INTERCEPT_SPREAD = 0.5
"""The same for intercepts, in logits."""

_RIDGE, _HELD = 1e-3, 1e12
_STEPS, _HALVINGS, _ROUNDING = 50, 20, 1e-12


def fit_calibration(logits: npt.ArrayLike, truth: npt.ArrayLike, method: str = "platt") -> Calibration:
    """Fit what makes scores mean what they say.

    Losses that reweight examples (focal, asymmetric, positive weights) leave logits whose sigmoid is no probability:
    focal loss with alpha 0.25 reaches 0.5 only where the true probability is 0.75. The distortion is monotone and close
    to affine in the logit over the range where decisions fall, so a slope and an intercept per label undo it (Platt
    1999), and nothing needs to know which loss it was.

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
    return Calibration(as_saved(slope), as_saved(intercept))


@dataclass(frozen=True)
class _Prior:
    """A Gaussian prior for (slope, intercept) of every label; each array is (2, labels)."""

    centre: Float
    precision: Float

    @classmethod
    def flat(cls, slope: float = _RIDGE, intercept: float = _RIDGE) -> "_Prior":
        """Around "change nothing", for one label, so weak that it matters only where texts say nothing."""
        return cls(np.array([[1.0], [0.0]]), np.array([[slope], [intercept]]))


def _none(logits: Float, _truth: Bool) -> Float:
    """Change nothing."""
    return np.repeat(_Prior.flat().centre, logits.shape[1], axis=1)


def _temperature(logits: Float, truth: Bool) -> Float:
    """One slope for all labels and no intercept (Guo et al. 2017)."""
    slope = _fit(logits.reshape(-1, 1), truth.reshape(-1, 1), _Prior.flat(intercept=_HELD))[0]
    return np.vstack([np.repeat(slope, logits.shape[1]), np.zeros(logits.shape[1])])


def _shared(logits: Float, truth: Bool) -> Float:
    """One slope and one intercept for all labels."""
    return np.repeat(_fit(logits.reshape(-1, 1), truth.reshape(-1, 1), _Prior.flat()), logits.shape[1], axis=1)


def _platt(logits: Float, truth: Bool) -> Float:
    """A slope and an intercept per label, drawn towards the shared ones.

    The prior weighs as much as a handful of positives, so that a common label is fitted by its own texts and a rare one
    leans on the others.
    """
    centre = _shared(logits, truth)
    spread = np.vstack([SLOPE_SPREAD * centre[0], np.full(logits.shape[1], INTERCEPT_SPREAD)])
    return _fit(logits, truth, _Prior(centre, spread**-2))


CALIBRATION_METHODS: Mapping[str, Callable[[Float, Bool], Float]] = MappingProxyType(
    {"none": _none, "temperature": _temperature, "shared": _shared, "platt": _platt}
)
"""Name -> fit of (2, labels): slopes and intercepts."""


def _fit(logits: Float, truth: Bool, prior: _Prior) -> Float:
    """Minimise log loss + precision/2 (parameter - centre)^2 for every label at once: Newton steps, halved if need be.

    Returns:
        (2, labels): slopes, at least :data:`MIN_SLOPE`, and intercepts.
    """
    at = prior.centre.copy()
    loss = _loss(logits, truth, prior, at)
    for _ in range(_STEPS):
        step = _newton_step(logits, truth, prior, at)
        for _ in range(_HALVINGS):
            trial = at - step
            trial[0] = np.maximum(trial[0], MIN_SLOPE)
            trial_loss = _loss(logits, truth, prior, trial)
            worse = trial_loss > loss + _ROUNDING * (1.0 + loss)
            if not worse.any():
                break
            step[:, worse] *= 0.5
        trial[:, worse], trial_loss[worse] = at[:, worse], loss[worse]
        moved = np.abs(trial - at).max()
        at, loss = trial, trial_loss
        if moved < 1e-6:
            break
    return at


def _loss(logits: Float, truth: Bool, prior: _Prior, at: Float) -> Float:
    values = logits * at[0] + at[1]
    log_loss = np.log1p(np.exp(-np.abs(values))) + np.maximum(values, 0.0) - truth * values
    penalty = 0.5 * prior.precision * (at - prior.centre) ** 2
    total: Float = log_loss.sum(axis=0) + penalty.sum(axis=0)
    return total


def _newton_step(logits: Float, truth: Bool, prior: _Prior, at: Float) -> Float:
    """Inverse Hessian times gradient, (2, labels); along the intercept alone where the slope is held at its floor."""
    scores = expit(logits * at[0] + at[1])
    error, curve = scores - truth, scores * (1.0 - scores)
    slope, intercept = np.stack([(error * logits).sum(axis=0), error.sum(axis=0)]) + prior.precision * (
        at - prior.centre
    )
    weighted = curve * logits
    h_slope = (weighted * logits).sum(axis=0) + prior.precision[0]
    h_intercept = curve.sum(axis=0) + prior.precision[1]
    h_both = weighted.sum(axis=0)
    below = np.maximum(h_slope * h_intercept - h_both**2, 1e-12)
    step = np.stack([h_intercept * slope - h_both * intercept, h_slope * intercept - h_both * slope]) / below
    floored = (at[0] <= MIN_SLOPE) & (step[0] > 0)
    along = np.stack([np.zeros_like(intercept), intercept / h_intercept])
    chosen: Float = np.where(floored, along, step)
    return chosen
