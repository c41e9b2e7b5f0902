"""Measuring logits against the truth in every way of deciding, so that each figure says what it was fitted on."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from affekt.decision import DecisionRule, sigmoid
from affekt.errors import SettingError
from affekt.evaluation import results
from affekt.evaluation.bootstrap import bootstrap_intervals
from affekt.evaluation.metrics import average_precision, expected_calibration_error, roc_auc
from affekt.evaluation.results import Evaluation, Fitted, Outcome
from affekt.tuning.arrays import Bool, Float, as_scores, as_truth, macro_f1
from affekt.tuning.rules import cross_fitted_methods, cross_fitted_scores, fit_rule

MIN_TEXTS = 50
"""Fewer texts than this are measured, but no thresholds are tuned on them."""


@dataclass(frozen=True)
class Resampling:
    """How figures are resampled.

    Attributes:
        resamples: bootstrap resamples behind each interval.
        folds: folds of the cross-fitting.
        repeats: partitions into folds.
        seed: of both.

    Raises:
        SettingError: if ``resamples`` or ``repeats`` is not positive.
    """

    resamples: int = 1000
    folds: int = 5
    repeats: int = 5
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse numbers out of range (the number of folds is checked against the texts)."""
        for name in ("resamples", "repeats"):
            if getattr(self, name) < 1:
                raise SettingError(f"{name} must be at least 1, not {getattr(self, name)}.")


@dataclass(frozen=True)
class Naming:
    """What an evaluation calls its parts."""

    model: str = "model"
    data: str = "data"
    label_set: str = "custom"


def measure(
    logits: npt.ArrayLike,
    truth: npt.ArrayLike,
    labels: Sequence[str],
    *,
    rule: DecisionRule | None = None,
    rule_saw_texts: bool = False,
    naming: Naming = Naming(),
    resampling: Resampling = Resampling(),
    notes: Sequence[str] = (),
) -> Evaluation:
    """Measure logits against the truth in every way of deciding.

    At 0.5 on the raw scores; at one threshold and at per-label thresholds, each fitted on these very texts (which
    flatters, and is marked so) and cross-fitted; and by the model's saved rule. The headline is the saved rule where it
    did not see these texts, else per-label thresholds cross-fitted.

    Args:
        logits: (texts, labels) of the label set to be measured.
        truth: (texts, labels) of 0/1.
        labels: names of the columns.
        rule: the model's saved rule for this label set.
        rule_saw_texts: whether that rule was fitted on these texts.
        naming: names shown.
        resampling: how many resamples, folds and repeats.
        notes: sentences to keep with the result.

    Raises:
        DataError: if the arrays do not match or are not finite.
        SettingError: if a number of ``resampling`` is out of range.
    """
    values = as_scores(logits, "logits")
    gold = as_truth(truth, values.shape)
    saved = None if rule is None else _saved(rule, rule_saw_texts, values, gold, labels, resampling)
    tuned = list(_tuned(values, gold, resampling)) if len(gold) >= MIN_TEXTS else []
    outcomes = [_at_half(values, gold, resampling), *tuned, *([saved] if saved else [])]
    scores = _scores(values, gold, None if rule_saw_texts else rule, resampling)
    return Evaluation(
        model=naming.model,
        data=naming.data,
        label_set=naming.label_set,
        labels=tuple(labels),
        truth=gold,
        logits=values,
        scores=scores,
        outcomes={outcome.name: outcome for outcome in outcomes},
        headline=_headline(outcomes),
        average_precision=average_precision(gold, values),
        roc_auc=roc_auc(gold, values),
        ece_raw=expected_calibration_error(gold, sigmoid(values)),
        ece=expected_calibration_error(gold, scores),
        resamples=resampling.resamples,
        notes=(*notes, *_notes(gold, labels, tuned=bool(tuned))),
    )


def _outcome(name: str, title: str, fitted: Fitted, decisions: Bool, truth: Bool, how: Resampling) -> Outcome:
    intervals = bootstrap_intervals(truth, decisions, resamples=how.resamples, seed=how.seed)
    return Outcome(name, title, fitted, decisions, intervals)


def _at_half(logits: Float, truth: Bool, how: Resampling) -> Outcome:
    rule = DecisionRule.default(truth.shape[1])
    found = _outcome(results.AT_HALF, "0.5", "nothing", rule.decide(logits), truth, how)
    return found.with_rule(rule)


def _tuned(logits: Float, truth: Bool, how: Resampling) -> Iterator[Outcome]:
    """One tuned threshold and per-label thresholds, each fitted on these texts and cross-fitted."""
    methods = ("shared", "default")
    seeds = range(how.seed, how.seed + how.repeats)
    runs = [cross_fitted_methods(logits, truth, methods, folds=how.folds, seed=seed) for seed in seeds]
    for name, crossed, title, method in (
        (results.SHARED, results.SHARED_CROSS, "shared", methods[0]),
        (results.TUNED, results.TUNED_CROSS, "per label", methods[1]),
    ):
        rule = fit_rule(logits, truth, method=method, seed=how.seed)
        yield _outcome(name, title, "these texts", rule.decide(logits), truth, how).with_rule(rule)
        figures = [macro_f1(truth, run[method]) for run in runs]
        median = runs[int(np.argsort(figures, kind="stable")[(len(runs) - 1) // 2])][method]
        yield _outcome(crossed, title, "other folds", median, truth, how).with_partitions(figures)


def _saved(
    rule: DecisionRule, saw_texts: bool, logits: Float, truth: Bool, labels: Sequence[str], how: Resampling
) -> Outcome:
    neutral = list(labels).index("neutral") if "neutral" in labels else None
    fitted: Fitted = "these texts" if saw_texts else "other texts"
    decisions = rule.decide(logits, neutral)
    return _outcome(results.SAVED, "saved", fitted, decisions, truth, how).with_rule(rule)


def _scores(logits: Float, truth: Bool, rule: DecisionRule | None, how: Resampling) -> npt.NDArray[np.float32]:
    """Calibrated by a rule that did not see these texts, else cross-fitted, else raw where texts are too few."""
    if rule is not None:
        return rule.calibration.apply(logits)
    if len(truth) < MIN_TEXTS:
        return sigmoid(logits)
    return cross_fitted_scores(logits, truth, folds=how.folds, seed=how.seed)


def _headline(outcomes: Sequence[Outcome]) -> str:
    honest = {outcome.name for outcome in outcomes if outcome.honest}
    return next(name for name in (results.SAVED, results.TUNED_CROSS, results.AT_HALF) if name in honest)


def _notes(truth: Bool, labels: Sequence[str], *, tuned: bool) -> Iterator[str]:
    unseen = [label for column, label in enumerate(labels) if not truth[:, column].any()]
    if unseen:
        yield f"No text has {', '.join(unseen)}: each counts as F1 0, and is left out of mean AP and AUC."
    if not tuned:
        yield f"Thresholds are not tuned on fewer than {MIN_TEXTS} texts."
