"""What Prometheus is told; counts and times only, never a text."""

import os
from collections.abc import Callable
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)


class Metrics:
    """The counters of one process.

    Args:
        shared: folder in which several processes keep their counters, so that any of them can answer for all.
    """

    def __init__(self, shared: Path | None = None) -> None:
        self._shared = shared
        self.registry = own = CollectorRegistry()
        self.requests = Counter("affekt_requests", "Answers, by path and status.", ["path", "status"], registry=own)
        self.refused = Counter("affekt_refused", "Requests refused, by the error's code.", ["code"], registry=own)
        self.seconds = Histogram(
            "affekt_request_seconds", "From head to answer.", ["path"], buckets=SECONDS, registry=own
        )
        self.texts = Counter("affekt_texts", "Texts answered.", registry=own)
        self.cancelled = Counter("affekt_cancelled", "Requests whose client left before the answer.", registry=own)
        self.tokens = Counter("affekt_tokens", "Tokens that went through the model.", registry=own)
        self.batch_rows = Histogram("affekt_batch_rows", "Texts (windows) of a batch.", buckets=SIZES, registry=own)
        self.batch_seconds = Histogram("affekt_batch_seconds", "Time in the model.", buckets=SECONDS, registry=own)
        self._gauges: dict[str, Gauge] = {}
        if shared is not None:
            _forget_dead_processes(shared)

    def gauge(self, name: str, help_line: str, value: Callable[[], float]) -> None:
        """A figure that is asked for when it is wanted; left out where several processes share their counters."""
        if self._shared is None:
            self._gauges[name] = gauge = Gauge(name, help_line, registry=self.registry)
            gauge.set_function(value)

    def batch(self, items: int, tokens: int, seconds: float) -> None:
        """A batch went through the model."""
        self.tokens.inc(tokens)
        self.batch_rows.observe(items)
        self.batch_seconds.observe(seconds)

    def answered(self, path: str, status: int, seconds: float) -> None:
        """A request was answered."""
        self.requests.labels(path, str(status)).inc()
        self.seconds.labels(path).observe(seconds)

    def text(self) -> bytes:
        """Everything, in Prometheus' text format."""
        if self._shared is None:
            return generate_latest(self.registry)
        registry = CollectorRegistry()
        MultiProcessCollector(registry, path=str(self._shared))  # type: ignore[no-untyped-call]
        return generate_latest(registry)


def _forget_dead_processes(folder: Path) -> None:
    for file in folder.glob("gauge_live*_*.db"):
        number = file.stem.rsplit("_", 1)[-1]
        if number.isdigit() and not _alive(int(number)):
            mark_process_dead(int(number), path=str(folder))  # type: ignore[no-untyped-call]


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
