"""Fitting whole decision rules, and the honest figure: every text decided by a rule that never saw it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from affekt.decision import Calibration, DecisionRule, EmptyPolicy, decide, logit
from affekt.errors import SettingError
from affekt.model_folder import RuleRecord
from affekt.taxonomy import Taxonomy, taxonomies_for
from affekt.tuning.arrays import Bool, Float, as_scores, as_truth, macro_f1
from affekt.tuning.calibration import fit_calibration
from affekt.tuning.folds import stratified_folds
from affekt.tuning.thresholds import SHRINK, fit_thresholds


def fit_rule(
    logits: npt.ArrayLike,
    truth: npt.ArrayLike,
    *,
    method: str = "default",
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
    thresholds = fit_thresholds(fitted.apply(logits), truth, method, shrink=shrink, seed=seed)
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

    Arguments as for :func:`fit_rule`; ``folds`` are stratified over labels, ``seed`` says which, and ``neutral`` is the
    column of the neutral label for the policy of that name.
    """
    found = cross_fitted_methods(
        logits, truth, (method,), folds=folds, seed=seed, calibration=calibration, shrink=shrink, empty=empty,
        neutral=neutral,
    )  # fmt: skip
    return found[method]


def cross_fitted_methods(
    logits: npt.ArrayLike,
    truth: npt.ArrayLike,
    methods: Sequence[str],
    *,
    folds: int = 5,
    seed: int = 0,
    calibration: str = "platt",
    shrink: float = SHRINK,
    empty: EmptyPolicy = "empty",
    neutral: int | None = None,
) -> dict[str, Bool]:
    """:func:`cross_fitted_decisions` of several threshold methods, on the same folds and calibrations."""
    values = as_scores(logits, "logits")
    gold = as_truth(truth, values.shape)
    fold = stratified_folds(gold, folds, seed)
    decisions = {method: np.zeros(gold.shape, dtype=bool) for method in methods}
    for held in range(folds):
        out = fold == held
        fitted = fit_calibration(values[~out], gold[~out], calibration)
        scores, unseen = fitted.apply(values[~out]), fitted.apply(values[out])
        for method in methods:
            thresholds = fit_thresholds(scores, gold[~out], method, shrink=shrink, seed=seed)
            decisions[method][out] = decide(unseen, thresholds, empty, neutral)
    return decisions


def cross_fitted_scores(
    logits: npt.ArrayLike, truth: npt.ArrayLike, *, folds: int = 5, seed: int = 0, calibration: str = "platt"
) -> npt.NDArray[np.float32]:
    """Calibrated scores of each text by a calibration fitted on the other folds: (texts, labels) float32."""
    values = as_scores(logits, "logits")
    gold = as_truth(truth, values.shape)
    fold = stratified_folds(gold, folds, seed)
    scores = np.zeros(gold.shape, dtype=np.float32)
    for held in range(folds):
        out = fold == held
        scores[out] = fit_calibration(values[~out], gold[~out], calibration).apply(values[out])
    return scores


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
        """Standard deviation over partitions: what the choice of folds does, not what other texts would do."""
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
    """Macro-F1 of cross-fitted decisions over ``repeats`` partitions into folds, seeded ``seed``, ``seed + 1``, ....

    The headline figure wherever the only labelled texts outside training are those that the rule is fitted on.

    Raises:
        DataError: if the arrays do not match or are not finite.
        SettingError: if a method is not known, or ``folds`` or ``repeats`` is out of range.
    """
    if repeats < 1:
        raise SettingError(f"repeats must be at least 1, not {repeats}.")
    options = {"method": method, "calibration": calibration}
    runs = (
        cross_fitted_decisions(logits, truth, folds=folds, seed=seed + r, shrink=shrink, **options)  # type: ignore[arg-type]
        for r in range(repeats)
    )
    return CrossFitted(tuple(macro_f1(truth, run) for run in runs))


def set_logits(logits: npt.ArrayLike, own: Calibration, taxonomy: Taxonomy, labels: Sequence[str]) -> Float:
    """Logits of a label set formed from a model's own labels: ``logit(taxonomy.combine(calibrated scores))``.

    Args:
        logits: (texts, own labels).
        own: the calibration of the model's own labels.
        taxonomy: the label set.
        labels: names of the columns of ``logits``.

    Returns:
        (texts, labels of the set).
    """
    return logit(taxonomy.combine(own.apply(logits), labels)).astype(np.float64)


def fit_taxonomy_rules(
    logits: npt.ArrayLike,
    truth: npt.ArrayLike,
    labels: Sequence[str],
    *,
    method: str = "default",
    empty: EmptyPolicy = "empty",
    fitted_on: str = "",
    own: str | None = None,
) -> dict[str, RuleRecord]:
    """A rule for the model's own labels and for every known label set that can be formed from them.

    Each is tuned for its own macro-F1. The rule of a derived set applies to its :func:`set_logits`.

    Args:
        logits: (texts, labels) of the model's own labels.
        truth: (texts, labels) of 0/1.
        labels: names of the columns.
        method: as for :func:`fit_rule`.
        empty: saved with every rule.
        fitted_on: what the rules were fitted on, for people to read.
        own: name of the model's own label set; the known one with exactly these labels, else ``custom``, if left out.
    """
    names, gold = tuple(labels), as_truth(truth)
    sets = taxonomies_for(names)
    own_name = own or next((name for name, taxonomy in sets.items() if taxonomy.labels == names), "custom")
    own_rule = fit_rule(logits, gold, method=method, empty=empty)
    records = {own_name: RuleRecord.of(names, own_rule, fitted_on)}
    for name, taxonomy in sets.items():
        if name != own_name:
            values = set_logits(logits, own_rule.calibration, taxonomy, names)
            rule = fit_rule(values, taxonomy.combine_truth(gold, names), method=method, empty=empty)
            records[name] = RuleRecord.of(taxonomy.labels, rule, fitted_on)
    return records
