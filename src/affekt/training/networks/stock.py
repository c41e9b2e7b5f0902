"""Trained weights in a stock model, adapters merged, and what it says about texts."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from transformers import AutoModelForSequenceClassification, PreTrainedModel

from affekt.training.batching.batches import TokenIds
from affekt.training.engines.assemble import make_layout
from affekt.training.engines.engine import gathered_logits
from affekt.training.engines.processes import Processes
from affekt.training.losses.objective import Classifier
from affekt.training.networks.lora import merge_adapters
from affekt.training.recipe import Recipe

EVALUATION_TOKENS = 16_384


def stock_model(model: PreTrainedModel, weights: Mapping[str, Tensor]) -> PreTrainedModel:
    """A stock float32 classifier on the CPU with trained weights.

    Args:
        model: what the weights were trained in; adapters are merged into it, and its own weights may be spent.
        weights: the trained ones, by name.
    """
    state = _stock_state(model, weights)
    with torch.random.fork_rng(devices=[]):
        stock: PreTrainedModel = AutoModelForSequenceClassification.from_config(model.config, dtype=torch.float32)
    stock.load_state_dict(state)
    return stock


def save_stock(model: PreTrainedModel, weights: Mapping[str, Tensor], folder: Path) -> None:
    """Save :func:`stock_model` without making it: only its configuration, and the weights as they are."""
    with torch.device("meta"):
        stock = AutoModelForSequenceClassification.from_config(model.config, dtype=torch.float32)
    stock.load_state_dict(_stock_state(model, weights), assign=True)
    stock.save_pretrained(folder)


def _stock_state(model: PreTrainedModel, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    names = {name for name, _ in model.named_parameters()}
    if set(weights) == names:
        return {**_wide({n: value for n, value in model.state_dict().items() if n not in names}), **weights}
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name in weights:
                parameter.copy_(weights[name])
    if any("lora_" in name for name in names):
        merge_adapters(model)
    return _wide(model.state_dict())


def _wide(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    wide = {name: value.float() if value.is_floating_point() else value for name, value in tensors.items()}
    return {name: value.detach().cpu() for name, value in wide.items()}


def model_logits(
    model: PreTrainedModel, recipe: Recipe, token_ids: TokenIds, pad_id: int, device: torch.device
) -> npt.NDArray[np.float32]:
    """Logits (texts, labels) of a model, moved to a device, in length-sorted batches.

    Args:
        model: a stock classifier.
        recipe: whose rows and padding to use.
        token_ids: of the texts.
        pad_id: the tokenizer's.
        device: where to compute.
    """
    classifier = Classifier(model.to(device).eval())  # type: ignore[arg-type]
    layout = make_layout(recipe, model, pad_id)
    layout = replace(layout, batching="dynamic" if layout.batching == "padded" else layout.batching)

    def forward(ids: TokenIds) -> Tensor:
        logits: Tensor = classifier(layout.tokens(ids).to(device))
        return logits

    with torch.inference_mode():
        labels = len(model.config.id2label or ())
        return gathered_logits(forward, token_ids, labels, EVALUATION_TOKENS, Processes(device=device))
