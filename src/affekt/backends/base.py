"""The protocol that every engine follows: token ids in, logits out."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from affekt.batching import pad

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True)
class TokenBatch:
    """Texts of one batch, padded on the right to the longest.

    Attributes:
        input_ids: (texts, tokens) int64.
        attention_mask: (texts, tokens) int64, 1 for a token and 0 for padding.
    """

    input_ids: npt.NDArray[np.int64]
    attention_mask: npt.NDArray[np.int64]

    @classmethod
    def of(cls, rows: Sequence[Sequence[int]], pad_id: int = 0) -> "TokenBatch":
        """The batch of these rows of token ids."""
        return cls(*pad(rows, pad_id))


@dataclass(frozen=True)
class BatchPlan:
    """How an engine likes its batches.

    Attributes:
        token_budget: most tokens of a batch, padding included.
        max_texts: most texts of a batch.
        equal: only texts of one length share a batch, so that no answer depends on padding.
        window: texts that are sorted by length together.
    """

    token_budget: int
    max_texts: int
    equal: bool
    window: int


class Backend(Protocol):
    """An inference engine. Implementations are safe to call from one thread at a time."""

    @property
    def name(self) -> str:
        """What people ask for and are shown, e.g. ``onnx-int8``."""
        ...

    @property
    def plan(self) -> BatchPlan:
        """The batches that it does fastest."""
        ...

    def logits(self, batch: TokenBatch) -> FloatArray:
        """Raw logits of a batch: (texts, labels) float32."""
        ...

    def many(self, batches: Iterable[TokenBatch]) -> Iterator[FloatArray]:
        """Raw logits of each batch, in order, with whatever the engine can overlap overlapped."""
        ...
