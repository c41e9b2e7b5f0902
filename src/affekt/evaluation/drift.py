"""What changed between two files of predictions, and whether it is more than noise."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from affekt.errors import DataError
from affekt.evaluation.predictions import Predictions
from affekt.evaluation.significance import (
    holm,
    kolmogorov_smirnov,
    mcnemar,
    newcombe,
    stability_index,
    two_proportions,
)

FloatArray = npt.NDArray[np.float64]
Verdict = Literal["noise", "slight", "changed"]

SIGNIFICANT = 0.05
"""Corrected p-value below which a change is more than noise."""
RATE = 0.01
"""A significant change of a label's rate is called slight below this difference ..."""
PSI = 0.1
"""... as long as the population stability index stays below this, too."""


@dataclass(frozen=True)
class LabelDrift:
    """One label in both files.

    Attributes:
        label: the name.
        old_rate: share of the old texts that have it.
        new_rate: share of the new texts.
        interval: 95 % interval of new minus old rate.
        rate_p: p-value of the difference, Holm-corrected over all tests of the comparison.
        old_mean: mean score in the old file; NaN without scores.
        new_mean: mean score in the new file.
        ks: largest distance between the two distribution functions of the score (Kolmogorov & Smirnov).
        ks_p: its p-value, Holm-corrected like that of the rates; NaN without scores.
        psi: population stability index over deciles of the old scores; by custom, below 0.1 is stable, above 0.25 not.
        verdict: ``noise``, ``slight`` (more than noise, too small to matter) or ``changed``.
    """

    label: str
    old_rate: float
    new_rate: float
    interval: tuple[float, float]
    rate_p: float
    old_mean: float
    new_mean: float
    ks: float
    ks_p: float
    psi: float
    verdict: Verdict

    @property
    def rate_changed(self) -> bool:
        """Whether the rate moved by more than noise and enough to matter; scores may shift without it."""
        return self.rate_p < SIGNIFICANT and abs(self.new_rate - self.old_rate) >= RATE


@dataclass(frozen=True)
class Drift:
    """Two files of predictions, compared.

    Attributes:
        old: name of the old file.
        new: name of the new file.
        old_texts: how many texts it has.
        new_texts: how many texts it has.
        paired: whether both hold the same texts in the same order (so that decisions are compared text by text).
        differing: share of the texts whose decisions differ; NaN unless paired.
        old_per_text: mean number of emotions per text.
        new_per_text: the same in the new file.
        old_empty: share of the texts without any emotion.
        new_empty: the same in the new file.
        labels: one per label that both have, most changed first.
        only_old: labels that the new file lacks.
        only_new: labels that the old file lacks.
    """

    old: str
    new: str
    old_texts: int
    new_texts: int
    paired: bool
    differing: float
    old_per_text: float
    new_per_text: float
    old_empty: float
    new_empty: float
    labels: tuple[LabelDrift, ...]
    only_old: tuple[str, ...]
    only_new: tuple[str, ...]

    @property
    def changed(self) -> tuple[LabelDrift, ...]:
        """Labels whose change is more than noise and large enough to matter."""
        return tuple(label for label in self.labels if label.verdict == "changed")

    def to_dict(self) -> dict[str, Any]:
        """Plain values; NaN as None."""
        values: dict[str, Any] = _plain(asdict(self))
        return values

    def sentences(self) -> list[str]:
        """What to tell people."""
        found = [
            f"{item.label}: {item.old_rate:.1%} → {item.new_rate:.1%}"
            if item.rate_changed
            else f"the scores of {item.label} (index {item.psi:.2f}), though hardly its rate"
            for item in self.changed
        ]
        slight = sum(item.verdict == "slight" for item in self.labels)
        told = [
            f"Changed: {'; '.join(found)}." if found else "Nothing changed by more than noise and enough to matter."
        ]
        if slight:
            told.append(f"{slight} more label{'s' * (slight > 1)} changed by more than noise, but slightly.")
        if self.paired:
            told.append(f"The same texts stand in both files; {self.differing:.1%} of them have other emotions now.")
        told.append(
            f"Emotions per text {self.old_per_text:.2f} → {self.new_per_text:.2f}; "
            f"texts without any {self.old_empty:.1%} → {self.new_empty:.1%}."
        )
        if self.only_old or self.only_new:
            told.append(f"Labels in one file only: {', '.join((*self.only_old, *self.only_new))}.")
        return told


def compare_predictions(old: Predictions, new: Predictions) -> Drift:
    """Compare label rates and score distributions.

    Rates are compared by a two-proportion z-test, or by McNemar's test where both files hold the same texts; score
    distributions by the Kolmogorov-Smirnov test. All p-values are corrected together (Holm 1979).

    Raises:
        DataError: if the files have no label in common.
    """
    labels = [label for label in old.labels if label in new.labels]
    if not labels:
        raise DataError(f"'{old.name}' and '{new.name}' have no label in common.")
    before, after = (p.decided[:, [p.labels.index(label) for label in labels]] for p in (old, new))
    paired = old.texts is not None and old.texts == new.texts
    rates = (before.mean(axis=0), after.mean(axis=0))
    if paired:
        intervals, rate_p = mcnemar(before, after)
    else:
        intervals, rate_p = newcombe(*rates, len(old), len(new)), two_proportions(*rates, len(old), len(new))
    shifts = [_shift(old, new, label) for label in labels]
    rate_p, ks_p = np.split(holm(np.array([*rate_p, *(shift[3] for shift in shifts)])), 2)
    found = [
        _label(label, float(a), float(b), (float(low), float(high)), float(p), shift, float(q))
        for label, a, b, low, high, p, shift, q in zip(labels, *rates, *intervals, rate_p, shifts, ks_p, strict=True)
    ]
    order = {"changed": 0, "slight": 1, "noise": 2}
    return Drift(
        old=old.name,
        new=new.name,
        old_texts=len(old),
        new_texts=len(new),
        paired=paired,
        differing=float((before != after).any(axis=1).mean()) if paired else math.nan,
        old_per_text=float(before.sum(axis=1).mean()),
        new_per_text=float(after.sum(axis=1).mean()),
        old_empty=float((~before.any(axis=1)).mean()),
        new_empty=float((~after.any(axis=1)).mean()),
        labels=tuple(sorted(found, key=lambda item: (order[item.verdict], -abs(item.new_rate - item.old_rate)))),
        only_old=tuple(label for label in old.labels if label not in new.labels),
        only_new=tuple(label for label in new.labels if label not in old.labels),
    )


Shift = tuple[float, float, float, float, float]


def _label(
    label: str, old: float, new: float, interval: tuple[float, float], rate_p: float, shift: Shift, ks_p: float
) -> LabelDrift:
    old_mean, new_mean, distance, _, psi = shift
    beyond_noise = rate_p < SIGNIFICANT or ks_p < SIGNIFICANT
    matters = (rate_p < SIGNIFICANT and abs(new - old) >= RATE) or (ks_p < SIGNIFICANT and psi >= PSI)
    verdict: Verdict = "changed" if matters else "slight" if beyond_noise else "noise"
    return LabelDrift(label, old, new, interval, rate_p, old_mean, new_mean, distance, ks_p, psi, verdict)


def _shift(old: Predictions, new: Predictions, label: str) -> Shift:
    """Mean scores, Kolmogorov-Smirnov distance and p-value, and stability index; NaN without scores."""
    if old.scores is None or new.scores is None:
        return (math.nan,) * 5
    first, second = (np.sort(p.scores[:, p.labels.index(label)]) for p in (old, new) if p.scores is not None)
    distance, p = kolmogorov_smirnov(first, second)
    return float(first.mean()), float(second.mean()), distance, p, stability_index(first, second)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and math.isnan(value) else value
