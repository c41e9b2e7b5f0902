"""Micro-batching: requests that come together go through the model together, in fair turns."""

import asyncio
import logging
import math
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from affekt.serving.fair_queue import FairQueue, Job, Taken
from affekt.serving.logs import describe
from affekt.serving.problems import Problem

Item = TypeVar("Item")
Row = TypeVar("Row")

LOG = logging.getLogger("affekt.serving")
AHEAD = 1
"""Batches made up before a lane is free, when much waits, so that no lane stands still between two."""

PATIENCE = 4.0
"""A request may also wait this many times as long as its own texts take."""


class Watcher(Protocol):
    """Who wants to know what the batcher does, e.g. the metrics."""

    def batch(self, items: int, tokens: int, seconds: float) -> None:
        """A batch went through the model."""
        ...


@dataclass(frozen=True)
class BatchLimits:
    """What the batcher allows.

    Attributes:
        tokens: most tokens of a batch.
        wait: seconds that the first item of a batch waits for company.
        queue_items: most items that wait.
        queue_wait: seconds that a request may expect to wait.
    """

    tokens: int = 1024
    wait: float = 0.002
    queue_items: int = 10_000
    queue_wait: float = 0.08


class MicroBatcher(Generic[Item, Row]):
    """Lanes (worker threads) that run batches, and the one queue before them.

    Args:
        run: items in, one row of results for each out; called in a worker thread, one call at a time in each lane.
        limits: see there.
        watcher: told of every batch.
        lanes: batches that may be in the model at one time.
    """

    def __init__(
        self,
        run: Callable[[list[Item]], Sequence[Row]],
        limits: BatchLimits,
        watcher: Watcher | None = None,
        lanes: int = 1,
    ) -> None:
        self._run, self._limits, self._watcher, self._lanes = run, limits, watcher, lanes
        self._queue: FairQueue[Item] = FairQueue()
        self._first_came = 0.0
        self._company = False
        self._timer: asyncio.TimerHandle | None = None
        self._running: dict[asyncio.Task[None], float] = {}
        self._tokens_per_second = 0.0
        self._open = False
        self._threads = ThreadPoolExecutor(lanes, thread_name_prefix="affekt-model")

    @property
    def waiting(self) -> int:
        """Items in the queue."""
        return len(self._queue)

    @property
    def busy_seconds(self) -> float:
        """How long the oldest batch has been on its way; 0 if there is none."""
        return time.monotonic() - min(self._running.values()) if self._running else 0.0

    @property
    def alive(self) -> bool:
        """Whether requests are taken."""
        return self._open

    def start(self, speed: float = 10_000.0) -> None:
        """Begin to take requests.

        Args:
            speed: tokens a second of one lane, as a first guess.
        """
        self._tokens_per_second = self._lanes * speed
        self._open = True

    async def close(self) -> None:
        """Refuse new requests, finish those that wait, and stop the threads."""
        self._open = False
        while len(self._queue) or self._running:
            await asyncio.sleep(0.01)
        self._threads.shutdown(wait=True, cancel_futures=True)

    async def submit(self, client: str, items: Sequence[Item], costs: Sequence[int]) -> list[Row]:
        """Results of a request's items, in their order.

        Cancelling the call takes what still waits out of the queue.

        Raises:
            Problem: 429 if the wait would be too long, 503 while closing, 500 if the model fails on these items.
        """
        self.admit(client, sum(costs), len(items))
        future: asyncio.Future[list[Row]] = asyncio.get_running_loop().create_future()
        if not items:
            return []
        job = Job(client, items, costs, payload=future)
        if not len(self._queue):
            self._first_came = time.monotonic()
        self._queue.push(job)
        self._pump()
        try:
            return await future
        finally:
            self._queue.drop(job)

    def admit(self, client: str, tokens: int, items: int = 1) -> None:
        """Refuse a request at once if it could not be answered in time.

        Under round robin a client waits for its own backlog times the number of clients that have one, and never for
        more than everything that waits: a client that asks for little is let in whatever the others queue.

        Raises:
            Problem: 429 with the seconds to wait, or 503 while closing.
        """
        if not self._open:
            raise Problem(503, "stopping", "The server is about to stop.", retry_after=2)
        rate = self._tokens_per_second
        active = self._queue.clients + (not self._queue.backlog(client))
        ahead = min(self._queue.total, (self._queue.backlog(client) + tokens) * active - tokens)
        late = ahead / rate > self._limits.queue_wait + PATIENCE * tokens / rate
        if (late and self._queue.total) or len(self._queue) + items > self._limits.queue_items:
            seconds = min(60, max(1, math.ceil(ahead / rate)))
            sentence = "The server has more to do than it can answer in time; come again."
            raise Problem(429, "overloaded", sentence, retry_after=seconds)

    def _pump(self) -> None:
        """Start batches as long as something waits and a lane is free."""
        while self._may_start():
            taken = self._queue.take(self._share())
            self._first_came = time.monotonic()
            self._company = len({id(job) for job, _ in taken}) > 1
            task = asyncio.get_running_loop().create_task(self._process(taken))
            self._running[task] = time.monotonic()
            task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        del self._running[task]
        self._pump()

    def _may_start(self) -> bool:
        """Whether to start a batch now: a lane is free, or enough waits to have one ready when the next is."""
        if not len(self._queue):
            return False
        free = self._lanes - len(self._running)
        if free <= 0:
            return free > -AHEAD and self._queue.total > 2 * self._limits.tokens
        return not self._wait_for_company()

    def _wait_for_company(self) -> bool:
        """Wait for more, if the last batch showed that there is more to come, but not past the first item's limit."""
        left = self._limits.wait - (time.monotonic() - self._first_came)
        if not self._company or left <= 0 or self._queue.total >= self._limits.tokens:
            return False
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(left, self._company_came)
        return True

    def _company_came(self) -> None:
        self._timer = None
        self._company = False
        self._pump()

    def _share(self) -> int:
        """Tokens of the next batch: lanes that have nothing to do divide what waits among them."""
        idle = max(1, self._lanes - len(self._running))
        return min(self._limits.tokens, -(-self._queue.total // idle))

    async def _process(self, taken: list[Taken[Item]]) -> None:
        try:
            rows = await self._timed(taken)
        except Exception as error:  # noqa: BLE001 -- an engine may raise anything
            LOG.error("the model failed on a batch of %d: %s", len(taken), describe(error))
            await self._apart(taken)
        else:
            for (job, position), row in zip(taken, rows, strict=True):
                _deliver(job, position, row)

    async def _apart(self, taken: list[Taken[Item]]) -> None:
        """Run a failed batch again job by job, so that only the request that it failed on fails."""
        for job in dict.fromkeys(job for job, _ in taken):
            part = [(owner, position) for owner, position in taken if owner is job]
            try:
                rows = await self._timed(part)
            except Exception as error:  # noqa: BLE001
                LOG.error("the model failed on one request: %s", describe(error))
                self._queue.drop(job)
                if not job.payload.done():
                    job.payload.set_exception(Problem(500, "internal", "The model failed on this request."))
            else:
                for (owner, position), row in zip(part, rows, strict=True):
                    _deliver(owner, position, row)

    async def _timed(self, taken: list[Taken[Item]]) -> Sequence[Row]:
        items = [job.items[position] for job, position in taken]
        tokens = sum(job.costs[position] for job, position in taken)
        rows, seconds = await asyncio.get_running_loop().run_in_executor(self._threads, self._run_timed, items)
        self._learn(tokens, seconds)
        if self._watcher is not None:
            self._watcher.batch(len(items), tokens, seconds)
        return rows

    def _run_timed(self, items: list[Item]) -> tuple[Sequence[Row], float]:
        started = time.monotonic()
        rows = self._run(items)
        return rows, max(time.monotonic() - started, 1e-6)

    def _learn(self, tokens: int, seconds: float) -> None:
        """Follow the speed of all lanes together; a small batch can only show that it is faster than thought."""
        speed = self._lanes * tokens / seconds
        if speed > self._tokens_per_second:
            self._tokens_per_second += 0.5 * (speed - self._tokens_per_second)
        elif 2 * tokens >= self._limits.tokens:
            self._tokens_per_second += 0.1 * (speed - self._tokens_per_second)


def _deliver(job: Job[Any], position: int, row: Any) -> None:
    job.rows[position] = row
    job.missing -= 1
    if not job.missing and not job.payload.done():
        job.payload.set_result(job.rows)
