"""Measuring a model: metrics, their intervals, comparisons, and what the labels themselves are worth."""

from affekt.evaluation.bootstrap import Interval, bootstrap_intervals
from affekt.evaluation.comparison import Comparison, compare
from affekt.evaluation.evaluate import evaluate
from affekt.evaluation.match import Match, compare_models
from affekt.evaluation.measure import Resampling, measure
from affekt.evaluation.results import Evaluation, Outcome

__all__ = [
    "Comparison",
    "Evaluation",
    "Interval",
    "Match",
    "Outcome",
    "Resampling",
    "bootstrap_intervals",
    "compare",
    "compare_models",
    "evaluate",
    "measure",
]
