"""Choosing texts to label: unsure, unlike each other, and with rare labels among them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from affekt.data.duplicates import normalised
from affekt.decision import logit, sigmoid
from affekt.errors import SettingError
from affekt.selection.vectors import hashed

FloatArray = npt.NDArray[np.float32]

CANDIDATES = 20
"""Texts of most value that are looked at for diversity, per text asked for."""
RARITY = 1.0
"""A label counts by its rate to the power of minus this: 0 treats labels alike, 1 gives each the same total."""
RARE = 1.3
"""Weight, beside a mean of 1, from which a label is called rare."""
DIVERSITY = 0.7
"""How much of its value a text loses that says the same as one already chosen."""
SATURATION = 5.0
"""Texts about a label after which further ones count for half."""


@dataclass(frozen=True)
class Suggestion:
    """A text worth labelling.

    Attributes:
        index: its place in the pool.
        text: the text.
        value: what it was worth when it was chosen; falls along the list.
        emotions: the labels that the model is unsure about there, most valuable first.
        reason: one sentence for whoever labels.
    """

    index: int
    text: str
    value: float
    emotions: tuple[str, ...]
    reason: str

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "index": self.index, "text": self.text, "value": round(self.value, 4), "emotions": list(self.emotions),
            "reason": self.reason,
        }  # fmt: skip


def suggest(
    texts: Sequence[str],
    scores: FloatArray,
    labels: Sequence[str],
    thresholds: Sequence[float],
    count: int,
    *,
    rates: Sequence[float] | None = None,
) -> list[Suggestion]:
    """The texts of a pool most worth labelling next, best first.

    A text is worth, for each label, how near its score is to the threshold, times how rare the label is. Labels that
    the chosen texts already cover count for less (a concave sum, so that greedy choice is near the best: Nemhauser et
    al. 1978), and so do texts that say the same as a chosen one. Copies count once.

    Args:
        texts: the pool.
        scores: (texts, labels) calibrated scores.
        labels: names of the columns.
        thresholds: (labels,) what decides.
        count: how many to choose.
        rates: (labels,) how frequent each label is; the mean scores by default.

    Raises:
        SettingError: if ``count`` is not positive.
    """
    if count < 1:
        raise SettingError(f"The number of texts to suggest must be at least 1, not {count}.")
    first = list({normalised(text): index for index, text in reversed(list(enumerate(texts)))}.values())
    rows = np.sort(np.array(first, dtype=np.intp))
    if not rows.size:
        return []
    doubt = uncertainty(scores[rows], thresholds)
    weights = rarity(scores.mean(axis=0) if rates is None else np.asarray(rates))
    best = np.argsort(-(doubt @ weights), kind="stable")[: CANDIDATES * count]
    kept, doubt = rows[best], doubt[best]
    order, values, shares = _greedy(doubt, weights, hashed([texts[index] for index in kept]), min(count, len(kept)))
    rare = set(np.flatnonzero(weights > RARE).tolist())
    return [
        _suggestion(int(kept[row]), texts, value, share, scores[kept[row]], labels, thresholds, rare)
        for row, value, share in zip(order, values, shares, strict=True)
    ]


def uncertainty(scores: FloatArray, thresholds: Sequence[float]) -> FloatArray:
    """How near each score is to its threshold, from 0 (sure) to 1 (at twice the threshold's odds): (texts, labels).

    Just above the threshold counts for more than just below: such a text more likely has the label, and of a rare label
    it is examples that a model lacks.
    """
    near = sigmoid(logit(scores) - logit(np.asarray(thresholds, dtype=np.float32)))
    found: FloatArray = np.float32(27 / 4) * near**2 * (1 - near)
    return found


def rarity(rates: npt.ArrayLike) -> FloatArray:
    """Weight of each label, (labels,), with mean 1: the rarer the heavier."""
    weights = np.maximum(np.asarray(rates, dtype=np.float32), 1e-4) ** np.float32(-RARITY)
    found: FloatArray = weights / weights.mean()
    return found


def _greedy(
    doubt: FloatArray, weights: FloatArray, vectors: FloatArray, count: int
) -> tuple[list[int], list[float], list[FloatArray]]:
    """Rows in the order of choice, what each was worth, and what each of its labels gave (labels,)."""
    covered = np.zeros(doubt.shape[1], dtype=np.float32)
    alike = np.zeros(len(doubt), dtype=np.float32)
    free = np.ones(len(doubt), dtype=bool)
    order, values, shares = [], [], []
    for _ in range(count):
        gains = weights * (np.log1p((covered + doubt) / SATURATION) - np.log1p(covered / SATURATION))
        worth = np.where(free, gains.sum(axis=1) * (1 - DIVERSITY * alike), -1.0)
        row = int(worth.argmax())
        order.append(row)
        values.append(float(worth[row]))
        shares.append(gains[row])
        free[row] = False
        covered += doubt[row]
        alike = np.maximum(alike, vectors @ vectors[row])
    return order, values, shares


def _suggestion(
    index: int,
    texts: Sequence[str],
    value: float,
    share: FloatArray,
    scores: FloatArray,
    labels: Sequence[str],
    thresholds: Sequence[float],
    rare: set[int],
) -> Suggestion:
    top = [int(i) for i in np.argsort(-share, kind="stable")[:3] if share[i] > 0.25 * share.max()]
    parts = [
        f"{labels[i]} {_figure(scores[i])} (threshold {_figure(thresholds[i])}{', rare label' if i in rare else ''})"
        for i in top
    ]
    return Suggestion(index, texts[index], value, tuple(labels[i] for i in top), f"Unsure about {'; '.join(parts)}.")


def _figure(score: float) -> str:
    return f"{score:.2f}" if score >= 0.1 else f"{score:.3f}"
