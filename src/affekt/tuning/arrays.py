"""What fitting and measuring stand on: checked arrays, counts of decisions against the truth, and the F1 they give."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from affekt.errors import DataError

Float = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]


class Counts(NamedTuple):
    """True positives, false positives and false negatives, each of shape (..., labels)."""

    tp: Float
    fp: Float
    fn: Float


def as_truth(truth: npt.ArrayLike, like: tuple[int, ...] | None = None) -> Bool:
    """Gold labels as bool, checked.

    Args:
        truth: (texts, labels) of 0/1, bool, or soft scores, which count as present from 0.5.
        like: the shape that it must have.

    Raises:
        DataError: if the shape is wrong, nothing is in it, or a label is unknown (NaN).
    """
    values = np.asarray(truth)
    if values.ndim != 2 or values.size == 0 or (like is not None and values.shape != like):
        wanted = "(texts, labels) with at least one of each" if like is None else f"{like}, as the scores have"
        raise DataError(f"The labels have shape {values.shape}; needed is {wanted}.")
    if values.dtype == np.bool_:
        return values
    numbers = values.astype(np.float64)
    if np.isnan(numbers).any():
        raise DataError(
            f"{int(np.isnan(numbers).any(axis=1).sum())} rows have unknown labels (NaN).",
            hint="Tune and measure on fully labelled rows.",
        )
    present: Bool = numbers >= 0.5
    return present


def as_scores(scores: npt.ArrayLike, what: str = "scores") -> Float:
    """Scores or logits as float64, checked to be a finite (texts, labels) array.

    Raises:
        DataError: if they are not.
    """
    values = np.asarray(scores, dtype=np.float64)
    if values.ndim != 2 or values.size == 0:
        raise DataError(f"The {what} have shape {values.shape}; needed is (texts, labels) with at least one of each.")
    if not np.isfinite(values).all():
        raise DataError(f"{int((~np.isfinite(values)).any(axis=1).sum())} rows of the {what} are not finite numbers.")
    return values


def count(truth: npt.ArrayLike, decisions: npt.ArrayLike) -> Counts:
    """Counts per label, from (texts, labels) truth and decisions."""
    gold = as_truth(truth)
    decided = as_truth(decisions, gold.shape)
    tp = (gold & decided).sum(axis=0).astype(np.float64)
    return Counts(tp, decided.sum(axis=0) - tp, gold.sum(axis=0) - tp)


def f1_of(counts: Counts) -> Float:
    """F1 = 2 tp / (2 tp + fp + fn), of any shape; 0 where a label is neither true nor decided."""
    below = np.asarray(2.0 * counts.tp + counts.fp + counts.fn, dtype=np.float64)
    return np.divide(2.0 * counts.tp, below, out=np.zeros_like(below), where=below > 0)


def macro_f1(truth: npt.ArrayLike, decisions: npt.ArrayLike) -> float:
    """Mean F1 over all labels, those without a positive included (scikit-learn's, with ``zero_division=0``)."""
    return float(f1_of(count(truth, decisions)).mean())


def expit(values: Float) -> Float:
    """The logistic function in float64, without overflow."""
    score: Float = 0.5 * np.tanh(0.5 * values) + 0.5
    return score


def log_odds(scores: Float) -> Float:
    """Inverse of :func:`expit`, with scores kept 1e-6 away from 0 and 1."""
    clipped = np.clip(scores, 1e-6, 1.0 - 1e-6)
    odds: Float = np.log(clipped) - np.log1p(-clipped)
    return odds


def as_saved(values: Float) -> tuple[float, ...]:
    """Numbers that float32 holds exactly, so that a saved rule and a fresh one decide alike."""
    return tuple(float(v) for v in values.astype(np.float32))
