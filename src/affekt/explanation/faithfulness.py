"""Whether explanations are true to the model: deletion and insertion curves, and agreement between methods."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt

from affekt.explanation.occlusion import Scores
from affekt.explanation.words import Word, keep, split_words

STEPS = 10
"""Points of a curve besides the whole text."""

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Faithfulness:
    """Areas under the curves, averaged over texts; all in scores, [0, 1].

    Attributes:
        texts: how many were checked.
        deletion: mean score while words vanish, most important first; low is good.
        deletion_random: the same in random order.
        insertion: mean score while words appear, most important first; high is good.
        insertion_random: the same in random order.
        deletion_margin: mean of random minus ordered deletion, with its 95 % interval.
        insertion_margin: mean of ordered minus random insertion, with its 95 % interval.
    """

    texts: int
    deletion: float
    deletion_random: float
    insertion: float
    insertion_random: float
    deletion_margin: tuple[float, float, float]
    insertion_margin: tuple[float, float, float]

    def to_dict(self) -> dict[str, object]:
        """Plain values."""
        return asdict(self)


def faithfulness(
    scores: Scores, texts: Sequence[str], weights: Sequence[FloatArray], labels: Sequence[int], *, seed: int = 0
) -> Faithfulness:
    """Deletion and insertion (Petsiuk et al. 2018) of words in the order of their weights, against random order.

    Args:
        scores: the model.
        texts: the original texts.
        weights: per text, (words,) of one label.
        labels: per text, the column of that label.
        seed: of the random orders.
    """
    generator = np.random.default_rng(seed)
    variants: list[str] = []
    for text, weight in zip(texts, weights, strict=True):
        words = split_words(text)
        for order in (np.argsort(-weight, kind="stable"), generator.permutation(len(words))):
            variants += _curve(text, words, order, inserting=False) + _curve(text, words, order, inserting=True)
    found = scores(variants).reshape(len(texts), 2, 2, STEPS + 1, -1)
    own = np.take_along_axis(found, np.asarray(labels)[:, None, None, None, None], axis=4)[..., 0]
    areas = np.asarray(np.trapezoid(own.astype(np.float64), dx=1.0 / STEPS, axis=3))
    ordered, random = areas[:, 0], areas[:, 1]
    return Faithfulness(
        texts=len(texts),
        deletion=float(ordered[:, 0].mean()),
        deletion_random=float(random[:, 0].mean()),
        insertion=float(ordered[:, 1].mean()),
        insertion_random=float(random[:, 1].mean()),
        deletion_margin=_interval(random[:, 0] - ordered[:, 0]),
        insertion_margin=_interval(ordered[:, 1] - random[:, 1]),
    )


def _curve(text: str, words: Sequence[Word], order: npt.NDArray[np.int_], *, inserting: bool) -> list[str]:
    """The text with the first 0, 1/STEPS, ... 1 of the ordered words gone, or alone there."""
    rank = np.empty(len(words), dtype=int)
    rank[order] = np.arange(len(words))
    counts = [round(step * len(words) / STEPS) for step in range(STEPS + 1)]
    return [keep(text, words, ((rank < count) == inserting).tolist()) for count in counts]


def _interval(values: FloatArray) -> tuple[float, float, float]:
    mean = float(values.mean())
    half = 1.96 * float(values.std(ddof=1)) / len(values) ** 0.5 if len(values) > 1 else float("nan")
    return mean, mean - half, mean + half


def agreement(first: Sequence[FloatArray], second: Sequence[FloatArray]) -> dict[str, float]:
    """How alike two methods' weights are, over texts with at least two words.

    Args:
        first: per text, (words,).
        second: the other method's.

    Returns:
        ``spearman``: mean rank correlation; ``top``: share of texts in which both name the same strongest word.
    """
    pairs = [(a, b) for a, b in zip(first, second, strict=True) if len(a) > 1]
    correlations = [_correlation(_ranks(a), _ranks(b)) for a, b in pairs]
    same = [int(np.abs(a).argmax() == np.abs(b).argmax()) for a, b in pairs]
    return {"spearman": float(np.mean(correlations)), "top": float(np.mean(same))}


def _ranks(values: FloatArray) -> FloatArray:
    """Ranks from 0, ties sharing their mean."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    means = np.cumsum(counts) - (counts + 1) / 2
    ranks: FloatArray = means[inverse]
    return ranks


def _correlation(first: FloatArray, second: FloatArray) -> float:
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return 0.0
    return float(np.corrcoef(first, second)[0, 1])
