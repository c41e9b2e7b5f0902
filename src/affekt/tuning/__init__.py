"""Fitting calibration and thresholds, and the cross-fitted figures that say what they are worth."""

from affekt.tuning.calibration import CALIBRATION_METHODS, fit_calibration
from affekt.tuning.methods import MethodResult, compare_methods
from affekt.tuning.rules import (
    CrossFitted,
    cross_fitted_decisions,
    cross_fitted_macro_f1,
    cross_fitted_methods,
    cross_fitted_scores,
    fit_rule,
    fit_taxonomy_rules,
    set_logits,
)
from affekt.tuning.thresholds import THRESHOLD_METHODS, bootstrap_thresholds, fit_thresholds

__all__ = [
    "CALIBRATION_METHODS",
    "THRESHOLD_METHODS",
    "CrossFitted",
    "MethodResult",
    "bootstrap_thresholds",
    "compare_methods",
    "cross_fitted_decisions",
    "cross_fitted_macro_f1",
    "cross_fitted_methods",
    "cross_fitted_scores",
    "fit_calibration",
    "fit_rule",
    "fit_taxonomy_rules",
    "fit_thresholds",
    "set_logits",
]
