"""From token ids and targets to the tensors of a forward pass, prepared ahead of the step that needs them."""

import queue
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from affekt.training.batching.packing import PackedTokens, pack

Item = TypeVar("Item")
TokenIds = Sequence[npt.NDArray[np.int32]]


@dataclass(frozen=True)
class PaddedTokens:
    """Token ids of a batch, one text a row.

    Attributes:
        input_ids: (texts, length) int64, padded on the right.
        attention_mask: (texts, length) int64, 1 for a token and 0 for padding.
    """

    input_ids: Tensor
    attention_mask: Tensor

    def to(self, device: torch.device | str) -> "PaddedTokens":
        """The same on another device."""
        return PaddedTokens(*(getattr(self, f.name).to(device, non_blocking=True) for f in fields(self)))

    def pinned(self) -> "PaddedTokens":
        """The same in memory that a GPU reads without waiting."""
        return PaddedTokens(*(getattr(self, f.name).pin_memory() for f in fields(self)))


Tokens = PackedTokens | PaddedTokens


@dataclass(frozen=True)
class MicroBatch:
    """One forward pass.

    Attributes:
        tokens: the texts.
        targets: (texts, labels) float32 in [0, 1]; NaN where unknown.
        weights: (texts,) float32, 0 for texts that only fill up a static shape.
    """

    tokens: Tokens
    targets: Tensor
    weights: Tensor


@dataclass(frozen=True)
class Layout:
    """How a run lays its batches out.

    Attributes:
        batching: ``packed``, ``dynamic`` or ``padded``.
        max_length: tokens of a row when packed or padded.
        pad_id: the tokenizer's padding id.
        first_position: position id of a text's first token, when packed.
    """

    batching: str
    max_length: int
    pad_id: int
    first_position: int = 0

    def tokens(self, token_ids: TokenIds, rows: int | None = None) -> Tokens:
        """The tensors of some texts; ``rows`` as in :func:`affekt.training.batching.packing.pack`."""
        if self.batching == "packed":
            return pack(token_ids, self.max_length, pad_id=self.pad_id, first_position=self.first_position, rows=rows)
        longest = max((len(ids) for ids in token_ids), default=1)
        return pad(token_ids, self.max_length if self.batching == "padded" else longest, self.pad_id)


def pad(token_ids: TokenIds, length: int, pad_id: int) -> PaddedTokens:
    """Texts padded on the right to ``length`` tokens."""
    input_ids = np.full((len(token_ids), length), pad_id, dtype=np.int64)
    mask = np.zeros((len(token_ids), length), dtype=np.int64)
    for row, ids in enumerate(token_ids):
        input_ids[row, : len(ids)] = ids
        mask[row, : len(ids)] = 1
    return PaddedTokens(torch.from_numpy(input_ids), torch.from_numpy(mask))


def micro_batches(
    texts: npt.NDArray[np.intp],
    token_ids: TokenIds,
    targets: npt.NDArray[np.float32],
    weights: npt.NDArray[np.float32],
    layout: Layout,
    size: int,
) -> list[MicroBatch]:
    """The forward passes of one process's share of a batch.

    Args:
        texts: which texts, (share,).
        token_ids: of the whole set.
        targets: (all texts, labels).
        weights: (all texts,).
        layout: how to lay them out.
        size: texts per forward pass.
    """
    made = []
    for start in range(0, len(texts), size):
        part = texts[start : start + size]
        tokens = layout.tokens([token_ids[i] for i in part])
        made.append(MicroBatch(tokens, torch.from_numpy(targets[part]), torch.from_numpy(weights[part])))
    return made


def prefetch(items: Iterable[Item], depth: int = 8) -> Iterator[Item]:
    """Items made in a thread of their own, at most ``depth`` ahead; its errors are raised here."""
    made: queue.Queue[tuple[Item | None, BaseException | None]] = queue.Queue(depth)
    left = threading.Event()
    thread = threading.Thread(target=_make, args=(items, made, left), daemon=True, name="affekt-prefetch")
    thread.start()
    try:
        while True:
            item, error = made.get()
            if isinstance(error, StopIteration):
                return
            if error is not None:
                raise error
            yield item  # type: ignore[misc]
    finally:
        left.set()
        thread.join()


def _make(items: Iterable[Any], made: "queue.Queue[Any]", left: threading.Event) -> None:
    try:
        for item in items:
            if not _put(made, (item, None), left):
                return
        _put(made, (None, StopIteration()), left)
    except BaseException as error:  # noqa: BLE001  (handed to the consumer)
        _put(made, (None, error), left)


def _put(made: "queue.Queue[Any]", entry: Any, left: threading.Event) -> bool:
    while not left.is_set():
        try:
            made.put(entry, timeout=0.05)
        except queue.Full:
            continue
        return True
    return False
