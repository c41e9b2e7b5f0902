"""The batcher: every request gets its own results, overload is told at once, cancelled work is not done."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest

from affekt.serving.batcher import BatchLimits, MicroBatcher
from affekt.serving.problems import Problem

Batcher = MicroBatcher[int, int]


class Model:
    """Doubles numbers, remembers the batches, and waits for leave if asked to."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.batches: list[list[int]] = []
        self.seconds = seconds
        self.leave = threading.Event()
        self.leave.set()

    def __call__(self, items: list[int]) -> Sequence[int]:
        self.leave.wait(10)
        time.sleep(self.seconds)
        self.batches.append(list(items))
        if any(item < 0 for item in items):
            raise ValueError("negative")
        return [2 * item for item in items]


def run(test: Callable[[Batcher, Model], Awaitable[None]], lanes: int = 1, **limits: Any) -> Model:
    model = Model()

    async def main() -> None:
        batcher: Batcher = MicroBatcher(model, BatchLimits(**limits), lanes=lanes)
        batcher.start(1000.0)
        try:
            await test(batcher, model)
        finally:
            model.leave.set()
            await batcher.close()

    asyncio.run(main())
    return model


async def ask(batcher: Batcher, *items: int, client: str = "a", cost: int = 10) -> list[int]:
    return await batcher.submit(client, items, [cost] * len(items))


@pytest.mark.parametrize("lanes", [1, 3])
def test_everybody_gets_their_own_results(lanes: int) -> None:
    async def test(batcher: Batcher, _: Model) -> None:
        questions = [[n, n + 1, n + 2][: n % 4] for n in range(300)]
        answers = await asyncio.gather(*(ask(batcher, *q, client=f"c{i % 7}") for i, q in enumerate(questions)))
        assert answers == [[2 * item for item in question] for question in questions]

    run(test, lanes=lanes, tokens=50, queue_wait=100.0)


def test_requests_that_come_together_share_a_batch() -> None:
    async def test(batcher: Batcher, model: Model) -> None:
        model.leave.clear()
        first = asyncio.create_task(ask(batcher, 1))
        await asyncio.sleep(0.02)
        others = [asyncio.create_task(ask(batcher, n)) for n in range(2, 6)]
        await asyncio.sleep(0.02)
        model.leave.set()
        await asyncio.gather(first, *others)

    assert [sorted(batch) for batch in run(test, queue_wait=10.0).batches] == [[1], [2, 3, 4, 5]]


def test_batches_keep_to_the_token_budget() -> None:
    async def test(batcher: Batcher, _: Model) -> None:
        await ask(batcher, *range(100))

    assert max(map(len, run(test, tokens=50).batches)) == 5


def test_lanes_divide_what_waits() -> None:
    async def test(batcher: Batcher, model: Model) -> None:
        model.seconds = 0.02
        await ask(batcher, *range(8))

    assert sorted(map(len, run(test, lanes=2, tokens=1000).batches)) == [4, 4]


def test_overload_is_told_at_once() -> None:
    async def test(batcher: Batcher, model: Model) -> None:
        model.leave.clear()
        waiting = [asyncio.create_task(ask(batcher, 0))]
        await asyncio.sleep(0.02)
        waiting += [asyncio.create_task(ask(batcher, n)) for n in range(1, 20)]
        await asyncio.sleep(0.02)
        with pytest.raises(Problem) as caught:
            await ask(batcher, 99)
        assert (caught.value.status, caught.value.code, caught.value.retry_after) == (429, "overloaded", 1)
        model.leave.set()
        done = await asyncio.gather(*waiting, return_exceptions=True)
        assert sum(isinstance(answer, list) for answer in done) > 5

    run(test, queue_wait=0.1)


def test_a_modest_client_is_let_in_past_a_greedy_one() -> None:
    async def test(batcher: Batcher, model: Model) -> None:
        model.leave.clear()
        greedy = asyncio.create_task(ask(batcher, *range(1000), client="greedy"))
        await asyncio.sleep(0.02)
        with pytest.raises(Problem):
            await ask(batcher, 1, client="greedy")
        modest = asyncio.create_task(ask(batcher, 1, client="modest"))
        await asyncio.sleep(0.02)
        model.leave.set()
        assert await modest == [2]
        assert not greedy.done()
        assert len(await greedy) == 1000

    run(test, tokens=100, queue_wait=0.1)


def test_the_queue_has_an_end() -> None:
    async def test(batcher: Batcher, model: Model) -> None:
        with pytest.raises(Problem) as caught:
            await ask(batcher, *range(11))
        assert caught.value.status == 429
        assert model.batches == []

    run(test, queue_items=10)


def test_cancelled_work_is_not_done() -> None:
    async def test(batcher: Batcher, model: Model) -> None:
        model.leave.clear()
        first = asyncio.create_task(ask(batcher, 1))
        await asyncio.sleep(0.02)
        gone = asyncio.create_task(ask(batcher, *range(100, 150)))
        stays = asyncio.create_task(ask(batcher, 2))
        await asyncio.sleep(0.02)
        gone.cancel()
        await asyncio.sleep(0)
        assert batcher.waiting == 1
        model.leave.set()
        assert await asyncio.gather(first, stays) == [[2], [4]]

    assert run(test, queue_wait=10.0).batches == [[1], [2]]


def test_a_failure_stays_with_its_request(caplog: pytest.LogCaptureFixture) -> None:
    async def test(batcher: Batcher, model: Model) -> None:
        model.leave.clear()
        first = asyncio.create_task(ask(batcher, 1))
        await asyncio.sleep(0.02)
        together = [asyncio.create_task(ask(batcher, n)) for n in (2, -3, 4)]
        await asyncio.sleep(0.02)
        model.leave.set()
        answers = await asyncio.gather(first, *together, return_exceptions=True)
        assert [answers[0], answers[1], answers[3]] == [[2], [4], [8]]
        assert isinstance(answers[2], Problem)
        assert answers[2].status == 500
        assert await ask(batcher, 5) == [10]

    run(test, queue_wait=10.0)
    assert "ValueError" in caplog.text
    assert "negative" not in caplog.text


def test_closing_finishes_what_waits_and_refuses_the_rest() -> None:
    async def test(batcher: Batcher, model: Model) -> None:
        model.leave.clear()
        waiting = [asyncio.create_task(ask(batcher, n)) for n in range(5)]
        await asyncio.sleep(0.02)
        closing = asyncio.create_task(batcher.close())
        await asyncio.sleep(0.02)
        assert not batcher.alive
        with pytest.raises(Problem) as caught:
            await ask(batcher, 9)
        assert (caught.value.status, caught.value.retry_after) == (503, 2)
        model.leave.set()
        await closing
        assert await asyncio.gather(*waiting) == [[2 * n] for n in range(5)]

    run(test, queue_wait=10.0)


def test_a_batch_that_hangs_is_noticed() -> None:
    async def test(batcher: Batcher, model: Model) -> None:
        assert batcher.busy_seconds == 0
        model.leave.clear()
        task = asyncio.create_task(ask(batcher, 1))
        await asyncio.sleep(0.05)
        assert batcher.busy_seconds > 0.01
        model.leave.set()
        await task

    run(test)


def test_a_lone_request_does_not_wait_for_company() -> None:
    async def test(batcher: Batcher, _: Model) -> None:
        await asyncio.wait_for(ask(batcher, 1), 2)
        await asyncio.wait_for(ask(batcher, 2), 2)

    assert run(test, wait=30.0).batches == [[1], [2]]


def test_nothing_asked_nothing_answered() -> None:
    async def test(batcher: Batcher, _: Model) -> None:
        assert await ask(batcher) == []

    assert run(test).batches == []
