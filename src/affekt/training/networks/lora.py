"""Low-rank adapters (Hu et al. 2021) through peft, merged before saving so that the folder stays a stock one."""

import re

import torch
from torch import nn
from transformers import PreTrainedModel

from affekt.errors import MissingExtraError

_IN_A_LAYER = re.compile(r"\.layers?\.\d+\.")


def add_adapters(model: PreTrainedModel, *, rank: int, alpha: float, dropout: float) -> None:
    """Put adapters beside every linear map of the encoder's layers, in place, and freeze the rest but for the head.

    Args:
        model: a stock classifier.
        rank: of the adapters.
        alpha: their outputs are scaled by ``alpha / rank``.
        dropout: in front of them.

    Raises:
        MissingExtraError: if peft is not installed.
    """
    try:
        from peft import LoraConfig, inject_adapter_in_model
    except ImportError as error:
        raise MissingExtraError("Training with adapters", "lora") from error
    head = {id(parameter) for parameter in _head(model)}
    targets = [n for n, module in model.named_modules() if isinstance(module, nn.Linear) and _IN_A_LAYER.search(n)]
    config = LoraConfig(r=rank, lora_alpha=alpha, lora_dropout=dropout, target_modules=targets)  # type: ignore[arg-type]
    inject_adapter_in_model(config, model)
    for name, parameter in model.named_parameters():
        parameter.requires_grad_("lora_" in name or id(parameter) in head)


def _head(model: PreTrainedModel) -> list[nn.Parameter]:
    """What is outside of the encoder, and its pooler, which belongs to the task as well."""
    encoder = {id(p) for name, p in model.base_model.named_parameters() if "pooler" not in name}
    return [parameter for parameter in model.parameters() if id(parameter) not in encoder]


@torch.no_grad()
def merge_adapters(model: PreTrainedModel) -> None:
    """Add the adapters into the weights and take them away, in place."""
    from peft.tuners.lora import LoraLayer

    for name, module in list(model.named_modules()):
        if isinstance(module, LoraLayer):
            module.merge()
            owner, _, last = name.rpartition(".")
            setattr(model.get_submodule(owner), last, module.get_base_layer())
