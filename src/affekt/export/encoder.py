"""An encoder as an ONNX graph that does no work twice: the float32 graph, from which the int8 one is made.

Three things differ from a graph traced out of PyTorch, and none of them changes an answer:

- Activations lie token-major, (tokens * texts, hidden), so that attention reads queries, keys and values where the
  projections left them (``FusedMatMul`` strides over heads), without moving them first.
- The classifier reads the first token alone, so the last layer computes the queries, the feed-forward and the norms of
  that token alone; and where its queries or keys are all zero, as in a layer that was added for mean pooling, it
  computes the value of the mean instead of the mean of the values.
- Sum and normalisation stay two nodes: ONNX Runtime's fused ``SkipLayerNormalization`` takes eight times as long as its
  ``LayerNormalization``.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import onnx

from affekt.encoders.parts import Encoder, Head, Layer, Linear, Norm
from affekt.export.graph import CONTRIB, GraphBuilder

INPUTS = ("input_ids", "attention_mask")
MASKED = np.array(-1e9, dtype=np.float32)
"""Added to the attention of padding; its exponential is exactly zero."""


def encoder_graph(encoder: Encoder) -> onnx.ModelProto:
    """The float32 graph of an encoder: ``input_ids`` and ``attention_mask`` in, ``logits`` out."""
    graph = GraphBuilder()
    ids = graph.op("Transpose", INPUTS[0], perm=[1, 0])
    writer = _Writer(graph, encoder, ids, graph.op("Shape", ids))
    hidden, bias = writer.embeddings(), writer.attention_bias()
    for number, layer in enumerate(encoder.layers[:-1]):
        hidden = writer.layer(layer, hidden, hidden, bias, f"layer.{number}")
    name = f"layer.{len(encoder.layers) - 1}"
    first = writer.layer(encoder.layers[-1], writer.first_tokens(hidden), hidden, writer.first_bias(bias), name)
    writer.head(encoder.head, first)
    return graph.model(INPUTS, "logits", encoder.head.logits.weight.shape[1])


@dataclass(frozen=True)
class _Writer:
    """Emits the parts of one encoder.

    Attributes:
        graph: where to.
        encoder: what.
        ids: (tokens, texts) token ids.
        shape: the shape (tokens, texts).
    """

    graph: GraphBuilder
    encoder: Encoder
    ids: str
    shape: str

    @property
    def _width(self) -> int:
        return int(self.encoder.layers[0].query.weight.shape[1]) // self.encoder.heads

    def _split(self, hidden: str, *, alone: bool = False) -> str:
        """(tokens * texts, hidden) as (tokens, texts, heads, width), of one token if ``alone``."""
        if alone:
            return self.graph.op("Reshape", hidden, self.graph.ints(1, -1, self.encoder.heads, self._width))
        return self.graph.op("Reshape", hidden, self._split_shape)

    @cached_property
    def _split_shape(self) -> str:
        return self.graph.op("Concat", self.shape, self.graph.ints(self.encoder.heads, self._width), axis=0)

    def linear(self, part: Linear, hidden: str, name: str) -> str:
        """``hidden @ weight + bias`` for a matrix ``hidden``."""
        weight = self.graph.constant(part.weight, f"{name}.weight")
        return self.graph.op("Gemm", hidden, weight, self.graph.constant(part.bias, f"{name}.bias"), name=name)

    def norm(self, part: Norm, hidden: str, name: str) -> str:
        """Layer normalisation over the last dimension."""
        constants = (self.graph.constant(getattr(part, field), f"{name}.{field}") for field in ("weight", "bias"))
        return self.graph.op("LayerNormalization", hidden, *constants, axis=-1, epsilon=part.epsilon)

    def activation(self, kind: str, hidden: str) -> str:
        """An activation by the name it has in :class:`Encoder`."""
        node, attributes = ACTIVATION_NODES[kind]
        return self.graph.op(node, hidden, **attributes)

    def embeddings(self) -> str:
        """(tokens * texts, hidden)."""
        graph, encoder = self.graph, self.encoder
        words = graph.op("Gather", graph.constant(encoder.words, "words"), self.ids)
        positions = graph.op("Gather", graph.constant(encoder.positions, "positions"), self._positions())
        hidden = self.norm(encoder.embedding_norm, graph.op("Add", words, positions), "embedding_norm")
        hidden = graph.op("Reshape", hidden, graph.ints(-1, encoder.words.shape[1]))
        return hidden if encoder.projection is None else self.linear(encoder.projection, hidden, "projection")

    def _positions(self) -> str:
        """Position of each token: (tokens, 1), or (tokens, texts) where padding is not counted."""
        graph, pad = self.graph, self.encoder.position_pad
        if pad is None:
            return self._numbers()
        same = graph.op("Equal", self.ids, self._scalar(pad))
        real = graph.op("Cast", graph.op("Not", same), to=onnx.TensorProto.INT64)
        counted = graph.op("Mul", graph.op("CumSum", real, self._scalar(0)), real)
        return graph.op("Add", counted, self._scalar(pad))

    def _scalar(self, value: int) -> str:
        return self.graph.constant(np.array(value, dtype=np.int64))

    def attention_bias(self) -> str:
        """What is added to the attention: (texts, 1, 1, tokens), or (texts, heads, tokens, tokens) for MPNet."""
        graph = self.graph
        absent = graph.op("Sub", self._scalar(1), INPUTS[1])
        padding = graph.op("Cast", graph.op("Unsqueeze", absent, graph.ints(1, 2)), to=onnx.TensorProto.FLOAT)
        bias = graph.op("Mul", padding, graph.constant(MASKED))
        if self.encoder.relative_bias is None:
            return bias
        numbers = graph.op("Squeeze", self._numbers(), graph.ints(1))
        distance = graph.op("Sub", graph.op("Unsqueeze", numbers, graph.ints(0)), self._numbers())
        middle = self._scalar(len(self.encoder.relative_bias) // 2)
        table = graph.constant(self.encoder.relative_bias, "relative_bias")
        by_head = graph.op("Transpose", graph.op("Gather", table, graph.op("Add", distance, middle)), perm=[2, 0, 1])
        return graph.op("Add", graph.op("Unsqueeze", by_head, graph.ints(0)), bias)

    def _numbers(self) -> str:
        """Positions counted from 0: (tokens, 1)."""
        tokens = self.graph.op("Gather", self.shape, self._scalar(0))
        numbers = self.graph.op("Range", self._scalar(0), tokens, self._scalar(1))
        return self.graph.op("Unsqueeze", numbers, self.graph.ints(1))

    def layer(self, layer: Layer, asking: str, hidden: str, bias: str, name: str) -> str:
        """A whole layer.

        Args:
            layer: its weights.
            asking: (asking tokens * texts, hidden), the tokens to compute: all of them, or the first alone.
            hidden: (tokens * texts, hidden), the tokens that they attend to.
            bias: added to the attention.
            name: of the layer.

        Returns:
            (asking tokens * texts, hidden).
        """
        graph = self.graph
        if asking != hidden and _attends_evenly(layer) and self.encoder.relative_bias is None:
            context = self.linear(layer.value, self.mean(hidden, bias), f"{name}.value")
        else:
            context = self.attention(layer, asking, hidden, bias, name)
        attended = graph.op("Add", self.linear(layer.output, context, f"{name}.output"), asking)
        attended = self.norm(layer.attention_norm, attended, f"{name}.attention_norm")
        inner = self.activation(self.encoder.activation, self.linear(layer.up, attended, f"{name}.up"))
        summed = graph.op("Add", self.linear(layer.down, inner, f"{name}.down"), attended)
        return self.norm(layer.output_norm, summed, f"{name}.output_norm")

    def attention(self, layer: Layer, asking: str, hidden: str, bias: str, name: str) -> str:
        """What the asking tokens gather from all tokens; shapes as for :meth:`layer`."""
        graph = self.graph
        query = self._split(self.linear(layer.query, asking, f"{name}.query"), alone=asking != hidden)
        key = self._split(self.linear(layer.key, hidden, f"{name}.key"))
        value = self._split(self.linear(layer.value, hidden, f"{name}.value"))
        strides: dict[str, Any] = {"alpha": float(self._width**-0.5), "transB": 1, "transBatchA": 1, "transBatchB": 1}
        scores = graph.op("FusedMatMul", query, key, domain=CONTRIB, **strides)
        shares = graph.op("Softmax", graph.op("Add", scores, bias), axis=-1)
        context = graph.op("FusedMatMul", shares, value, domain=CONTRIB, transBatchB=1)
        context = graph.op("Transpose", context, perm=[2, 0, 1, 3])
        return graph.op("Reshape", context, graph.ints(-1, self.encoder.heads * self._width))

    def mean(self, hidden: str, bias: str) -> str:
        """The mean over each text's tokens, (texts, hidden); the arguments are as for :meth:`layer`."""
        graph, size = self.graph, self.encoder.heads * self._width
        tokens = graph.op("Reshape", hidden, graph.op("Concat", self.shape, graph.ints(1, size), axis=0))
        mean = graph.op("FusedMatMul", graph.op("Softmax", bias, axis=-1), tokens, domain=CONTRIB, transBatchB=1)
        return graph.op("Reshape", mean, graph.ints(-1, size))

    def first_tokens(self, hidden: str) -> str:
        """(texts, hidden) of (tokens * texts, hidden)."""
        texts = self.graph.op("Gather", self.shape, self.graph.ints(1))
        return self.graph.op("Slice", hidden, self.graph.ints(0), texts)

    def first_bias(self, bias: str) -> str:
        """The attention bias of the first token: (texts, 1 or heads, 1, tokens)."""
        return self.graph.op("Gather", bias, self.graph.ints(0), axis=2)

    def head(self, head: Head, first: str) -> str:
        """(texts, labels) logits from the first token's (texts, hidden)."""
        inner = self.activation(head.activation, self.linear(head.hidden, first, "head.hidden"))
        return self.linear(head.logits, inner, "logits")


def _attends_evenly(layer: Layer) -> bool:
    """Whether every token attends to all alike, because each product of a query and a key is zero."""
    return any(not part.weight.any() and not part.bias.any() for part in (layer.query, layer.key))


ACTIVATION_NODES: dict[str, tuple[str, dict[str, Any]]] = {
    "gelu": ("Gelu", {}),
    "gelu_tanh": ("Gelu", {"approximate": "tanh"}),
    "relu": ("Relu", {}),
    "tanh": ("Tanh", {}),
}
