import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affekt.data.splitting.stratify import stratify


def one_each(positives):
    return np.arange(len(positives))


def test_all_alike_are_shared_out_by_size():
    positives = np.zeros((100, 0), dtype=bool)
    folds = stratify(positives, one_each(positives), [0.7, 0.2, 0.1], 0)
    assert np.bincount(folds).tolist() == [70, 20, 10]


@pytest.mark.parametrize("seed", range(5))
def test_single_labels_are_shared_out_exactly(seed):
    positives = np.repeat(np.eye(4, dtype=bool), [10, 20, 30, 400], axis=0)
    folds = stratify(positives, one_each(positives), [0.9, 0.1], seed)
    assert positives[folds == 1].sum(axis=0).tolist() == [1, 2, 3, 40]


def test_a_combination_that_its_labels_hide_is_shared_out():
    """Each label alone is balanced in many ways; only combinations tell apart 'both or none' from 'one of the two'."""
    positives = np.array([[1, 1], [0, 0], [1, 0], [0, 1]] * 50, dtype=bool)
    folds = stratify(positives, one_each(positives), [0.5, 0.5], 0)
    both = positives.all(axis=1)
    assert (folds[both] == 0).sum() == 25
    assert (folds[~positives.any(axis=1)] == 0).sum() == 25


def test_groups_move_as_one_and_count_by_size():
    groups = np.repeat(np.arange(40), 5)
    positives = np.repeat(np.arange(40) % 4 == 0, 5)[:, None]
    folds = stratify(positives, groups, [0.5, 0.5], 0)
    assert all(len(set(folds[groups == group])) == 1 for group in range(40))
    assert abs(int(positives[folds == 0].sum()) - 25) <= 5


def test_a_group_larger_than_a_fold_goes_to_the_larger_fold():
    groups = np.array([0] * 80 + list(range(1, 21)))
    folds = stratify(np.zeros((100, 0), dtype=bool), groups, [0.8, 0.2], 0)
    assert (folds[:80] == 0).all()
    assert (folds[80:] == 1).all()


def test_the_seed_decides_and_nothing_else_does():
    positives = np.random.default_rng(0).random((200, 5)) < 0.3
    first, again, other = (stratify(positives, one_each(positives), [0.5, 0.5], seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


@settings(max_examples=50, deadline=None)
@given(
    rows=st.integers(2, 80),
    labels=st.integers(1, 6),
    density=st.floats(0, 1),
    parts=st.integers(2, 5),
    seed=st.integers(0, 99),
)
def test_every_label_comes_near_its_share(rows, labels, density, parts, seed):
    positives = np.random.default_rng(seed).random((rows, labels)) < density
    folds = stratify(positives, one_each(positives), [1 / parts] * parts, seed)
    assert set(folds.tolist()) <= set(range(parts))
    counts = np.stack([positives[folds == fold].sum(axis=0) for fold in range(parts)])
    assert (np.abs(counts - positives.sum(axis=0) / parts) <= 1 + labels).all()
