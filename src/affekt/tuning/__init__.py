"""Fitting calibration and thresholds, and the cross-fitted figures that say what they are worth."""

from affekt.tuning.calibration import CALIBRATION_METHODS, fit_calibration
from affekt.tuning.rules import (
    CrossFitted,
    cross_fitted_decisions,
    cross_fitted_macro_f1,
    fit_rule,
    fit_taxonomy_rules,
)
from affekt.tuning.thresholds import THRESHOLD_METHODS, fit_thresholds

__all__ = [
    "CALIBRATION_METHODS",
    "THRESHOLD_METHODS",
    "CrossFitted",
    "cross_fitted_decisions",
    "cross_fitted_macro_f1",
    "fit_calibration",
    "fit_rule",
    "fit_taxonomy_rules",
    "fit_thresholds",
]
