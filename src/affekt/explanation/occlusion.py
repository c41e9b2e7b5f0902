"""Occlusion: what changes when words are left out; needs nothing but scores, so any backend will do."""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from affekt.decision import logit
from affekt.explanation.shapley import coalitions, shares
from affekt.explanation.words import Word, keep, split_words

Scores = Callable[[Sequence[str]], npt.NDArray[np.float32]]
"""Texts in, (texts, labels) calibrated scores out."""

BUDGET = 40
"""Variants of a text: each of twenty words left out once and kept alone once. More are no truer (measured)."""
MAX_GROUPS = 48
"""Longer texts are taken apart into this many groups of neighbours, so that the cost has a bound."""


class Occluded:
    """What occlusion found in one text.

    Attributes:
        words: of the original text.
        weights: (words, labels) log-odds that each word added.
        full: (labels,) scores of the whole text.
        empty: (labels,) scores of the text without any word.
    """

    def __init__(
        self,
        words: tuple[Word, ...],
        weights: npt.NDArray[np.float64],
        full: npt.NDArray[np.float32],
        empty: npt.NDArray[np.float32],
    ) -> None:
        self.words, self.weights, self.full, self.empty = words, weights, full, empty


def occlude(scores: Scores, text: str, *, budget: int = BUDGET, seed: int = 0) -> Occluded:
    """How far each word moves each label's score, in log-odds, from variants scored in one call.

    Args:
        scores: the model.
        text: the original text.
        budget: how many variants may be scored besides the text itself and the empty one; every word is always left
            out once and kept alone once.
        seed: of the variants beyond those.
    """
    words = split_words(text)
    groups = _groups(len(words))
    if len(groups) < 2:
        values = scores([text, ""])
        weights = (logit(values[0]) - logit(values[1])).astype(np.float64) * np.ones((len(words), 1))
        return Occluded(words, weights, values[0], values[1])
    kept, importance = coalitions(len(groups), budget, seed)
    members = np.concatenate([np.full(len(group), index) for index, group in enumerate(groups)])
    values = scores([text, "", *(keep(text, words, row[members].tolist()) for row in kept)])
    odds = logit(values).astype(np.float64)
    found = shares(kept, importance, odds[2:], odds[0], odds[1])
    sizes = np.array([len(group) for group in groups], dtype=np.float64)
    return Occluded(words, (found / sizes[:, None])[members], values[0], values[1])


def _groups(words: int) -> list[npt.NDArray[np.int_]]:
    """Neighbouring words that are left out together: one each, up to :data:`MAX_GROUPS` groups."""
    return [group for group in np.array_split(np.arange(words), min(words, MAX_GROUPS) or 1) if group.size]
