"""A smaller encoder out of a pretrained one: layers left out, and feed-forward parts with fewer neurons.

The neurons that stay are those whose output varies most, weighed by what it is multiplied with; the second map of the
feed-forward part is then fitted again by least squares, so that the smaller part says what the whole one said as far as
it can (after Hassibi and Stork 1993, and He, Zhang and Sun 2017 for channels). Layers are shrunk from the first to the
last in one pass, each seeing what the smaller ones before it say. The result is a stock model of another shape.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from affekt.errors import SettingError
from affekt.training.batching.batches import TokenIds

SAMPLE = 1_024
"""Texts that the neurons are measured on."""

RIDGE = 1e-3
"""Of the least squares, relative to the neurons' mean variance."""


def drop_layers(model: PreTrainedModel, numbers: Sequence[int]) -> None:
    """Leave out layers of the encoder, in place.

    Args:
        model: a stock classifier whose base model has ``encoder.layer``.
        numbers: of the layers, from 0.

    Raises:
        SettingError: for other architectures, and for layers that it does not have or that would leave none.
    """
    layers = _layers(model, "drop_layers")
    if not set(numbers) <= set(range(len(layers))) or len(set(numbers)) == len(layers):
        raise SettingError(
            f"drop_layers={sorted(numbers)} does not fit an encoder of {len(layers)} layers, 0 to {len(layers) - 1}.",
            hint="At least one layer must stay.",
        )
    encoder: Any = model.base_model.encoder
    encoder.layer = nn.ModuleList(layer for n, layer in enumerate(layers) if n not in numbers)
    model.config.num_hidden_layers = len(layers) - len(set(numbers))


@torch.no_grad()
def shrink_feed_forward(model: PreTrainedModel, width: int, token_ids: TokenIds, pad_id: int) -> None:
    """Keep the ``width`` most telling neurons of every layer's feed-forward part, in place.

    Args:
        model: a stock classifier whose base model has ``encoder.layer``.
        width: neurons that stay in each layer.
        token_ids: of texts to measure them on; the first :data:`SAMPLE` are taken.
        pad_id: the tokenizer's.

    Raises:
        SettingError: for other architectures, and for a width that is not below the encoder's.
    """
    layers, now = _layers(model, "feed_forward"), model.config.intermediate_size
    if width >= now:
        raise SettingError(f"feed_forward={width} is not below the {now} neurons that the encoder has.")
    sample = [torch.as_tensor(ids, dtype=torch.int64) for ids in token_ids[:SAMPLE]]
    ids = nn.utils.rnn.pad_sequence(sample, batch_first=True, padding_value=pad_id)
    mask = nn.utils.rnn.pad_sequence([torch.ones_like(one) for one in sample], batch_first=True)

    def shrink(layer: Any, states: Tensor) -> Tensor:
        return states[..., _shrink(layer, states[mask.bool()], width)]

    parts: list[Any] = list(layers)
    hooks = [
        layer.intermediate.register_forward_hook(lambda _, __, states, layer=layer: shrink(layer, states))
        for layer in parts
    ]
    was_training = model.training
    try:
        model.eval()
        model.base_model(ids, attention_mask=mask)
    finally:
        model.train(was_training)
        for hook in hooks:
            hook.remove()
    model.config.intermediate_size = width


def _shrink(layer: Any, states: Tensor, width: int) -> Tensor:
    """The neurons that stay; the layer's two maps become those of them.

    Args:
        layer: an encoder layer.
        states: (tokens, neurons) float32, what the neurons say.
        width: neurons to keep.
    """
    up, down = layer.intermediate.dense, layer.output.dense
    mean = states.mean(0)
    spread = states - mean
    importance = spread.pow(2).mean(0) * down.weight.pow(2).sum(0)
    kept: Tensor = importance.topk(width).indices.sort().values
    inner = spread[:, kept]
    gram = (inner.T @ inner).double()
    gram.diagonal().add_(RIDGE * gram.diagonal().mean())
    said = (inner.T @ (spread @ down.weight.T)).double()
    weight = torch.linalg.solve(gram, said).T.float()
    bias = down.bias + down.weight @ mean - weight @ mean[kept]
    layer.intermediate.dense = _linear(up.weight[kept], up.bias[kept])
    layer.output.dense = _linear(weight, bias)
    return kept


def _linear(weight: Tensor, bias: Tensor) -> nn.Linear:
    linear = nn.Linear(weight.shape[1], weight.shape[0], device="meta")
    linear.weight, linear.bias = nn.Parameter(weight.contiguous().clone()), nn.Parameter(bias.clone())
    return linear


def _layers(model: PreTrainedModel, setting: str) -> nn.ModuleList:
    layers = getattr(getattr(model.base_model, "encoder", None), "layer", None)
    if not isinstance(layers, nn.ModuleList) or not hasattr(layers[0], "intermediate"):
        raise SettingError(f"'{model.config.model_type}' encoders cannot be made smaller: leave {setting} out.")
    return layers
