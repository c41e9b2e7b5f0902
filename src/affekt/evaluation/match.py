"""Two evaluations side by side: which decisions are compared, and what came of it."""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from affekt.errors import DataError
from affekt.evaluation.bootstrap import OVERALL
from affekt.evaluation.comparison import Comparison, compare
from affekt.evaluation.results import TUNED_CROSS, Evaluation


@dataclass(frozen=True)
class Match:
    """Two models on the same texts.

    Attributes:
        first: the one.
        second: the other.
        outcomes: which decisions of each are compared.
        comparison: how far apart they are, and whether by chance.
    """

    first: Evaluation
    second: Evaluation
    outcomes: tuple[str, str]
    comparison: Comparison

    @property
    def names(self) -> tuple[str, str]:
        """What to call the models, different even if theirs are the same."""
        if self.first.model != self.second.model:
            return self.first.model, self.second.model
        return f"{self.first.model} (1)", f"{self.second.model} (2)"

    def to_dict(self) -> dict[str, Any]:
        """For JSON: both evaluations, and their differences (first minus second)."""
        overall = {}
        for name in OVERALL:
            found = self.comparison.overall[name]
            span = {"value": found.gain.value, "low": found.gain.low, "high": found.gain.high}
            overall[name] = {"first": found.first, "second": found.second, "gain": span, "p_value": found.p_value}
        gains = self.comparison.label_f1
        labels = {
            label: {"value": float(gains.value[i]), "low": float(gains.low[i]), "high": float(gains.high[i])}
            for i, label in enumerate(self.first.labels)
        }
        return {
            "first": self.first.to_dict(),
            "second": self.second.to_dict(),
            "compared": list(self.outcomes),
            "differences": overall,
            "label_f1_gain": labels,
        }

    def to_json(self) -> str:
        """:meth:`to_dict` as text."""
        return json.dumps(self.to_dict(), indent=2)

    def table(self) -> Any:
        """For people: something that ``rich`` prints."""
        from affekt.evaluation.tables import match_table

        return match_table(self)


def compare_models(first: Evaluation, second: Evaluation, *, seed: int = 0) -> Match:
    """Compare two models measured on the same texts, by decisions that are honest for both and of the same kind.

    Those are the headlines if they are of one kind, else per-label thresholds cross-fitted on these texts.

    Args:
        first: one evaluation.
        second: the other; may be in another process or of another program, as long as texts and labels are the same.
        seed: of the resamples.

    Raises:
        DataError: if the texts or labels are not the same.
    """
    if first.labels != second.labels or not np.array_equal(first.truth, second.truth):
        raise DataError(
            "The two models were not measured on the same texts and labels.",
            hint="Choose a label set that both have with --taxonomy.",
        )
    name = first.headline if first.headline == second.headline else TUNED_CROSS
    sides = [evaluation.outcomes.get(name, evaluation.best) for evaluation in (first, second)]
    found = compare(
        first.truth, sides[0].decisions, sides[1].decisions, resamples=min(first.resamples, second.resamples), seed=seed
    )
    return Match(first, second, (sides[0].name, sides[1].name), found)
