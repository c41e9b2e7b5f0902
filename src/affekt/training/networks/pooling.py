"""Mean pooling inside a stock class: one more encoder layer that starts as the mean over a text's tokens.

Sentence encoders are trained on the mean of their token states, while the stock classifiers read the first token. A
layer whose queries and keys are zero attends to all tokens alike; with values and output a scaled identity and a silent
feed-forward part, the first token comes out as LayerNorm(first + scale * mean). It then trains like any other layer,
and the saved folder is still a plain BERT, RoBERTa, ELECTRA or MPNet classifier with one layer more.
"""

import copy
from typing import Any

import torch
from torch import nn
from transformers import PreTrainedModel

from affekt.errors import TrainingError

SCALE = 2.0


def add_mean_pooling_layer(model: PreTrainedModel) -> None:
    """Append the layer, in place.

    Args:
        model: a stock classifier whose base model has ``encoder.layer``.

    Raises:
        TrainingError: for other architectures.
    """
    layers = getattr(getattr(model.base_model, "encoder", None), "layer", None)
    if not isinstance(layers, nn.ModuleList):
        raise TrainingError(
            f"'{model.config.model_type}' encoders cannot take a pooling layer.", hint="Use pooling=first."
        )
    layer = copy.deepcopy(layers[-1])
    query, key, value, output, silent, norms = _parts(layer)
    with torch.no_grad():
        for linear in (query, key, silent):
            linear.weight.zero_()
            linear.bias.zero_()
        for linear, scale in ((value, 1.0), (output, SCALE)):
            linear.weight.copy_(torch.eye(linear.out_features, linear.in_features) * scale)
            linear.bias.zero_()
        for norm in norms:
            norm.weight.fill_(1.0)
            norm.bias.zero_()
    layers.append(layer)
    model.config.num_hidden_layers = len(layers)


def _parts(layer: Any) -> tuple[nn.Linear, nn.Linear, nn.Linear, nn.Linear, nn.Linear, tuple[nn.LayerNorm, ...]]:
    """Query, key, value, attention output, feed-forward output and norms of an encoder layer."""
    attention = layer.attention
    if hasattr(attention, "attn"):
        inner = attention.attn
        four = (inner.q, inner.k, inner.v, inner.o)
        norm = attention.LayerNorm
    else:
        inner = attention.self
        four = (inner.query, inner.key, inner.value, attention.output.dense)
        norm = attention.output.LayerNorm
    return (*four, layer.output.dense, (norm, layer.output.LayerNorm))
