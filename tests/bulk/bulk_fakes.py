"""A scorer without a model, whose last bits depend on which texts share a batch, as a real one's do."""

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np

from affekt.bulk.scoring import BoolArray, FloatArray

LABELS = ("joy", "anger", "fear")


class FakeScorer:
    """Scores made from the texts' checksums.

    Args:
        noise: how much a text's scores depend on the texts scored with it.
        delay: seconds per call.
        version: shown in the identity.
    """

    def __init__(self, *, noise: float = 0.0, delay: float = 0.0, version: str = "1") -> None:
        self.noise = noise
        self.delay = delay
        self.version = version
        self.calls: list[list[str]] = []

    @property
    def labels(self) -> tuple[str, ...]:
        return LABELS

    @property
    def identity(self) -> Mapping[str, Any]:
        return {"name": "fake", "version": self.version, "backend": "none"}

    def scores(self, texts: Sequence[str]) -> FloatArray:
        self.calls.append(list(texts))
        time.sleep(self.delay)
        sums = np.array([crc32(text.encode()) for text in texts], dtype=np.uint32)
        own = np.stack([sums >> shift & 0xFF for shift in (0, 8, 16)], axis=1) / 255
        batch = (int(sums.sum()) % 1000) / 1000
        return (own * (1 - self.noise) + batch * self.noise).astype(np.float32)

    def decide(self, scores: FloatArray) -> BoolArray:
        decided: BoolArray = scores >= np.float32(0.5)
        return decided


class StopError(Exception):
    """Stands in for a kill."""


class StoppingScorer(FakeScorer):
    """Stops after some calls."""

    def __init__(self, calls: int, **given: Any) -> None:
        super().__init__(**given)
        self.left = calls

    def scores(self, texts: Any) -> Any:
        if self.left == 0:
            raise StopError
        self.left -= 1
        return super().scores(texts)


@dataclass(frozen=True)
class FakeSpec:
    """Opens a fake scorer in another process.

    Attributes:
        noise: see :class:`FakeScorer`.
        delay: see :class:`FakeScorer`.
        threads: none of its own.
        pids: a folder in which every process that opens the scorer leaves its number.
    """

    noise: float = 0.0
    delay: float = 0.0
    threads: int | None = 1
    pids: str | None = None

    def open(self) -> FakeScorer:
        """The scorer."""
        if self.pids:
            (Path(self.pids) / str(os.getpid())).touch()
        return FakeScorer(noise=self.noise, delay=self.delay)
