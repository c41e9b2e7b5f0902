"""Which weights of a Hugging Face model are which part of an encoder; one function per architecture."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from affekt.encoders.parts import Encoder, FloatArray, Head, Layer, Weights

ACTIVATIONS = {"gelu": "gelu", "gelu_new": "gelu_tanh", "gelu_pytorch_tanh": "gelu_tanh", "relu": "relu"}


@dataclass(frozen=True)
class Names:
    """Module names inside one layer, in the order of :class:`Layer`'s fields."""

    query: str
    key: str
    value: str
    output: str
    attention_norm: str
    up: str
    down: str
    output_norm: str


_BERT = Names(
    "attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense",
    "attention.output.LayerNorm", "intermediate.dense", "output.dense", "output.LayerNorm",
)  # fmt: skip
_DISTILBERT = Names(
    "attention.q_lin", "attention.k_lin", "attention.v_lin", "attention.out_lin",
    "sa_layer_norm", "ffn.lin1", "ffn.lin2", "output_layer_norm",
)  # fmt: skip
_MPNET = Names(
    "attention.attn.q", "attention.attn.k", "attention.attn.v", "attention.attn.o",
    "attention.LayerNorm", "intermediate.dense", "output.dense", "output.LayerNorm",
)  # fmt: skip


def encoder_of(model: Any) -> Encoder | None:
    """The parts of a ``transformers`` sequence classifier; None if its architecture is not one of those known here.

    Args:
        model: the PyTorch model.
    """
    config = model.config
    family = FAMILIES.get(config.model_type)
    if family is None or not _is_plain(config):
        return None
    tensors = {name: tensor.detach().float().cpu().numpy() for name, tensor in model.state_dict().items()}
    return family(Weights(tensors, float(getattr(config, "layer_norm_eps", 1e-12))), config)


def _is_plain(config: Any) -> bool:
    activation = getattr(config, "hidden_act", None) or getattr(config, "activation", None)
    absolute = getattr(config, "position_embedding_type", None) in (None, "absolute")
    decoder = getattr(config, "is_decoder", False) or getattr(config, "add_cross_attention", False)
    return activation in ACTIVATIONS and absolute and not decoder


def _bert(weights: Weights, config: Any) -> Encoder:
    head = Head(weights.linear("bert.pooler.dense"), "tanh", weights.linear("classifier"))
    return _encoder(weights, config, "bert", _BERT, head)


def _roberta(weights: Weights, config: Any) -> Encoder:
    head = Head(weights.linear("classifier.dense"), "tanh", weights.linear("classifier.out_proj"))
    return _encoder(weights, config, "roberta", _BERT, head, position_pad=config.pad_token_id)


def _electra(weights: Weights, config: Any) -> Encoder:
    head = Head(weights.linear("classifier.dense"), "gelu", weights.linear("classifier.out_proj"))
    return _encoder(weights, config, "electra", _BERT, head)


def _distilbert(weights: Weights, config: Any) -> Encoder:
    head = Head(weights.linear("pre_classifier"), "relu", weights.linear("classifier"))
    return _encoder(weights, config, "distilbert", _DISTILBERT, head, layers="transformer.layer")


def _mpnet(weights: Weights, config: Any) -> Encoder:
    head = Head(weights.linear("classifier.dense"), "tanh", weights.linear("classifier.out_proj"))
    bias = _mpnet_bias(weights.tensors["mpnet.encoder.relative_attention_bias.weight"], config.max_position_embeddings)
    return _encoder(weights, config, "mpnet", _MPNET, head, position_pad=1, relative_bias=bias)


def _mpnet_bias(table: FloatArray, positions: int, buckets: int = 32, farthest: int = 128) -> FloatArray:
    """Bias by distance: one bucket per distance up to 7, then buckets of growing width, for each direction."""
    distance = np.arange(1 - positions, positions)
    half, near = buckets // 2, buckets // 4
    far = np.maximum(np.abs(distance), 1).astype(np.float32)
    grown = near + (np.log(far / near) / np.float32(np.log(farthest / near)) * (half - near)).astype(np.int64)
    bucket = np.where(np.abs(distance) < near, np.abs(distance), np.minimum(grown, half - 1))
    bias: FloatArray = table[bucket + half * (distance > 0)]
    return bias


FAMILIES: dict[str, Callable[[Weights, Any], Encoder]] = {
    "bert": _bert,
    "distilbert": _distilbert,
    "electra": _electra,
    "mpnet": _mpnet,
    "roberta": _roberta,
    "xlm-roberta": _roberta,
}


def _encoder(
    weights: Weights,
    config: Any,
    base: str,
    names: Names,
    head: Head,
    *,
    layers: str = "encoder.layer",
    position_pad: int | None = None,
    relative_bias: FloatArray | None = None,
) -> Encoder:
    tensors = weights.tensors
    embeddings = f"{base}.embeddings"
    positions = tensors[f"{embeddings}.position_embeddings.weight"]
    types = tensors.get(f"{embeddings}.token_type_embeddings.weight", np.zeros((1, positions.shape[1]), np.float32))
    projection = f"{base}.embeddings_project"
    return Encoder(
        words=tensors[f"{embeddings}.word_embeddings.weight"],
        positions=positions + types[0],
        position_pad=position_pad,
        projection=weights.linear(projection) if f"{projection}.weight" in tensors else None,
        embedding_norm=weights.norm(f"{embeddings}.LayerNorm"),
        layers=tuple(_layer(weights, f"{base}.{layers}.{n}", names) for n in range(config.num_hidden_layers)),
        heads=config.num_attention_heads,
        activation=ACTIVATIONS[getattr(config, "hidden_act", None) or config.activation],
        head=head,
        relative_bias=relative_bias,
    )


def _layer(weights: Weights, prefix: str, names: Names) -> Layer:
    return Layer(
        query=weights.linear(f"{prefix}.{names.query}"),
        key=weights.linear(f"{prefix}.{names.key}"),
        value=weights.linear(f"{prefix}.{names.value}"),
        output=weights.linear(f"{prefix}.{names.output}"),
        attention_norm=weights.norm(f"{prefix}.{names.attention_norm}"),
        up=weights.linear(f"{prefix}.{names.up}"),
        down=weights.linear(f"{prefix}.{names.down}"),
        output_norm=weights.norm(f"{prefix}.{names.output_norm}"),
    )
