"""Iterative stratification: groups of texts into folds, each label and label combination in its due share.

After Sechidis, Tsoumakas and Vlahavas (2011), "On the stratification of multi-label data", with two additions: frequent
combinations of labels are spread before single labels (Szymański and Kajdanowicz, 2017, balance pairs), and groups of
texts move as one. On GoEmotions every label comes within one text of its share, and frequent combinations come twice as
close to theirs as with labels alone.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.intp]
_CLOSE = 1e-6


@dataclass(frozen=True)
class _Units:
    """What moves as one.

    Attributes:
        sizes: texts per unit.
        traits: per unit, (trait, texts that have it); traits are labels, and frequent combinations of several labels or
            of none (those of one label follow from the others).
        totals: per trait, texts that have it.
        labels: how many of the traits are labels; they come first.
    """

    sizes: list[int]
    traits: list[list[tuple[int, int]]]
    totals: list[int]
    labels: int


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
    folds = _Distribution(units, list(shares), order, luck).run()
    return np.array(folds, dtype=np.intp)[groups]


def _make_units(positives: npt.NDArray[np.bool_], groups: IntArray, rare: float) -> _Units:
    labels = positives.shape[1]
    combination, frequent = _combinations(positives, rare)
    own = [np.flatnonzero(row).tolist() for row in positives]
    members: list[list[int]] = [[] for _ in range(int(groups.max()) + 1)]
    for text, (group, number) in enumerate(zip(groups.tolist(), combination.tolist(), strict=True)):
        members[group].append(text)
        if frequent[number]:
            own[text].append(labels + number)
    traits = [list(Counter(trait for text in texts for trait in own[text]).items()) for texts in members]
    totals = [0] * (labels + len(frequent))
    for trait, count in (pair for unit in traits for pair in unit):
        totals[trait] += count
    return _Units([len(texts) for texts in members], traits, totals, labels)


def _combinations(positives: npt.NDArray[np.bool_], rare: float) -> tuple[IntArray, list[bool]]:
    """(texts,) the number of each text's label combination, and for each number whether it is spread by itself."""
    packed = np.packbits(positives, axis=1) if positives.shape[1] else np.zeros((len(positives), 1), dtype=np.uint8)
    combination = np.unique(packed, axis=0, return_inverse=True)[1].reshape(-1)
    counts = np.bincount(combination)
    single = np.zeros(len(counts), dtype=bool)
    single[combination] = positives.sum(axis=1) == 1
    return combination, ((counts >= rare) & ~single).tolist()


class _Distribution:
    """Units on their way into folds.

    Args:
        units: what to place.
        shares: what each fold is due.
        order: the order in which units are taken.
        luck: decides between folds that are equally in need.
    """

    def __init__(self, units: _Units, shares: list[float], order: list[int], luck: list[float]) -> None:
        self.units, self.order, self.luck = units, order, luck
        self.folds = [-1] * len(units.sizes)
        self.room = [share * sum(units.sizes) for share in shares]
        self.lacking = [[share * total for share in shares] for total in units.totals]
        self.having: list[list[int]] = [[] for _ in units.totals]
        for unit in sorted(order, key=lambda unit: -units.sizes[unit]):
            for trait, _ in units.traits[unit]:
                self.having[trait].append(unit)

    def run(self) -> list[int]:
        """The fold of each unit.

        Combinations first, as far as a fold is due a whole unit of them; what is left over evens out the labels,
        rarest first; units without any trait fill up the folds.
        """
        labels, totals = self.units.labels, self.units.totals
        for trait in sorted(range(labels, len(totals)), key=totals.__getitem__):
            self._place_all(self.having[trait], self.lacking[trait], whole=True)
        for trait in sorted(range(labels), key=totals.__getitem__):
            self._place_all(self.having[trait], self.lacking[trait], whole=False)
        self._place_all(self.order, self.room, whole=False)
        return self.folds

    def _place_all(self, units: list[int], wanted: list[float], *, whole: bool) -> None:
        for unit in units:
            if self.folds[unit] >= 0:
                continue
            fold = max(range(len(wanted)), key=lambda f: (wanted[f], self.room[f], self.luck[f]))
            if not whole or wanted[fold] > self.units.sizes[unit] - _CLOSE:
                self._place(unit, fold)

    def _place(self, unit: int, fold: int) -> None:
        self.folds[unit] = fold
        self.room[fold] -= self.units.sizes[unit]
        for trait, count in self.units.traits[unit]:
            self.lacking[trait][fold] -= count
