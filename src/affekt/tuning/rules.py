"""Fitting whole decision rules, and the honest figure: every text decided by a rule that never saw it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from affekt.decision import DecisionRule, EmptyPolicy, decide, logit
from affekt.model_folder import RuleRecord
from affekt.taxonomy import taxonomies_for
from affekt.tuning.calibration import fit_calibration
from affekt.tuning.arrays import Bool, as_scores, as_truth, macro_f1
from affekt.tuning.folds import stratified_folds
from affekt.tuning.thresholds import SHRINK, fit_thresholds

DEFAULT = "shrunk"
"""The threshold method that gave the best cross-fitted macro-F1 (docs/evaluation.md)."""


def fit_rule(
    logits: npt.ArrayLike,
    truth: npt.ArrayLike,
    *,
    method: str = DEFAULT,
    calibration: str = "platt",
    shrink: float = SHRINK,
    empty: EmptyPolicy = "empty",
    seed: int = 0,
) -> DecisionRule:
    """Calibration and thresholds for macro-F1, fitted on texts that the model did not learn from.

    Args:
        logits: (texts, labels).
        truth: (texts, labels) of 0/1.
        method: one of :data:`~affekt.tuning.thresholds.THRESHOLD_METHODS`, or ``default``.
        calibration: one of :data:`~affekt.tuning.calibration.CALIBRATION_METHODS`.
        shrink: positives at which a label's own evidence weighs as much as the common value.
        empty: what a text gets for which nothing passes.
        seed: for methods that resample.

    Raises:
        DataError: if the arrays do not match or are not finite.
        SettingError: if a method is not known.
    """
    fitted = fit_calibration(logits, truth, calibration)
    name = DEFAULT if method == "default" else method
    thresholds = fit_thresholds(fitted.apply(logits), truth, name, shrink=shrink, seed=seed)
    return DecisionRule(fitted, thresholds, empty)


def cross_fitted_decisions(
    logits: npt.ArrayLike,
    truth: npt.ArrayLike,
    *,
    folds: int = 5,
    seed: int = 0,
    method: str = "default",
    calibration: str = "platt",
    shrink: float = SHRINK,
    empty: EmptyPolicy = "empty",
    neutral: int | None = None,
) -> Bool:
    """Decisions of each text by a rule fitted on the other folds: (texts, labels) bool.

    Arguments as for :func:`fit_rule`; ``folds`` are stratified over labels, and ``seed`` says which folds.
    """
    values = as_scores(logits, "logits")
    gold = as_truth(truth, values.shape)
    fold = stratified_folds(gold, folds, seed)
    decisions = np.zeros(gold.shape, dtype=bool)
    for held in range(folds):
        out = fold == held
        rule = fit_rule(
            values[~out], gold[~out], method=method, calibration=calibration, shrink=shrink, empty=empty, seed=seed
        )
        decisions[out] = decide(rule.calibration.apply(values[out]), rule.thresholds, rule.empty, neutral)
    return decisions


@dataclass(frozen=True)
class CrossFitted:
    """A cross-fitted figure over several partitions into folds.

    Attributes:
        values: one per partition.
    """

    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        """The headline."""
        return float(np.mean(self.values))

    @property
    def spread(self) -> float:
        """Standard deviation over partitions: what the choice of folds alone does, not the sampling error of the texts."""
        return float(np.std(self.values, ddof=1)) if len(self.values) > 1 else 0.0


def cross_fitted_macro_f1(
    logits: npt.ArrayLike,
    truth: npt.ArrayLike,
    *,
    folds: int = 5,
    repeats: int = 5,
    seed: int = 0,
    method: str = "default",
    calibration: str = "platt",
    shrink: float = SHRINK,
) -> CrossFitted:
    """Macro-F1 of cross-fitted decisions, over ``repeats`` partitions into folds (seeds ``seed``, ``seed + 1``, ...)."""
    return CrossFitted(
        tuple(
            macro_f1(
                truth,
                cross_fitted_decisions(
                    logits, truth, folds=folds, seed=seed + r, method=method, calibration=calibration, shrink=shrink
                ),
            )
            for r in range(repeats)
        )
    )


def fit_taxonomy_rules(
    logits: npt.ArrayLike,
    truth: npt.ArrayLike,
    labels: Sequence[str],
    *,
    method: str = "default",
    empty: EmptyPolicy = "empty",
    fitted_on: str = "",
) -> dict[str, RuleRecord]:
    """A rule for every known label set that can be formed from ``labels``, each tuned for its own macro-F1.

    The logits of a derived set are ``logit(taxonomy.combine(calibrated scores))``; its rule applies to these.

    Args:
        logits: (texts, labels) of the model's own labels.
        truth: (texts, labels) of 0/1.
        labels: names of the columns.
        method: as for :func:`fit_rule`.
        empty: saved with every rule.
        fitted_on: what the rules were fitted on, for people to read.
    """
    names, gold = tuple(labels), as_truth(truth)
    scores = fit_calibration(logits, gold).apply(logits)
    records = {}
    for name, taxonomy in taxonomies_for(names).items():
        own = taxonomy.labels == names
        set_logits = logits if own else logit(taxonomy.combine(scores, names))
        set_truth = gold if own else taxonomy.combine_truth(gold, names)
        rule = fit_rule(set_logits, set_truth, method=method, empty=empty)
        records[name] = RuleRecord.of(taxonomy.labels, rule, fitted_on)
    return records
