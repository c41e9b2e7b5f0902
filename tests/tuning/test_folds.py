"""Folds: a partition, even in size, and even in every label down to the rarest."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from affekt.errors import SettingError
from affekt.tuning.folds import stratified_folds
from simulated import simulate


@pytest.fixture(scope="module")
def truth() -> np.ndarray:
    return simulate(3000, (0.3, 0.1, 0.03, 0.004)).truth


def test_every_label_is_shared_out(truth: np.ndarray) -> None:
    fold = stratified_folds(truth, 5, seed=3)
    per_fold = np.stack([truth[fold == f].sum(axis=0) for f in range(5)])
    assert np.ptp(per_fold[:, truth.sum(axis=0).argmin()]) <= 1
    fair = truth.sum(axis=0) / 5
    assert (np.abs(per_fold - fair) <= np.maximum(2.0, 0.1 * fair)).all()


def test_sizes_differ_little(truth: np.ndarray) -> None:
    sizes = np.bincount(stratified_folds(truth, 5))
    assert np.ptp(sizes) <= 0.02 * len(truth)


def test_rarest_label_beats_a_random_partition(truth: np.ndarray) -> None:
    rare = truth[:, 3]
    random = np.random.default_rng(0).integers(0, 5, len(truth))
    assert np.ptp(np.bincount(stratified_folds(truth)[rare], minlength=5)) < np.ptp(
        np.bincount(random[rare], minlength=5)
    )


def test_seed_decides(truth: np.ndarray) -> None:
    np.testing.assert_array_equal(stratified_folds(truth, 5, 1), stratified_folds(truth, 5, 1))
    assert (stratified_folds(truth, 5, 1) != stratified_folds(truth, 5, 2)).any()


@given(
    texts=st.integers(2, 40),
    labels=st.integers(1, 5),
    folds=st.integers(2, 6),
    rate=st.floats(0, 1),
    seed=st.integers(0, 99),
)
def test_always_a_partition_without_empty_folds(texts: int, labels: int, folds: int, rate: float, seed: int) -> None:
    truth = np.random.default_rng(seed).random((texts, labels)) < rate
    if folds > texts:
        with pytest.raises(SettingError, match="folds must lie between"):
            stratified_folds(truth, folds, seed)
        return
    fold = stratified_folds(truth, folds, seed)
    assert fold.shape == (texts,)
    assert set(fold.tolist()) == set(range(folds))


@pytest.mark.parametrize("folds", [-1, 0, 1])
def test_one_fold_is_no_partition(truth: np.ndarray, folds: int) -> None:
    with pytest.raises(SettingError, match=f"not {folds}"):
        stratified_folds(truth, folds)


def test_more_positives_than_folds_can_hold_evenly() -> None:
    truth = np.ones((7, 1), dtype=bool)
    assert sorted(np.bincount(stratified_folds(truth, 3)).tolist()) == [2, 2, 3]
