"""From logits to calibrated scores to decisions; numpy only, and the same arithmetic for every caller."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from affekt.errors import SettingError

FloatArray = npt.NDArray[np.float32]
EmptyPolicy = Literal["empty", "best", "neutral"]


def sigmoid(logits: npt.ArrayLike) -> FloatArray:
    """The logistic function, without overflow: any shape in, float32 of that shape out."""
    half = np.asarray(logits, dtype=np.float32) * np.float32(0.5)
    scores: FloatArray = np.tanh(half) * np.float32(0.5) + np.float32(0.5)
    return scores


def logit(scores: npt.ArrayLike, epsilon: float = 1e-6) -> FloatArray:
    """Inverse of :func:`sigmoid`, with scores kept ``epsilon`` away from 0 and 1."""
    clipped = np.clip(np.asarray(scores, dtype=np.float32), epsilon, 1.0 - epsilon)
    return np.log(clipped) - np.log1p(-clipped)


@dataclass(frozen=True)
class Calibration:
    """Per-label Platt scaling: score = sigmoid(slope * logit + intercept) (Platt 1999; Guo et al. 2017).

    A temperature T is the special case slope = 1/T, intercept = 0 for every label.

    Attributes:
        slope: one per label.
        intercept: one per label, in logits.
    """

    slope: tuple[float, ...]
    intercept: tuple[float, ...]

    @classmethod
    def identity(cls, labels: int) -> "Calibration":
        """The calibration that changes nothing."""
        return cls((1.0,) * labels, (0.0,) * labels)

    def apply(self, logits: npt.ArrayLike) -> FloatArray:
        """Calibrated scores, (texts, labels) float32, from logits of the same shape."""
        slope = np.asarray(self.slope, dtype=np.float32)
        intercept = np.asarray(self.intercept, dtype=np.float32)
        return sigmoid(np.asarray(logits, dtype=np.float32) * slope + intercept)


@dataclass(frozen=True)
class DecisionRule:
    """What turns a backend's logits into the answer for one label set.

    Attributes:
        calibration: applied to the logits of this label set.
        thresholds: one per label, compared with the calibrated score.
        empty: what a text gets for which no score reaches its threshold: nothing, the best label, or ``neutral``.
    """

    calibration: Calibration
    thresholds: tuple[float, ...]
    empty: EmptyPolicy = "empty"

    @classmethod
    def default(cls, labels: int, threshold: float = 0.5) -> "DecisionRule":
        """No calibration and one threshold for all labels."""
        return cls(Calibration.identity(labels), (threshold,) * labels)

    def decide(self, logits: npt.ArrayLike, neutral: int | None = None) -> npt.NDArray[np.bool_]:
        """Decisions, (texts, labels) bool, from logits of the same shape; ``neutral`` as in :func:`decide`."""
        return decide(self.calibration.apply(logits), self.thresholds, self.empty, neutral)


def decide(
    scores: npt.ArrayLike, thresholds: Sequence[float], empty: EmptyPolicy = "empty", neutral: int | None = None
) -> npt.NDArray[np.bool_]:
    """Decisions, (texts, labels) bool: score >= threshold, and the policy where nothing passes.

    "Best" is the score that comes nearest to its own threshold, by ratio. The policy ``neutral`` falls back to "best"
    for label sets without a neutral label.

    Args:
        scores: (texts, labels) calibrated scores.
        thresholds: (labels,).
        empty: policy for texts where nothing passes.
        neutral: column of the neutral label, if there is one.

    Raises:
        SettingError: if there is not one threshold per label.
    """
    values = np.asarray(scores, dtype=np.float32)
    limits = np.asarray(thresholds, dtype=np.float32)
    if values.ndim != 2 or limits.shape != values.shape[1:]:
        raise SettingError(f"Scores of shape {values.shape} need one threshold per label, not {limits.size}.")
    decided: npt.NDArray[np.bool_] = values >= limits
    nothing = ~decided.any(axis=1)
    if empty == "empty" or not nothing.any():
        return decided
    if empty == "neutral" and neutral is not None:
        decided[nothing, neutral] = True
        return decided
    nearest = (values[nothing] / np.maximum(limits, 1e-6)).argmax(axis=1)
    decided[np.flatnonzero(nothing), nearest] = True
    return decided
