"""What an evaluation found: every way of deciding, what it was fitted on, and figures with intervals."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from affekt.decision import DecisionRule, sigmoid
from affekt.errors import SettingError
from affekt.evaluation.bootstrap import OVERALL, Intervals
from affekt.evaluation.metrics import mean_defined
from affekt.tuning.arrays import Bool, Float

Fitted = Literal["nothing", "these texts", "other folds", "other texts"]

AT_HALF, SHARED, SHARED_CROSS, TUNED, TUNED_CROSS, SAVED = (
    "at_0.5", "shared", "shared_cross_fitted", "per_label", "per_label_cross_fitted", "saved",
)  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """One way of turning scores into decisions, and what it is worth.

    Attributes:
        name: for programs.
        title: for people.
        fitted: what calibration and thresholds were fitted on. A figure of a rule fitted on ``these texts`` flatters.
        decisions: (texts, labels) bool.
        intervals: every metric, with intervals.
        rule: the rule; None where every fold has its own.
        partitions: macro-F1 for each partition into folds, where cross-fitted; ``decisions`` are of the median one.
    """

    name: str
    title: str
    fitted: Fitted
    decisions: Bool = field(repr=False)
    intervals: Intervals = field(repr=False)
    rule: DecisionRule | None = field(default=None, repr=False)
    partitions: tuple[float, ...] = ()

    @property
    def honest(self) -> bool:
        """Whether no text helped to choose the rule that decided it."""
        return self.fitted != "these texts"

    @property
    def macro_f1(self) -> float:
        """The headline metric."""
        return self.intervals.overall["macro_f1"].value

    def with_rule(self, rule: DecisionRule) -> "Outcome":
        """The same, with the rule that decided."""
        return replace(self, rule=rule)

    def with_partitions(self, figures: Sequence[float]) -> "Outcome":
        """The same, with the macro-F1 of every partition into folds."""
        return replace(self, partitions=tuple(figures))

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        figures = {name: _interval(self.intervals.overall[name]) for name in OVERALL}
        thresholds = None if self.rule is None else list(self.rule.thresholds)
        return {
            "title": self.title,
            "fitted_on": self.fitted,
            "honest": self.honest,
            **figures,
            "thresholds": thresholds,
            "partitions": list(self.partitions),
        }


@dataclass(frozen=True)
class Evaluation:
    """A model on one labelled set of texts.

    Attributes:
        model: the model's name.
        data: the data set's name.
        label_set: name of the label set.
        labels: its labels.
        truth: (texts, labels) bool.
        logits: (texts, labels) logits of this label set.
        scores: (texts, labels) calibrated scores, by the saved calibration or cross-fitted where that saw these texts.
        outcomes: every way of deciding, by name.
        headline: name of the outcome to quote: the best-founded honest one.
        average_precision: (labels,), NaN without a positive.
        roc_auc: (labels,), NaN without a positive or a negative.
        ece_raw: expected calibration error of ``sigmoid(logits)``, (labels,).
        ece: the same of ``scores``.
        resamples: bootstrap resamples behind each interval.
        notes: what a reader should know, one sentence each.
    """

    model: str
    data: str
    label_set: str
    labels: tuple[str, ...]
    truth: Bool = field(repr=False)
    logits: Float = field(repr=False)
    scores: npt.NDArray[np.float32] = field(repr=False)
    outcomes: Mapping[str, Outcome]
    headline: str
    average_precision: Float = field(repr=False)
    roc_auc: Float = field(repr=False)
    ece_raw: Float = field(repr=False)
    ece: Float = field(repr=False)
    resamples: int
    notes: tuple[str, ...] = ()

    @property
    def best(self) -> Outcome:
        """The outcome to quote."""
        return self.outcomes[self.headline]

    @property
    def macro_f1(self) -> float:
        """The figure to quote."""
        return self.best.macro_f1

    @property
    def calibration_matters(self) -> bool:
        """Whether scores differ from plain sigmoids of the logits; not so where calibration is folded into weights."""
        return not np.array_equal(self.scores, sigmoid(self.logits))

    @property
    def rule(self) -> DecisionRule:
        """The headline's rule; where every fold had its own, the one fitted in the same way on all texts."""
        found = self.best.rule or self.outcomes[TUNED].rule
        if found is None:
            raise SettingError(f"The outcome '{self.headline}' has no rule.")
        return found

    def outcome(self, name: str) -> Outcome:
        """The outcome called ``name``.

        Raises:
            SettingError: if there is none; the hint lists them.
        """
        if name not in self.outcomes:
            raise SettingError(f"There is no outcome '{name}'.", hint=f"There are: {', '.join(self.outcomes)}.")
        return self.outcomes[name]

    def per_label(self) -> dict[str, dict[str, Any]]:
        """Every label's figures for the headline outcome, with intervals: label -> metric -> value."""
        spans, thresholds = self.best.intervals.labels, self.rule.thresholds
        return {
            label: {
                "support": int(self.truth[:, column].sum()),
                **{name: _span(spans[name], column) for name in ("precision", "recall", "f1")},
                "average_precision": float(self.average_precision[column]),
                "roc_auc": float(self.roc_auc[column]),
                "ece_raw": float(self.ece_raw[column]),
                "ece": float(self.ece[column]),
                "threshold": thresholds[column],
            }
            for column, label in enumerate(self.labels)
        }

    def figures(self) -> dict[str, Any]:
        """What a model folder and its card keep of an evaluation: the headline, and 0.5 beside it."""
        everything = self.to_dict()
        kept = {name: everything["outcomes"][name] for name in (self.headline, AT_HALF)}
        return everything | {"outcomes": kept}

    def means(self) -> dict[str, float]:
        """Means over labels of what does not depend on decisions; labels for which it is not defined are left out."""
        names = ("average_precision", "roc_auc", "ece_raw", "ece")
        return {name: mean_defined(getattr(self, name)) for name in names}

    def to_dict(self) -> dict[str, Any]:
        """Everything but the arrays, ready for JSON (numbers that are not defined become None)."""
        found: dict[str, Any] = {
            "model": self.model,
            "data": self.data,
            "label_set": self.label_set,
            "texts": len(self.truth),
            "labels": list(self.labels),
            "headline": self.headline,
            "level": self.best.intervals.level,
            "resamples": self.resamples,
            "outcomes": {name: outcome.to_dict() for name, outcome in self.outcomes.items()},
            "mean": self.means(),
            "per_label": self.per_label(),
            "notes": list(self.notes),
        }
        return {key: _plain(value) for key, value in found.items()}

    def to_json(self) -> str:
        """:meth:`to_dict` as text."""
        return json.dumps(self.to_dict(), indent=2)

    def table(self) -> Any:
        """For people: something that ``rich`` prints."""
        from affekt.evaluation.tables import evaluation_table

        return evaluation_table(self)


def _interval(interval: Any) -> dict[str, float]:
    return {"value": interval.value, "low": interval.low, "high": interval.high}


def _span(spans: Any, column: int) -> dict[str, float]:
    return {name: float(getattr(spans, name)[column]) for name in ("value", "low", "high")}


def _plain(value: Any) -> Any:
    """The same with NaN, which JSON does not have, as None."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and math.isnan(value) else value
