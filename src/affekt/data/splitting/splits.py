"""Train and dev, or k folds: seeded, stratified over labels and their combinations, duplicates on one side."""

import numpy as np
import numpy.typing as npt

from affekt.data.dataset import Dataset
from affekt.data.duplicates import text_groups
from affekt.data.splitting.stratify import stratify
from affekt.errors import DataError, SettingError

IntArray = npt.NDArray[np.intp]


def split(dataset: Dataset, fraction: float = 0.1, seed: int = 0) -> tuple[IntArray, IntArray]:
    """Part a dataset in two.

    Args:
        dataset: what to part.
        fraction: the share of the second part, between 0 and 1.
        seed: same seed, same parts.

    Returns:
        Indices of train and of dev, ascending.

    Raises:
        SettingError: if ``fraction`` is not between 0 and 1.
        DataError: if one part would be empty.
    """
    if not 0 < fraction < 1:
        raise SettingError(f"The share of dev must be between 0 and 1, but it is {fraction}.")
    folds = _folds(dataset, [1 - fraction, fraction], seed)
    return np.flatnonzero(folds == 0), np.flatnonzero(folds == 1)


def kfold(dataset: Dataset, k: int = 5, seed: int = 0) -> list[tuple[IntArray, IntArray]]:
    """Part a dataset in ``k``, and give each part its turn as dev.

    Returns:
        Per fold, indices of train and of dev, ascending.

    Raises:
        SettingError: if ``k`` is less than 2.
        DataError: if there are fewer different texts than folds.
    """
    if k < 2:
        raise SettingError(f"There must be 2 folds or more, not {k}.")
    folds = _folds(dataset, [1 / k] * k, seed)
    return [(np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)) for fold in range(k)]


def named_parts(dataset: Dataset, fraction: float, folds: int | None, seed: int) -> dict[str, IntArray]:
    """Indices of ``train`` and ``dev``, or of ``fold1.train``, ``fold1.dev`` and so on.

    Raises:
        SettingError: if ``fraction`` or ``folds`` is out of range.
        DataError: if a part would be empty.
    """
    if folds is None:
        train, dev = split(dataset, fraction, seed)
        return {"train": train, "dev": dev}
    parts: dict[str, IntArray] = {}
    for number, (train, dev) in enumerate(kfold(dataset, folds, seed), 1):
        parts |= {f"fold{number}.train": train, f"fold{number}.dev": dev}
    return parts


def _folds(dataset: Dataset, shares: list[float], seed: int) -> IntArray:
    groups = text_groups(dataset.texts)
    different = len(np.unique(groups))
    if different < len(shares):
        raise DataError(f"'{dataset.name}' has {different} different texts, too few for {len(shares)} parts.")
    folds = stratify(dataset.positives, groups, shares, seed)
    for fold in range(len(shares)):
        if not (folds == fold).any():
            folds = _fill(folds, groups, fold)
    return folds


def _fill(folds: IntArray, groups: IntArray, fold: int) -> IntArray:
    """Give an empty fold the smallest group of the fullest fold (only tiny sets need it)."""
    fullest = max(range(int(folds.max()) + 1), key=lambda f: len(np.unique(groups[folds == f])))
    inside, sizes = np.unique(groups[folds == fullest], return_counts=True)
    return np.where(groups == inside[sizes.argmin()], fold, folds)
