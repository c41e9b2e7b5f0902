"""Two models on the same texts: how far apart they are, and whether that is more than chance."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from affekt.evaluation.bootstrap import (
    OVERALL,
    Interval,
    LabelIntervals,
    check_resampling,
    metrics_of,
    resampled_means,
    text_facts,
)
from affekt.tuning.arrays import Float, as_truth


@dataclass(frozen=True)
class Difference:
    """One metric of two models.

    Attributes:
        first: the first model's figure.
        second: the second model's.
        gain: first minus second, with its paired bootstrap interval.
        p_value: chance of a difference at least this large if the models were interchangeable.
    """

    first: float
    second: float
    gain: Interval
    p_value: float


@dataclass(frozen=True)
class Comparison:
    """Two models on the same texts.

    Attributes:
        overall: metric -> difference, for the metrics of :data:`~affekt.evaluation.bootstrap.OVERALL`.
        label_f1: gain in F1 of every label, with paired intervals.
        level: part of the resamples inside each interval.
    """

    overall: Mapping[str, Difference]
    label_f1: LabelIntervals
    level: float


def compare(
    truth: npt.ArrayLike,
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    *,
    resamples: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> Comparison:
    """Compare the decisions of two models on the same texts.

    The interval is a paired bootstrap: both models are measured on the same drawn texts. The p-value is approximate
    randomisation (Noreen 1989; Yeh 2000): both models' answers are exchanged for each text with probability one half,
    and p = (1 + exchanges with a difference at least as large) / (1 + exchanges).

    Args:
        truth: (texts, labels) of 0/1.
        first: decisions of the first model.
        second: decisions of the second model.
        resamples: bootstrap resamples, and also exchanges.
        level: part of the resamples inside the interval.
        seed: which resamples and exchanges.

    Raises:
        DataError: if the arrays do not match.
        SettingError: if ``resamples`` or ``level`` is outside its range.
    """
    check_resampling(resamples, level)
    gold = as_truth(truth)
    facts = [text_facts(gold, as_truth(decisions, gold.shape)) for decisions in (first, second)]
    exact = [metrics_of(f.mean(axis=0, dtype=np.float64)[None]) for f in facts]
    gains = _bootstrapped_gains(facts, resamples, seed)
    chance = _exchanged_gains(facts, resamples, seed + 1)
    tails = (0.5 - level / 2.0, 0.5 + level / 2.0)
    overall = {}
    for name in OVERALL:
        a, b = float(exact[0][name][0]), float(exact[1][name][0])
        low, high = (float(v) for v in np.quantile(gains[name], tails))
        as_large = int((np.abs(chance[name]) >= abs(a - b) - 1e-12).sum())
        overall[name] = Difference(a, b, Interval(a - b, low, high), (1 + as_large) / (1 + resamples))
    low_f1, high_f1 = np.quantile(gains["f1"], tails, axis=0)
    return Comparison(overall, LabelIntervals(exact[0]["f1"][0] - exact[1]["f1"][0], low_f1, high_f1), level)


def _bootstrapped_gains(facts: list[npt.NDArray[np.float32]], resamples: int, seed: int) -> dict[str, Float]:
    """Metric -> first minus second on each resample; one seed draws the same texts for both."""
    return _gains(*([metrics_of(means) for means in resampled_means(f, resamples, seed)] for f in facts))


def _exchanged_gains(facts: list[npt.NDArray[np.float32]], exchanges: int, seed: int) -> dict[str, Float]:
    """Metric -> difference after exchanging the models' answers on a random half of the texts.

    With random signs r, one side is (mean of both) + (mean of r times half their difference), the other has a minus.
    """
    middle = 0.5 * (facts[0] + facts[1]).mean(axis=0, dtype=np.float64)
    half = 0.5 * (facts[0] - facts[1])
    rng = np.random.default_rng(seed)
    sides: tuple[list[dict[str, Float]], list[dict[str, Float]]] = ([], [])
    chunk = max(1, 2**24 // len(half))
    for start in range(0, exchanges, chunk):
        signs = rng.integers(0, 2, (min(chunk, exchanges - start), len(half)), dtype=np.int8).astype(np.float32) * 2 - 1
        moved = (signs @ half).astype(np.float64) / len(half)
        sides[0].append(metrics_of(middle + moved))
        sides[1].append(metrics_of(middle - moved))
    return _gains(*sides)


def _gains(first: list[dict[str, Float]], second: list[dict[str, Float]]) -> dict[str, Float]:
    return {
        name: np.concatenate([a[name] - b[name] for a, b in zip(first, second, strict=True)])
        for name in (*OVERALL, "f1")
    }
