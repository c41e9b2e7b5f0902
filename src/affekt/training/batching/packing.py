"""Texts laid end to end in rows of fixed length, each attending only to itself (Krell et al. 2021, arXiv:2107.02027).

A GoEmotions text has 19 tokens on average, so a batch padded to 128 wastes six sevenths of its arithmetic. Packed
rows give the same logits, losses and gradients: positions restart with each text and a block-diagonal mask keeps texts
apart.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from transformers import PreTrainedModel

from affekt.errors import TrainingError
from affekt.training.networks.architectures import architecture_of

IntArray = npt.NDArray[np.int32]
PADDING_SEGMENT = -1


@dataclass(frozen=True)
class PackedTokens:
    """Token ids of a batch in packed rows.

    Attributes:
        input_ids: (rows, length) int32.
        position_ids: (rows, length) int32, restarting with each text.
        segment_ids: (rows, length) int32, which text of the batch a token belongs to; -1 for padding.
        first: (texts,) int32, where each text's first token lies in the flattened rows.
    """

    input_ids: Tensor
    position_ids: Tensor
    segment_ids: Tensor
    first: Tensor

    def to(self, device: torch.device | str) -> "PackedTokens":
        """The same on another device."""
        return PackedTokens(*(getattr(self, f.name).to(device, non_blocking=True) for f in fields(self)))

    def pinned(self) -> "PackedTokens":
        """The same in memory that a GPU reads without waiting."""
        return PackedTokens(*(getattr(self, f.name).pin_memory() for f in fields(self)))

    @property
    def rows(self) -> int:
        """Number of rows."""
        return self.input_ids.shape[0]


def assign_rows(lengths: Sequence[int], row_length: int) -> list[list[int]]:
    """Texts of each row by first-fit decreasing, which needs at most 11/9 of the fewest rows (Johnson 1973).

    Args:
        lengths: tokens of each text; each at most ``row_length``.
        row_length: tokens of a row.

    Raises:
        TrainingError: if a text is longer than a row.
    """
    rows: list[list[int]] = []
    space: list[int] = []
    for text in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        need = lengths[text]
        if need > row_length:
            raise TrainingError(f"A text of {need} tokens does not fit a row of {row_length}.", hint="Truncate first.")
        for row, free in enumerate(space):
            if free >= need:
                rows[row].append(text)
                space[row] -= need
                break
        else:
            rows.append([text])
            space.append(row_length - need)
    return rows


def pack(
    token_ids: Sequence[npt.NDArray[np.integer]],
    row_length: int,
    *,
    pad_id: int,
    first_position: int,
    rows: int | None = None,
) -> PackedTokens:
    """Pack texts into rows.

    Args:
        token_ids: one array of ids per text, special tokens included.
        row_length: tokens of a row.
        pad_id: id that fills what is left of a row.
        first_position: position id of each text's first token (:mod:`affekt.training.networks.architectures`).
        rows: pad with empty rows up to this many, for static shapes; as many as needed by default.

    Raises:
        TrainingError: if a text is longer than a row, or the texts need more than ``rows``.
    """
    plan = assign_rows([len(ids) for ids in token_ids], row_length)
    count = max(len(plan), 1) if rows is None else rows
    if len(plan) > count:
        raise TrainingError(f"The texts need {len(plan)} rows of {row_length} tokens, more than the {count} planned.")
    ids = np.full((count, row_length), pad_id, dtype=np.int32)
    positions = np.full((count, row_length), first_position, dtype=np.int32)
    segments = np.full((count, row_length), PADDING_SEGMENT, dtype=np.int32)
    first = np.zeros(len(token_ids), dtype=np.int32)
    for row, texts in enumerate(plan):
        start = 0
        for text in texts:
            length = len(token_ids[text])
            place = slice(start, start + length)
            ids[row, place] = token_ids[text]
            positions[row, place] = np.arange(first_position, first_position + length)
            segments[row, place] = text
            first[text] = row * row_length + start
            start += length
    return PackedTokens(*(torch.from_numpy(array) for array in (ids, positions, segments, first)))


def packed_logits(model: PreTrainedModel, tokens: PackedTokens) -> Tensor:
    """Logits of packed texts, (texts, labels), equal to those of padded batches.

    Raises:
        TrainingError: if the model's architecture cannot run packed.
    """
    return packed_head(model, packed_features(model, tokens))


def packed_features(model: PreTrainedModel, tokens: PackedTokens) -> Tensor:
    """First-token states of packed texts, (texts, hidden), before the model's head."""
    architecture = architecture_of(model)
    if architecture is None:
        raise TrainingError(f"'{model.config.model_type}' encoders cannot run packed.", hint="Use batching=padded.")
    same = tokens.segment_ids[:, :, None] == tokens.segment_ids[:, None, :]
    hidden = model.base_model(
        input_ids=tokens.input_ids.long(),
        position_ids=tokens.position_ids.long(),
        attention_mask=architecture.masks(same, model),
    ).last_hidden_state
    features: Tensor = hidden.flatten(0, 1).index_select(0, tokens.first)
    return features


def packed_head(model: PreTrainedModel, features: Tensor) -> Tensor:
    """Logits (texts, labels) from first-token states."""
    architecture = architecture_of(model)
    assert architecture is not None  # noqa: S101  (packed_features refused already)
    return architecture.head(model, features)
