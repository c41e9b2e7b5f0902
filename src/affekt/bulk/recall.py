"""Scores of texts seen before: bounded, and the same after a restart as without one.

A model's last bits can depend on which texts share a batch, so a text that was remembered and the same text scored
again need not agree to the bit. What is remembered is therefore part of the job's state: it grows and shrinks by whole
shards, each shard's share is written beside it, and a job that goes on reads back exactly the shares it would have had.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
WIDTH = 16


def digest(text: str) -> bytes:
    """16 bytes that stand for a text."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=WIDTH).digest()


@dataclass(frozen=True)
class Generation:
    """The distinct texts of one shard.

    Attributes:
        keys: their digests.
        scores: (texts, labels) float32.
    """

    keys: list[bytes]
    scores: FloatArray

    def save(self, path: Path) -> None:
        """Write it: the digests, then the scores."""
        with open(path, "wb") as file:
            file.write(b"".join(self.keys))
            file.write(self.scores.astype("<f4").tobytes())

    @classmethod
    def load(cls, path: Path, texts: int) -> "Generation":
        """Read what :meth:`save` wrote for ``texts`` texts."""
        content = path.read_bytes()
        split = texts * WIDTH
        keys = [content[start : start + WIDTH] for start in range(0, split, WIDTH)]
        scores = np.frombuffer(content, dtype="<f4", offset=split).astype(np.float32)
        return cls(keys, scores.reshape(texts, -1 if texts else 0))


class Recall:
    """The scores of the last shards' texts.

    Args:
        bound: most texts held. Shards are forgotten as a whole, oldest first; a text that occurs again counts as new.
    """

    def __init__(self, bound: int) -> None:
        self._bound = bound
        self._held = 0
        self._generations: deque[Generation] = deque()
        self._found: dict[bytes, tuple[Generation, int]] = {}

    def __len__(self) -> int:
        """Texts held."""
        return self._held

    def add(self, generation: Generation) -> None:
        """Remember a shard's texts, and forget the oldest shards if they are too many."""
        self._generations.append(generation)
        self._held += len(generation.keys)
        self._found.update((key, (generation, row)) for row, key in enumerate(generation.keys))
        while self._held > self._bound:
            oldest = self._generations.popleft()
            self._held -= len(oldest.keys)
            for key in oldest.keys:
                if self._found[key][0] is oldest:
                    del self._found[key]

    def fill(self, place: Mapping[bytes, int], scores: FloatArray) -> list[int]:
        """Copy known scores into ``scores``, and return the rows that are not known.

        Args:
            place: digest -> row.
            scores: (rows, labels), filled in place.
        """
        unknown = []
        for key, slot in place.items():
            held = self._found.get(key)
            if held is None:
                unknown.append(slot)
            else:
                scores[slot] = held[0].scores[held[1]]
        return unknown


def window(sizes: Iterable[int], bound: int) -> int:
    """How many of the last generations a :class:`Recall` holds after generations of these sizes.

    Args:
        sizes: texts of each generation, newest first.
        bound: most texts held.
    """
    held, total = 0, 0
    for size in sizes:
        total += size
        if total > bound:
            break
        held += 1
    return held
