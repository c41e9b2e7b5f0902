"""What the exporter needs of an encoder, by the same names for every architecture."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Linear:
    """``x @ weight + bias``: weight (in, out), bias (out,)."""

    weight: FloatArray
    bias: FloatArray


@dataclass(frozen=True)
class Norm:
    """Layer normalisation over the hidden dimension."""

    weight: FloatArray
    bias: FloatArray
    epsilon: float


@dataclass(frozen=True)
class Layer:
    """A transformer layer with normalisation after each of its two sums."""

    query: Linear
    key: Linear
    value: Linear
    output: Linear
    attention_norm: Norm
    up: Linear
    down: Linear
    output_norm: Norm


@dataclass(frozen=True)
class Head:
    """The classifier over the first token: a hidden layer, its activation, and the logits."""

    hidden: Linear
    activation: str
    logits: Linear


@dataclass(frozen=True)
class Encoder:
    """A whole model.

    Attributes:
        words: (vocabulary, hidden).
        positions: (positions, hidden); the token type's vector is already added.
        position_pad: for models that number positions from their padding id + 1 and skip padding: that id.
        projection: from the width of the embeddings to that of the layers, if they differ.
        embedding_norm: applied to the sum of the embeddings.
        layers: in order.
        heads: attention heads.
        activation: between ``up`` and ``down``: gelu, gelu_tanh or relu.
        head: the classifier.
        relative_bias: (2 * positions - 1, heads), added to the attention by the distance from a token to another,
            counted from -(positions - 1); for MPNet.
    """

    words: FloatArray
    positions: FloatArray
    position_pad: int | None
    projection: Linear | None
    embedding_norm: Norm
    layers: tuple[Layer, ...]
    heads: int
    activation: str
    head: Head
    relative_bias: FloatArray | None = None


@dataclass(frozen=True)
class Weights:
    """A state dict, read by the names of PyTorch modules."""

    tensors: Mapping[str, FloatArray]
    epsilon: float

    def linear(self, name: str) -> Linear:
        """A ``torch.nn.Linear``."""
        weight = self.tensors[f"{name}.weight"].T
        bias = self.tensors.get(f"{name}.bias", np.zeros(weight.shape[1], dtype=np.float32))
        return Linear(np.ascontiguousarray(weight), bias)

    def norm(self, name: str) -> Norm:
        """A ``torch.nn.LayerNorm``."""
        return Norm(self.tensors[f"{name}.weight"], self.tensors[f"{name}.bias"], self.epsilon)
