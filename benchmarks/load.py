"""An open-loop load generator for HTTP on loopback: requests leave on a schedule, whatever the server does.

Latency counts from the moment a request was due, so that a server that stalls cannot hide it (no coordinated omission).
"""

import asyncio
import random
import time
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

MAX_CONNECTIONS = 800


@dataclass
class Report:
    """What came of a run.

    Attributes:
        rate: requests a second that were sent.
        seconds: how long.
        statuses: answers by status; 0 for a broken connection.
        latencies: seconds of each answer with status 200, from when it was due.
        refusals: seconds of each other answer.
        wrong: answers that were not those of their request.
    """

    rate: float
    seconds: float
    statuses: Counter[int] = field(default_factory=Counter)
    latencies: list[float] = field(default_factory=list)
    refusals: list[float] = field(default_factory=list)
    wrong: int = 0

    def quantile(self, share: float, *, refused: bool = False) -> float:
        """A quantile of the latencies in milliseconds."""
        values = sorted(self.refusals if refused else self.latencies)
        return 1000 * values[min(len(values) - 1, int(share * len(values)))] if values else float("nan")

    def to_dict(self) -> dict[str, object]:
        """Figures for a table."""
        return {
            "sent_per_second": round(self.rate, 1),
            "answered_per_second": round(len(self.latencies) / self.seconds, 1),
            "p50_ms": round(self.quantile(0.5), 1),
            "p99_ms": round(self.quantile(0.99), 1),
            "max_ms": round(self.quantile(1.0), 1),
            "refused_p99_ms": round(self.quantile(0.99, refused=True), 1),
            "statuses": dict(self.statuses),
            "wrong_answers": self.wrong,
        }


class _Connection(asyncio.Protocol):
    """A keep-alive connection with at most one request on it."""

    def __init__(self, run: "_Run") -> None:
        self.run, self.buffer, self.job = run, b"", None
        self.transport: asyncio.Transport | None = None
        self.job: tuple[float, int] | None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]

    def send(self, due: float, number: int) -> None:
        self.job, self.buffer = (due, number), b""
        assert self.transport is not None
        self.transport.write(self.run.requests[number])

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, found, body = self.buffer.partition(b"\r\n\r\n")
        if not found:
            return
        start = head.lower().find(b"content-length: ")
        length = int(head[start + 16 : start + 28].split(b"\r\n", 1)[0])
        if len(body) < length:
            return
        job, self.job = self.job, None
        if job is not None:
            self.run.answered(self, job, int(head[9:12]), body)

    def connection_lost(self, _: Exception | None) -> None:
        self.run.lost(self, self.job)


class _Run:
    def __init__(self, url: str, requests: Sequence[bytes], expected: Sequence[bytes | None], report: Report) -> None:
        parts = urlsplit(url)
        self.host, self.port = str(parts.hostname), int(parts.port or 80)
        self.requests, self.expected, self.report = requests, expected, report
        self.free: deque[_Connection] = deque()
        self.waiting: deque[tuple[float, int]] = deque()
        self.open = 0
        self.pending = 0
        self.tasks: set[asyncio.Task[None]] = set()

    def fire(self, due: float, number: int) -> None:
        self.pending += 1
        if self.free:
            self.free.pop().send(due, number)
        else:
            self.waiting.append((due, number))
            if self.open < MAX_CONNECTIONS:
                self.open += 1
                task = asyncio.get_running_loop().create_task(self._connect())
                self.tasks.add(task)
                task.add_done_callback(self.tasks.discard)

    async def _connect(self) -> None:
        try:
            _, connection = await asyncio.get_running_loop().create_connection(
                lambda: _Connection(self), self.host, self.port
            )
        except OSError:
            self.open -= 1
            if self.waiting:
                self._count(self.waiting.popleft(), 0)
            return
        self._next(connection)

    def _next(self, connection: _Connection) -> None:
        if self.waiting:
            connection.send(*self.waiting.popleft())
        else:
            self.free.append(connection)

    def answered(self, connection: _Connection, job: tuple[float, int], status: int, body: bytes) -> None:
        expected = self.expected[job[1]]
        if status == 200 and expected is not None and results_of(body) != expected:
            self.report.wrong += 1
        self._count(job, status)
        self._next(connection)

    def lost(self, connection: _Connection, job: tuple[float, int] | None) -> None:
        self.open -= 1
        if job is not None:
            self._count(job, 0)
        elif connection in self.free:
            self.free.remove(connection)

    def _count(self, job: tuple[float, int], status: int) -> None:
        self.pending -= 1
        self.report.statuses[status] += 1
        (self.report.latencies if status == 200 else self.report.refusals).append(time.perf_counter() - job[0])


def results_of(body: bytes) -> bytes:
    """The part of an answer of ``/v1/classify`` that depends on the text only."""
    return body[body.find(b'"results":') : body.rfind(b',"milliseconds"')]


def http_post(url: str, path: str, body: bytes) -> bytes:
    """A request as it goes over the wire."""
    parts = urlsplit(url)
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    )
    return head.encode() + b"\r\n\r\n" + body


async def open_loop(
    url: str,
    requests: Sequence[bytes],
    rate: float,
    seconds: float,
    expected: Sequence[bytes | None] | None = None,
    seed: int = 0,
) -> Report:
    """Send requests at Poisson times.

    Args:
        url: of the server; loopback only.
        requests: as they go over the wire; drawn at random.
        rate: requests a second.
        seconds: for how long; answers get 10 s more.
        expected: what the answer to each request must hold (see :func:`results_of`).
        seed: of the times and of the order.
    """
    host = urlsplit(url).hostname
    if host not in ("127.0.0.1", "localhost", "::1"):
        raise ValueError(f"Load goes to loopback only, not to '{host}'.")
    generator = random.Random(seed)  # noqa: S311 -- a schedule, not a secret
    report = Report(rate, seconds)
    run = _Run(url, requests, expected or [None] * len(requests), report)
    start = due = time.perf_counter()
    while due < start + seconds:
        due += generator.expovariate(rate)
        delay = due - time.perf_counter()
        if delay > 0.0005:
            await asyncio.sleep(delay)
        run.fire(due, generator.randrange(len(requests)))
    deadline = time.perf_counter() + 10
    while run.pending and time.perf_counter() < deadline:
        await asyncio.sleep(0.01)
    report.statuses[-1] += run.pending
    for connection in run.free:
        if connection.transport is not None:
            connection.transport.close()
    await asyncio.sleep(0.05)
    return report
