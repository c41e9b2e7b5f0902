"""Batches: every text once, never over the budget, similar lengths together."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from affekt.batching import batches, pad
from affekt.errors import SettingError

LENGTHS = st.lists(st.integers(0, 60), max_size=80)


@given(LENGTHS, st.integers(1, 200), st.one_of(st.none(), st.integers(1, 9)), st.booleans())
def test_every_text_is_in_exactly_one_batch(lengths: list[int], budget: int, most: int | None, equal: bool) -> None:
    found = batches(lengths, budget, most, equal=equal)
    assert sorted(int(position) for batch in found for position in batch) == list(range(len(lengths)))
    assert all(len(batch) for batch in found)


@given(LENGTHS, st.integers(1, 200), st.one_of(st.none(), st.integers(1, 9)), st.booleans())
def test_no_batch_is_over_the_budget_unless_it_is_one_text(
    lengths: list[int], budget: int, most: int | None, equal: bool
) -> None:
    for batch in batches(lengths, budget, most, equal=equal):
        width = max(lengths[position] for position in batch)
        assert len(batch) == 1 or len(batch) * width <= max(budget, len(batch))
        assert most is None or len(batch) <= most


@given(LENGTHS, st.integers(1, 200))
def test_equal_batches_need_no_padding(lengths: list[int], budget: int) -> None:
    for batch in batches(lengths, budget, equal=True):
        assert len({lengths[position] for position in batch}) == 1


@given(LENGTHS)
def test_batches_come_longest_first_and_keep_the_order_of_equals(lengths: list[int]) -> None:
    order = [int(position) for batch in batches(lengths, 50) for position in batch]
    assert order == sorted(range(len(lengths)), key=lambda position: -lengths[position])


@pytest.mark.parametrize(("budget", "most"), [(0, None), (-3, 4), (8, 0)])
def test_a_limit_that_admits_nothing_is_refused(budget: int, most: int | None) -> None:
    with pytest.raises(SettingError, match="at least 1"):
        batches([3, 4], budget, most)


@given(st.lists(st.lists(st.integers(1, 99), max_size=9), max_size=9), st.integers(0, 3))
def test_padding_keeps_every_id_and_marks_the_rest(rows: list[list[int]], fill: int) -> None:
    ids, mask = pad(rows, fill)
    assert ids.shape == mask.shape == (len(rows), max(map(len, rows), default=0))
    assert ids.dtype == mask.dtype == np.int64
    assert [row[keep.astype(bool)].tolist() for row, keep in zip(ids, mask, strict=True)] == rows
    assert (ids[mask == 0] == fill).all()
