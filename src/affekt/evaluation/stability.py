"""How firmly the texts hold the thresholds: the best cut of each label over bootstrap resamples."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from affekt.errors import SettingError
from affekt.tuning.arrays import Float, as_scores, as_truth
from affekt.tuning.thresholds import best_cuts

TAILS = (0.05, 0.95)


class Stability(NamedTuple):
    """Where each label's best threshold falls when the texts are drawn again; every array is (labels,).

    Attributes:
        best: the threshold of highest F1 on the texts themselves; NaN for a label without a positive.
        low: 5 % of the resamples have a best threshold below this.
        high: 5 % have one above this.
        f1: F1 at the best threshold, on the texts themselves (it flatters).
    """

    best: Float
    low: Float
    high: Float
    f1: Float


def threshold_stability(
    scores: npt.ArrayLike, truth: npt.ArrayLike, *, resamples: int = 100, seed: int = 0
) -> Stability:
    """The spread of each label's best threshold over resamples of the texts.

    Args:
        scores: (texts, labels) calibrated scores.
        truth: (texts, labels) of 0/1.
        resamples: how many.
        seed: which.

    Raises:
        DataError: if the arrays do not match or are not finite.
        SettingError: if ``resamples`` is not positive.
    """
    if resamples < 1:
        raise SettingError(f"resamples must be at least 1, not {resamples}.")
    values = as_scores(scores)
    gold = as_truth(truth, values.shape)
    positives = gold.astype(np.float64)
    rng = np.random.default_rng(seed)
    weights = np.stack(
        [np.bincount(rng.integers(0, len(gold), len(gold)), minlength=len(gold)) for _ in range(resamples)]
    )
    drawn, _ = best_cuts(values, positives, weights.astype(np.float64))
    best, f1 = best_cuts(values, positives)
    missing = np.isnan(drawn).all(axis=0)
    low, high = np.nanquantile(np.where(missing, 0.0, drawn), TAILS, axis=0)
    return Stability(best, np.where(missing, np.nan, low), np.where(missing, np.nan, high), f1)
