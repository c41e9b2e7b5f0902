"""Measuring a model: metrics, their intervals, comparisons, and what the labels themselves are worth.

Where to look:

- ``metrics``: the arithmetic; ``bootstrap`` and ``significance``: what of it may be chance.
- ``measure`` and ``results``: logits in every way of deciding; ``evaluate`` and ``provenance``: a model on a table.
- ``comparison`` and ``match``: two models on the same texts.
- ``breakdown`` and ``stability``: where decisions go wrong; ``noise`` and ``outoffold``: where labels do.
- ``predictions`` and ``drift``: two files of predictions.
- ``tables``: for the terminal; ``report/``: pages and pictures; ``behaviour/``: templates, fairness.
"""

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
