"""Which decision method to use: every method cross-fitted on the same texts, and the choice itself cross-fitted too."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from affekt.errors import SettingError
from affekt.tuning.arrays import Bool, Float, as_scores, as_truth, macro_f1
from affekt.tuning.folds import stratified_folds
from affekt.tuning.rules import CrossFitted, cross_fitted_methods, fit_rule
from affekt.tuning.thresholds import THRESHOLD_METHODS

NESTED = "best by nested choice"
"""Name of the row for choosing the method itself on the other folds."""


class MethodResult(NamedTuple):
    """What one method is worth.

    Attributes:
        method: its name.
        cross_fitted: macro-F1 of decisions by rules that never saw the text, mean over partitions into folds.
        spread: standard deviation over the partitions.
        same_texts: macro-F1 on the very texts that the rule was fitted on, which flatters; NaN for the nested choice.
    """

    method: str
    cross_fitted: float
    spread: float
    same_texts: float

    @property
    def flattery(self) -> float:
        """How much better the figure on the fitted texts looks than it is."""
        return self.same_texts - self.cross_fitted


def compare_methods(
    logits: npt.ArrayLike,
    truth: npt.ArrayLike,
    methods: Sequence[str] = tuple(THRESHOLD_METHODS),
    *,
    folds: int = 5,
    repeats: int = 5,
    seed: int = 0,
    calibration: str = "platt",
) -> list[MethodResult]:
    """Compare threshold methods, best cross-fitted macro-F1 first, the nested choice last.

    Picking the best row of the table flatters a little as well. The nested choice does not: for each fold, the method
    is chosen by cross-fitting inside the other folds.

    Raises:
        DataError: if the arrays do not match or are not finite.
        SettingError: if a method is not known, or ``folds`` or ``repeats`` is out of range.
    """
    if repeats < 1:
        raise SettingError(f"repeats must be at least 1, not {repeats}.")
    values = as_scores(logits, "logits")
    gold = as_truth(truth, values.shape)
    runs = [
        cross_fitted_methods(values, gold, methods, folds=folds, seed=seed + repeat, calibration=calibration)
        for repeat in range(repeats)
    ]
    rows = []
    for method in methods:
        figure = CrossFitted(tuple(macro_f1(gold, run[method]) for run in runs))
        same = macro_f1(gold, fit_rule(values, gold, method=method, calibration=calibration).decide(values))
        rows.append(MethodResult(method, figure.mean, figure.spread, same))
    rows.sort(key=lambda row: -row.cross_fitted)
    nested = [_nested(values, gold, methods, folds, seed + repeat, calibration) for repeat in range(min(repeats, 3))]
    spread = float(np.std(nested, ddof=1)) if len(nested) > 1 else 0.0
    return [*rows, MethodResult(NESTED, float(np.mean(nested)), spread, float("nan"))]


def _nested(logits: Float, truth: Bool, methods: Sequence[str], folds: int, seed: int, calibration: str) -> float:
    fold = stratified_folds(truth, folds, seed)
    decisions = np.zeros(truth.shape, dtype=bool)
    for held in range(folds):
        out = fold == held
        known, gold = logits[~out], truth[~out]
        tried = cross_fitted_methods(known, gold, methods, folds=folds, seed=seed, calibration=calibration)
        best = max(methods, key=lambda method: macro_f1(gold, tried[method]))
        decisions[out] = fit_rule(known, gold, method=best, calibration=calibration).decide(logits[out])
    return macro_f1(truth, decisions)
