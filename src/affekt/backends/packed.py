"""A whole batch as one row of tokens, without padding: what :mod:`affekt.backends.torch` runs on a GPU.

Texts follow each other in one (tokens, hidden) matrix, and attention is told where each begins (variable-length
attention: Dao 2023, FlashAttention-2). The classifier reads the first token alone, so the last layer computes only its
queries, its feed-forward and its norms.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from affekt.encoders import Encoder, Head, Layer, Linear, Norm

Attention = Callable[[Tensor, Tensor, Tensor, Tensor, Tensor, int, int], Tensor]
"""(queries, keys, values, query starts, key starts, longest query, longest key) -> context.

Queries, keys and values are (tokens, heads, width); starts are (texts + 1,) int32.
"""

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "gelu": functional.gelu,
    "gelu_tanh": lambda hidden: functional.gelu(hidden, approximate="tanh"),
    "relu": functional.relu,
    "tanh": torch.tanh,
}


def flash_attention() -> Attention | None:
    """Variable-length attention of this PyTorch, if it has it; it runs on GPUs, in half precision."""
    try:
        from torch.nn.attention.varlen import varlen_attn
    except ImportError:
        return None

    def attend(q: Tensor, k: Tensor, v: Tensor, starts: Tensor, k_starts: Tensor, most: int, k_most: int) -> Tensor:
        context: Any = varlen_attn(q, k, v, starts, k_starts, most, k_most)
        return cast("Tensor", context)

    return attend


def attention_by_text(
    q: Tensor, k: Tensor, v: Tensor, starts: Tensor, k_starts: Tensor, _most: int, _k_most: int
) -> Tensor:
    """The same for any device and precision, text by text; for tests."""
    bounds, k_bounds = starts.tolist(), k_starts.tolist()
    pieces = []
    for number in range(len(bounds) - 1):
        rows, k_rows = slice(*bounds[number : number + 2]), slice(*k_bounds[number : number + 2])
        query, key, value = (part.transpose(0, 1) for part in (q[rows], k[k_rows], v[k_rows]))
        pieces.append(functional.scaled_dot_product_attention(query, key, value).transpose(0, 1))
    return torch.cat(pieces)


@dataclass(frozen=True)
class _Dense:
    """A linear layer on the device: weight (out, in), bias (out,)."""

    weight: Tensor
    bias: Tensor

    def __call__(self, hidden: Tensor) -> Tensor:
        return functional.linear(hidden, self.weight, self.bias)


@dataclass(frozen=True)
class _Norm:
    weight: Tensor
    bias: Tensor
    epsilon: float

    def __call__(self, hidden: Tensor) -> Tensor:
        return functional.layer_norm(hidden, self.weight.shape, self.weight, self.bias, self.epsilon)


@dataclass(frozen=True)
class _Layer:
    """A layer on the device; queries, keys and values are one product."""

    projections: _Dense
    output: _Dense
    attention_norm: _Norm
    up: _Dense
    down: _Dense
    output_norm: _Norm


@dataclass(frozen=True)
class PackedRow:
    """A batch as one row.

    Attributes:
        ids: (tokens,) int64.
        positions: (tokens,) int64, rows of the position table.
        starts: (texts + 1,) int32, where each text begins, and the end.
        longest: tokens of the longest text.
    """

    ids: Tensor
    positions: Tensor
    starts: Tensor
    longest: int

    @classmethod
    def of(cls, ids: np.ndarray, mask: np.ndarray, position_pad: int | None, device: torch.device) -> "PackedRow":
        """Pack padded rows.

        Args:
            ids: (texts, tokens) int64.
            mask: (texts, tokens), 1 for a token and 0 for padding.
            position_pad: as in :class:`~affekt.encoders.Encoder`.
            device: where to.
        """
        real = mask.astype(bool)
        lengths = real.sum(axis=1)
        starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
        if position_pad is None:
            places = np.broadcast_to(np.arange(ids.shape[1]), ids.shape)
        else:
            counted = ids != position_pad
            places = np.cumsum(counted, axis=1) * counted + position_pad
        both = to_device(np.stack([ids[real], places[real]]), device)
        return cls(both[0], both[1], to_device(starts, device), int(lengths.max()))


def to_device(array: np.ndarray, device: torch.device) -> Tensor:
    """Copy to the device without waiting for what it computes: from page-locked memory if it is a GPU."""
    host = torch.from_numpy(array)
    return host.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else host.to(device)


class PackedEncoder:
    """An encoder on a device, for packed rows.

    Args:
        encoder: its parts; without relative positions.
        device: where it computes.
        dtype: what it computes in; the classifier's head is float32 always.
        attention: variable-length attention.
    """

    def __init__(self, encoder: Encoder, device: torch.device, dtype: torch.dtype, attention: Attention) -> None:
        self.position_pad = encoder.position_pad
        self._device, self._dtype, self._attention = device, dtype, attention
        self._words, self._positions = self._tensor(encoder.words), self._tensor(encoder.positions)
        self._embedding_norm = self._norm(encoder.embedding_norm)
        self._projection = self._dense(encoder.projection) if encoder.projection is not None else None
        self._layers = [self._layer(layer) for layer in encoder.layers]
        self._heads = encoder.heads
        self._activation = ACTIVATIONS[encoder.activation]
        self._hidden, self._inner, self._logits = self._head(encoder.head)

    def _tensor(self, array: np.ndarray, dtype: torch.dtype | None = None) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(array)).to(self._device, dtype or self._dtype)

    def _dense(self, *parts: Linear, dtype: torch.dtype | None = None) -> _Dense:
        """One product for several linear layers of the same input."""
        weight = np.concatenate([part.weight for part in parts], axis=1).T
        return _Dense(self._tensor(weight, dtype), self._tensor(np.concatenate([part.bias for part in parts]), dtype))

    def _norm(self, part: Norm) -> _Norm:
        return _Norm(self._tensor(part.weight), self._tensor(part.bias), part.epsilon)

    def _layer(self, layer: Layer) -> _Layer:
        return _Layer(
            projections=self._dense(layer.query, layer.key, layer.value),
            output=self._dense(layer.output),
            attention_norm=self._norm(layer.attention_norm),
            up=self._dense(layer.up),
            down=self._dense(layer.down),
            output_norm=self._norm(layer.output_norm),
        )

    def _head(self, head: Head) -> tuple[_Dense, Callable[[Tensor], Tensor], _Dense]:
        hidden, logits = (self._dense(part, dtype=torch.float32) for part in (head.hidden, head.logits))
        return hidden, ACTIVATIONS[head.activation], logits

    def __call__(self, row: PackedRow) -> Tensor:
        """Logits, (texts, labels) float32."""
        hidden = self._words[row.ids] + self._positions[row.positions]
        hidden = self._embedding_norm(hidden)
        if self._projection is not None:
            hidden = self._projection(hidden)
        for layer in self._layers[:-1]:
            query, key, value = self._split(layer.projections(hidden))
            context = self._attention(query, key, value, row.starts, row.starts, row.longest, row.longest)
            hidden = self._rest(layer, context, hidden)
        first = self._last(self._layers[-1], hidden, row).float()
        return self._logits(self._inner(self._hidden(first)))

    def _split(self, projected: Tensor) -> tuple[Tensor, ...]:
        """(tokens, n * hidden) as n times (tokens, heads, width)."""
        width = self._layers[0].output.weight.shape[0] // self._heads
        return projected.view(projected.shape[0], -1, self._heads, width).unbind(1)

    def _rest(self, layer: _Layer, context: Tensor, hidden: Tensor) -> Tensor:
        """From the attention's context to the layer's output."""
        attended = layer.attention_norm(layer.output(context.flatten(1)) + hidden)
        return layer.output_norm(layer.down(self._activation(layer.up(attended))) + attended)

    def _last(self, layer: _Layer, hidden: Tensor, row: PackedRow) -> Tensor:
        """The last layer for the first token of each text: (texts, hidden)."""
        size = hidden.shape[1]
        weight, bias = layer.projections.weight, layer.projections.bias
        first = hidden[row.starts[:-1].long()]
        (query,) = self._split(functional.linear(first, weight[:size], bias[:size]))
        key, value = self._split(functional.linear(hidden, weight[size:], bias[size:]))
        starts = torch.arange(len(row.starts), dtype=torch.int32, device=row.starts.device)
        return self._rest(layer, self._attention(query, key, value, starts, row.starts, 1, row.longest), first)
