"""The protocol that every engine follows: token ids in, logits out."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class TokenBatch:
    """Texts of one batch, padded on the right to the longest.

    Attributes:
        input_ids: (texts, tokens) int64.
        attention_mask: (texts, tokens) int64, 1 for a token and 0 for padding.
    """

    input_ids: npt.NDArray[np.int64]
    attention_mask: npt.NDArray[np.int64]


class Backend(Protocol):
    """An inference engine. Implementations are safe to call from one thread at a time."""

    @property
    def name(self) -> str:
        """What people ask for and are shown, e.g. ``onnx-int8``."""
        ...

    def logits(self, batch: TokenBatch) -> npt.NDArray[np.float32]:
        """Raw logits of a batch: (texts, labels) float32."""
        ...
