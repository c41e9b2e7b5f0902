"""Texts that wait for the model, and whose turn it is: clients take turns, however much each of them has queued."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

Item = TypeVar("Item")

QUANTUM = 64
"""Tokens that a client may place in a batch before the next client's turn comes."""


@dataclass(eq=False, slots=True)
class Job(Generic[Item]):
    """The items of one request.

    Attributes:
        client: whose request it is.
        items: what goes through the model, e.g. rows of token ids.
        costs: tokens of each item.
        waiting: positions of items not yet taken, longest item first (a batch of like lengths pads little).
        rows: results by position.
        payload: the caller's own, e.g. a future.
    """

    client: str
    items: Sequence[Item]
    costs: Sequence[int]
    payload: Any = None
    waiting: deque[int] = field(init=False)
    rows: list[Any] = field(init=False)
    missing: int = field(init=False)

    def __post_init__(self) -> None:
        """Put the longest items first."""
        self.waiting = deque(sorted(range(len(self.items)), key=lambda position: -self.costs[position]))
        self.rows = [None] * len(self.items)
        self.missing = len(self.items)

    @property
    def backlog(self) -> int:
        """Tokens not yet taken."""
        return sum(self.costs[position] for position in self.waiting)


Taken = tuple[Job[Item], int]


class FairQueue(Generic[Item]):
    """Round robin over clients, first come first served within a client."""

    def __init__(self) -> None:
        self._jobs: dict[str, deque[Job[Item]]] = {}
        self._turns: deque[str] = deque()
        self._tokens: dict[str, int] = {}
        self.total = 0
        self.items = 0

    def __len__(self) -> int:
        """Items that wait."""
        return self.items

    @property
    def clients(self) -> int:
        """Clients that have something waiting."""
        return len(self._turns)

    def backlog(self, client: str) -> int:
        """Tokens that wait for a client."""
        return self._tokens.get(client, 0)

    def push(self, job: Job[Item]) -> None:
        """Queue a job behind its client's others."""
        if not job.items:
            return
        if job.client not in self._jobs:
            self._jobs[job.client] = deque()
            self._tokens[job.client] = 0
            self._turns.append(job.client)
        self._jobs[job.client].append(job)
        self._count(job.client, sum(job.costs), len(job.items))

    def drop(self, job: Job[Item]) -> None:
        """Forget what a job still has waiting."""
        jobs = self._jobs.get(job.client)
        if jobs is None or job not in jobs:
            return
        self._count(job.client, -job.backlog, -len(job.waiting))
        job.waiting.clear()
        jobs.remove(job)
        if not jobs:
            self._forget(job.client)

    def take(self, budget: int) -> list[Taken[Item]]:
        """The next batch: at least one item if any waits, else at most ``budget`` tokens."""
        taken: list[Taken[Item]] = []
        room = budget
        while self._turns and (room > 0 or not taken):
            client = self._turns[0]
            used = 0
            for job, position in self._turn(client, room, must=not taken):
                taken.append((job, position))
                used += job.costs[position]
            if not used:
                break
            room -= used
            self._end_turn(client)
        return taken

    def _turn(self, client: str, room: int, *, must: bool) -> Iterator[Taken[Item]]:
        """Items of one client, up to a quantum and to the room that is left; one at least where it must."""
        allowance = QUANTUM
        for job in tuple(self._jobs[client]):
            while job.waiting:
                cost = job.costs[job.waiting[0]]
                if allowance <= 0 or (cost > room and not must):
                    return
                position = job.waiting.popleft()
                self._count(client, -cost, -1)
                allowance, room, must = allowance - cost, room - cost, False
                yield job, position
            self._jobs[client].popleft()

    def _end_turn(self, client: str) -> None:
        self._turns.popleft()
        if self._jobs[client]:
            self._turns.append(client)
        else:
            del self._jobs[client], self._tokens[client]

    def _forget(self, client: str) -> None:
        del self._jobs[client], self._tokens[client]
        self._turns.remove(client)

    def _count(self, client: str, tokens: int, items: int) -> None:
        self._tokens[client] += tokens
        self.total += tokens
        self.items += items
