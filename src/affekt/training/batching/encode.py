"""From a data set to what a step consumes: cleaned, tokenized once, cut to the recipe's length."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from affekt.cleaning import CleaningOptions, clean
from affekt.training.batching.batches import TokenIds


@dataclass(frozen=True)
class Encoded:
    """Texts ready for training.

    Attributes:
        token_ids: one int32 array per text, special tokens included.
        targets: (texts, labels) float32 in [0, 1]; NaN where unknown.
        weights: (texts,) float32.
        cut: how many texts were longer than the recipe's ``max_length``.
    """

    token_ids: TokenIds
    targets: npt.NDArray[np.float32]
    weights: npt.NDArray[np.float32]
    cut: int = 0

    def __len__(self) -> int:
        return len(self.token_ids)


def tokenize(texts: Sequence[str], tokenizer: Any, cleaning: CleaningOptions, max_length: int) -> TokenIds:
    """Token ids of cleaned texts, cut to ``max_length`` tokens.

    Args:
        texts: raw texts.
        tokenizer: a fast Hugging Face tokenizer.
        cleaning: the recipe's options.
        max_length: tokens, special tokens included.
    """
    if not texts:
        return []
    cleaned = [clean(text, cleaning) for text in texts]
    encoded = tokenizer(cleaned, truncation=True, max_length=max_length, return_attention_mask=False)
    return [np.asarray(ids, dtype=np.int32) for ids in encoded["input_ids"]]


def encode(
    texts: Sequence[str],
    targets: npt.NDArray[np.float32],
    tokenizer: Any,
    cleaning: CleaningOptions,
    max_length: int,
    weights: npt.NDArray[np.float32] | None = None,
) -> Encoded:
    """Everything a run needs of a set of texts; see :class:`Encoded`."""
    token_ids = tokenize(texts, tokenizer, cleaning, max_length)
    weights = np.ones(len(texts), dtype=np.float32) if weights is None else weights.astype(np.float32)
    cut = sum(len(ids) == max_length for ids in token_ids)
    return Encoded(token_ids, targets.astype(np.float32), weights, cut)
