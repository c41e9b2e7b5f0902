"""Folds in which every label, the rarest first, has its share of texts; numpy only."""

import numpy as np
import numpy.typing as npt

from affekt.errors import SettingError
from affekt.tuning.arrays import Bool

Folds = npt.NDArray[np.intp]


def stratified_folds(truth: Bool, folds: int = 5, seed: int = 0) -> Folds:
    """The fold of each text, so that folds differ little in any label's positives and in size.

    A light form of iterative stratification (Sechidis et al. 2011): labels are taken from the rarest to the commonest,
    and each label's texts that have no fold yet are dealt to the folds that have fewest of that label.

    Args:
        truth: (texts, labels) bool.
        folds: how many, at least 2 and at most one per text.
        seed: which of the many such partitions.

    Returns:
        (texts,) integers from 0 to ``folds - 1``; every fold has at least one text.

    Raises:
        SettingError: if ``folds`` is outside its range.
    """
    texts = len(truth)
    if not 2 <= folds <= texts:
        raise SettingError(f"folds must lie between 2 and the number of texts ({texts}), not {folds}.")
    rng = np.random.default_rng(seed)
    fold = np.full(texts, -1, dtype=np.intp)
    for label in np.argsort(truth.sum(axis=0), kind="stable"):
        has = truth[:, label]
        have = np.bincount(fold[has & (fold >= 0)], minlength=folds)
        _deal(np.flatnonzero(has & (fold < 0)), have, fold, rng)
    _deal(np.flatnonzero(fold < 0), np.bincount(fold[fold >= 0], minlength=folds), fold, rng)
    return _without_empty(fold, folds)


def _deal(rows: npt.NDArray[np.intp], have: npt.NDArray[np.intp], fold: Folds, rng: np.random.Generator) -> None:
    """Give each row a fold, always the one that has fewest so far; ties fall at random."""
    if rows.size == 0:
        return
    level = (have[:, None] + np.arange(rows.size)).ravel()
    owner = np.repeat(np.arange(have.size), rows.size)
    first = np.lexsort((rng.random(level.size), level))[: rows.size]
    fold[rng.permutation(rows)] = owner[first]


def _without_empty(fold: Folds, folds: int) -> Folds:
    for missing in np.setdiff1d(np.arange(folds), fold):
        largest = np.bincount(fold, minlength=folds).argmax()
        fold[np.flatnonzero(fold == largest)[0]] = missing
    return fold
