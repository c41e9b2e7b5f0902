"""How far a job is: a line that is rewritten on a terminal, a line a minute elsewhere."""

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self, TextIO

EVERY_TERMINAL = 1.0
EVERY_ELSEWHERE = 60.0


class Progress:
    """Reports progress while it is entered.

    Args:
        stream: where to; None for silence.
        every: seconds between reports; 1 on a terminal and 60 elsewhere by default.
        clock: seconds that pass.
    """

    def __init__(
        self,
        stream: TextIO | None,
        *,
        every: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stream = stream
        self._terminal = stream is not None and stream.isatty()
        self._every = every or (EVERY_TERMINAL if self._terminal else EVERY_ELSEWHERE)
        self._clock = clock
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._began = clock()
        self._first = 0.0
        self._before = 0
        self._share = 0.0
        self._last_step = ""
        self.rows = 0

    def start(self, rows: int, share: float) -> None:
        """Say where an earlier run left off.

        Args:
            rows: read before.
            share: of the input, between 0 and 1.
        """
        self._began = self._clock()
        self._before = self.rows = rows
        self._first = self._share = share

    def update(self, rows: int, share: float) -> None:
        """Say where the job is.

        Args:
            rows: read by now, in shards that are committed.
            share: of the input, between 0 and 1.
        """
        self.rows = rows
        self._share = max(self._share, share)

    def finishing(self, step: str) -> None:
        """Say that all rows are read, and what is left to do, which takes minutes where there are many.

        Args:
            step: in the words of a report, ``joining 500 shards`` for instance.
        """
        self._last_step = step

    def say(self, sentence: str) -> None:
        """Report something in a line of its own."""
        if self._stream is not None:
            self._stream.write(f"{self._clear()}{sentence}\n")
            self._stream.flush()

    def line(self) -> str:
        """The present state in words."""
        if self._last_step:
            return f"{self.rows:,} rows, {self._last_step}"
        seconds = max(self._clock() - self._began, 1e-9)
        rate = (self.rows - self._before) / seconds
        done = self._share - self._first
        left = f"{duration(seconds * (1.0 - self._share) / done)} left" if done > 0 else "time left not known yet"
        return f"{self.rows:,} rows, {rate:,.0f} rows/s, {self._share:.1%}, {left}"

    def __enter__(self) -> Self:
        """Begin to report."""
        if self._stream is not None:
            self._thread = threading.Thread(target=self._tick, name="progress", daemon=True)
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Report no more."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        if self._terminal and self._stream is not None:
            self._stream.write(self._clear())
            self._stream.flush()

    def _tick(self) -> None:
        while not self._stop.wait(self._every):
            self.show()

    def show(self) -> None:
        """Report the present state."""
        if self._stream is not None:
            self._stream.write(f"{self._clear()}{self.line()}{'' if self._terminal else chr(10)}")
            self._stream.flush()

    def _clear(self) -> str:
        return "\r\x1b[K" if self._terminal else ""


def duration(seconds: float) -> str:
    """A duration as people say it: ``45 s``, ``12 min``, ``3 h 05 min``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60:,} h {minutes % 60:02d} min"
