import threading
import time
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affekt.bulk.pipeline import run


@given(st.lists(st.integers(), max_size=30))
@settings(deadline=None)
def test_every_item_passes_once_and_in_order(items: list[int]) -> None:
    assert list(run(items, lambda item: item + 1, lambda item, scored: (item, scored))) == [
        (item, item + 1) for item in items
    ]


def test_the_stages_run_side_by_side() -> None:
    """The reader is ahead of the scorer, and the writer behind it, all at one time."""
    meeting = threading.Barrier(3, timeout=10)

    def read() -> Iterator[int]:
        for number in range(6):
            if number == 3:
                meeting.wait()
            yield number

    def score(item: int) -> int:
        if item == 1:
            meeting.wait()
        return item

    def write(item: int, _scored: int) -> int:
        if item == 0:
            meeting.wait()
        return item

    assert list(run(read(), score, write)) == list(range(6))


def test_few_items_are_held_at_a_time() -> None:
    taken: list[int] = []

    def read() -> Iterator[int]:
        for number in range(50):
            taken.append(number)
            yield number

    stages = run(read(), lambda item: item, lambda item, _: item)
    next(stages)
    time.sleep(0.2)
    assert len(taken) <= 5
    stages.close()


@pytest.mark.parametrize("stage", ["read", "score", "write"])
def test_an_error_of_any_stage_is_raised_and_every_thread_ends(stage: str) -> None:
    def fail(where: str, item: int) -> int:
        if where == stage and item == 3:
            raise ValueError(stage)
        return item

    before = threading.active_count()
    done: list[int] = []
    items = (fail("read", number) for number in range(100))
    with pytest.raises(ValueError, match=stage):
        done.extend(run(items, lambda item: fail("score", item), lambda item, _: fail("write", item)))
    assert done == sorted(done)
    assert set(done) <= {0, 1, 2}
    assert threading.active_count() == before


def test_stopping_early_ends_every_thread() -> None:
    before = threading.active_count()
    stages = run(iter(range(1000)), lambda item: item, lambda item, _: item)
    next(stages)
    stages.close()
    assert threading.active_count() == before


def test_what_was_written_is_told_even_if_scoring_fails_then() -> None:
    written = []

    def score(item: int) -> int:
        if item == 2:
            raise ValueError("later")
        return item

    with pytest.raises(ValueError, match="later"):
        list(run(range(5), score, lambda item, _: written.append(item)))
    assert written == [0, 1]
