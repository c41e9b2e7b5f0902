"""Batch plans lose and repeat nothing, whatever the sizes, the processes and the point of resuming."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from affekt.errors import SettingError
from affekt.training.batching.sampling import BatchPlan

sizes = st.tuples(st.integers(1, 200), st.integers(1, 50), st.integers(0, 2**40))


@given(sizes, st.integers(0, 5))
def test_an_epoch_visits_every_text_once(size: tuple[int, int, int], epoch: int) -> None:
    plan = BatchPlan(*size)
    batches = list(plan.epoch_batches(epoch))
    assert sorted(np.concatenate(batches).tolist()) == list(range(plan.texts))
    assert len(batches) == plan.steps_per_epoch
    assert all(len(batch) == plan.batch_size for batch in batches[:-1])
    assert 1 <= len(batches[-1]) <= plan.batch_size


@given(sizes, st.integers(1, 9), st.integers(0, 20))
def test_processes_share_a_batch_without_loss_or_repeat(size: tuple[int, int, int], world: int, step: int) -> None:
    plans = [BatchPlan(*size, world_size=world, rank=rank) for rank in range(world)]
    whole = BatchPlan(*size).batch(step)
    shares = [plan.share(plan.batch(step)) for plan in plans]
    assert sorted(np.concatenate(shares).tolist()) == sorted(whole.tolist())
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


@given(sizes, st.integers(0, 40), st.integers(0, 40))
def test_resuming_anywhere_goes_on_the_same(size: tuple[int, int, int], start: int, length: int) -> None:
    plan = BatchPlan(*size)
    whole = list(plan.batches(0, start + length))
    resumed = list(BatchPlan(*size).batches(start, start + length))
    assert len(whole) == start + length
    assert [batch.tolist() for batch in resumed] == [batch.tolist() for batch in whole[start:]]
    assert [plan.batch(step).tolist() for step in range(start, start + length)] == [b.tolist() for b in resumed]


def test_epochs_and_seeds_have_orders_of_their_own() -> None:
    orders = [BatchPlan(100, 10, seed).order(epoch).tolist() for seed in (0, 1) for epoch in (0, 1)]
    assert len({tuple(order) for order in orders}) == 4
    assert all(first != second for first, second in pairwise(orders))


def test_the_order_never_changes_between_versions() -> None:
    assert BatchPlan(8, 4, seed=7).order(3).tolist() == [2, 4, 7, 3, 5, 1, 0, 6]


def test_orders_are_even() -> None:
    """Each text is first about equally often: a chi-square far from any reasonable doubt."""
    firsts = np.bincount([BatchPlan(10, 5, seed).order(0)[0] for seed in range(2000)], minlength=10)
    assert ((firsts - 200.0) ** 2 / 200.0).sum() < 40


@given(sizes, st.integers(1, 60), st.integers(0, 90), st.integers(0, 6))
def test_epochs_mix_in_the_pool_evenly(size: tuple[int, int, int], pool: int, drawn: int, epochs: int) -> None:
    plan = BatchPlan(*size, pool=pool, drawn=drawn)
    seen = np.zeros(pool, dtype=int)
    for epoch in range(epochs):
        order = np.concatenate(list(plan.epoch_batches(epoch)))
        assert sorted(order[order < plan.texts].tolist()) == list(range(plan.texts))
        own = order[order >= plan.texts] - plan.texts
        assert len(own) == drawn
        seen += np.bincount(own, minlength=pool)
        assert seen.max() - seen.min() <= 1
    steps = min(epochs, 2) * plan.steps_per_epoch
    whole = [plan.batch(step).tolist() for step in range(steps)]
    assert [batch.tolist() for batch in plan.batches(0, steps)] == whole


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"texts": 0, "batch_size": 1, "seed": 0}, "texts"),
        ({"texts": 1, "batch_size": 0, "seed": 0}, "batch_size"),
        ({"texts": 1, "batch_size": 1, "seed": -1}, "seed"),
        ({"texts": 1, "batch_size": 1, "seed": 0, "drawn": 2}, "draw 2 texts from a pool of 0"),
        ({"texts": 1, "batch_size": 1, "seed": 0, "world_size": 0}, "world_size"),
        ({"texts": 1, "batch_size": 1, "seed": 0, "world_size": 2, "rank": 2}, "rank"),
    ],
)
def test_bad_sizes_are_named(arguments: dict[str, int], named: str) -> None:
    with pytest.raises(SettingError, match=named):
        BatchPlan(**arguments)
