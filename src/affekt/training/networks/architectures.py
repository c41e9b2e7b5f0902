"""What packing must know of each encoder family: where positions start, which masks it wants, and what its head reads.

Everything else stays inside the stock Hugging Face classes, whose own forward takes position ids and a prepared mask.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel

Masks = Tensor | dict[str, Tensor]


@dataclass(frozen=True)
class Architecture:
    """How to run one encoder family on packed texts.

    Attributes:
        first_position: position id of a text's first token, from the model's configuration.
        masks: (same: (rows, length, length) bool, model) -> what the encoder's ``attention_mask`` takes.
        head: (model, features (texts, hidden)) -> logits (texts, labels); the features are first-token states.
        prepare: changes a model in place so that its forward pass can be captured in a CUDA graph; same values.
    """

    first_position: Callable[[Any], int]
    masks: Callable[[Tensor, PreTrainedModel], Masks]
    head: Callable[[Any, Tensor], Tensor]
    prepare: Callable[[Any], None] = lambda model: None  # noqa: ARG005


def architecture_of(model: PreTrainedModel) -> Architecture | None:
    """The entry for a model, or None for families that must run in padded batches."""
    known = ARCHITECTURES.get(model.config.model_type)
    if known is None or getattr(model.config, "classifier_pooling", "cls") != "cls":
        return None
    return known


def _additive(same: Tensor, model: PreTrainedModel) -> Tensor:
    dtype = (
        model.dtype if not torch.is_autocast_enabled(same.device.type) else torch.get_autocast_dtype(same.device.type)
    )
    mask = torch.zeros(same.shape, dtype=dtype, device=same.device)
    return mask.masked_fill_(~same, torch.finfo(dtype).min)[:, None]


def _full_and_sliding(same: Tensor, model: PreTrainedModel) -> dict[str, Tensor]:
    index = torch.arange(same.shape[-1], device=same.device)
    near = (index[:, None] - index[None, :]).abs() <= model.config.sliding_window
    return {"full_attention": _additive(same, model), "sliding_attention": _additive(same & near, model)}


def _bert_head(model: Any, features: Tensor) -> Tensor:
    logits: Tensor = model.classifier(model.dropout(model.bert.pooler(features[:, None])))
    return logits


def _first_token_head(model: Any, features: Tensor) -> Tensor:
    logits: Tensor = model.classifier(features[:, None])
    return logits


def _distilbert_head(model: Any, features: Tensor) -> Tensor:
    logits: Tensor = model.classifier(model.dropout(torch.relu(model.pre_classifier(features))))
    return logits


def _modernbert_head(model: Any, features: Tensor) -> Tensor:
    logits: Tensor = model.classifier(model.drop(model.head(features)))
    return logits


def _position_bias_on_device(model: Any) -> None:
    """Before 5.20, transformers builds MPNet's relative positions on the CPU and copies them at every pass."""
    encoder = model.base_model.encoder

    def compute_position_bias(x: Tensor, position_ids: Tensor | None = None, num_buckets: int = 32) -> Tensor:
        index = torch.arange(x.shape[1], device=x.device)[None] if position_ids is None else position_ids
        distance = index[:, None, :] - index[:, :, None]
        bucket = encoder.relative_position_bucket(distance, num_buckets=num_buckets)
        values: Tensor = encoder.relative_attention_bias(bucket).permute(0, 3, 1, 2)
        return values.expand(x.shape[0], -1, -1, -1).contiguous()

    encoder.compute_position_bias = compute_position_bias


def _from_zero(_: Any) -> int:
    return 0


def _after_padding(config: Any) -> int:
    return int(config.pad_token_id) + 1


def _after_one(_: Any) -> int:
    return 2  # MPNet fixes its padding index at 1, whatever the configuration says


ARCHITECTURES: Mapping[str, Architecture] = MappingProxyType(
    {
        "bert": Architecture(_from_zero, _additive, _bert_head),
        "electra": Architecture(_from_zero, _additive, _first_token_head),
        "distilbert": Architecture(_from_zero, _additive, _distilbert_head),
        "roberta": Architecture(_after_padding, _additive, _first_token_head),
        "xlm-roberta": Architecture(_after_padding, _additive, _first_token_head),
        "camembert": Architecture(_after_padding, _additive, _first_token_head),
        "mpnet": Architecture(_after_one, _additive, _first_token_head, _position_bias_on_device),
        "modernbert": Architecture(_from_zero, _full_and_sliding, _modernbert_head),
    }
)
"""Model type -> how it runs packed. DeBERTa builds its relative positions from the row, so it runs padded."""
