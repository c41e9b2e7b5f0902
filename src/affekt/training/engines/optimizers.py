"""Optimizers, their parameter groups, and learning rates that change at every step without a synchronisation."""

import importlib.util
import re
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from affekt.errors import SettingError

Group = dict[str, Any]

_LAYER = re.compile(r"\.layers?\.(\d+)\.")
_ABOVE_LAYERS = re.compile(r"(^|\.)(pooler|final_norm)\.")


def parameter_groups(
    model: nn.Module,
    *,
    lr: float = 1.0,
    weight_decay: float = 0.0,
    layer_decay: float = 1.0,
    head_lr_factor: float = 1.0,
) -> list[Group]:
    """The model's trainable parameters, grouped by weight decay and learning-rate factor.

    Biases and norms are not decayed, as in transformers' Trainer. A layer's rate is ``layer_decay`` times that of
    the layer above it (Howard & Ruder 2018); the embeddings count as the layer below the first, a pooler as part of
    the last. Parameters outside the encoder are the head.

    Args:
        model: a transformers classifier, wrapped or not (DDP, FSDP, torch.compile, peft).
        lr: peak learning rate.
        weight_decay: decoupled decay of weight matrices.
        layer_decay: in (0, 1]; 1 gives all layers one rate.
        head_lr_factor: rate of the head over the peak rate.

    Returns:
        groups with the keys ``params``, ``names``, ``weight_decay``, ``lr_factor`` and ``lr`` (the peak rate times that
        factor), in a fixed order.

    Raises:
        SettingError: nothing in the model can be trained.
    """
    named = [(name, parameter) for name, parameter in model.named_parameters() if parameter.requires_grad]
    if not named:
        raise SettingError("No parameter of the model can be trained.")
    encoder = {id(parameter) for parameter in _encoder(model).parameters()}
    top = max((depth for name, _ in named if (depth := _layer(name)) is not None), default=0)
    groups: dict[tuple[float, float], Group] = {}
    for name, parameter in named:
        factor = layer_decay ** (top - _depth(name, top)) if id(parameter) in encoder else head_lr_factor
        decay = 0.0 if parameter.ndim <= 1 or "bias" in name else weight_decay
        fresh: Group = {"params": [], "names": [], "weight_decay": decay, "lr_factor": factor, "lr": lr * factor}
        group = groups.setdefault((factor, decay), fresh)
        group["params"].append(parameter)
        group["names"].append(name)
    return list(groups.values())


def _encoder(model: nn.Module) -> nn.Module:
    for module in model.modules():
        inner = getattr(module, getattr(module, "base_model_prefix", None) or " ", None)
        if isinstance(inner, nn.Module):
            return inner
    return model


def _layer(name: str) -> int | None:
    match = _LAYER.search(name)
    return int(match[1]) + 1 if match else None


def _depth(name: str, top: int) -> int:
    layer = _layer(name)
    if layer is not None:
        return layer
    return top if _ABOVE_LAYERS.search(name) else 0


class Rates:
    """The learning rates of an optimizer's groups: one peak rate times each group's ``lr_factor``.

    On CUDA they are views of one tensor, so that setting them is a single asynchronous copy which a captured step
    reads when it is replayed. Elsewhere they are plain numbers.

    Args:
        optimizer: made by :func:`make_optimizer`.
    """

    def __init__(self, optimizer: Optimizer) -> None:
        self._optimizer = optimizer
        self._factors = [float(group.get("lr_factor", 1.0)) for group in optimizer.param_groups]
        self._tensor: Tensor | None = None
        if capturable(optimizer):
            device = optimizer.param_groups[0]["params"][0].device
            self._scales = torch.tensor(self._factors, dtype=torch.float32, device=device)
            self._tensor = torch.zeros_like(self._scales)
        self.link()

    def link(self) -> None:
        """Point the groups at the rates again, after ``optimizer.load_state_dict`` replaced them."""
        for index, group in enumerate(self._optimizer.param_groups):
            group["lr"] = self._tensor[index] if self._tensor is not None else 0.0

    def set(self, rate: float) -> None:
        """Use ``rate`` times its factor in every group from the next step on."""
        if self._tensor is not None:
            torch.mul(self._scales, rate, out=self._tensor)
            return
        for group, factor in zip(self._optimizer.param_groups, self._factors, strict=True):
            group["lr"] = rate * factor


def capturable(optimizer: Optimizer) -> bool:
    """Whether the optimizer's step may be captured in a CUDA graph; bitsandbytes passes its rate and step by value."""
    return all(bool(group.get("capturable")) for group in optimizer.param_groups)


def make_optimizer(
    name: str, groups: Iterable[Group], *, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8
) -> Optimizer:
    """The optimizer called ``name`` over parameter groups; rates are set through :class:`Rates`.

    Args:
        name: ``adamw`` (Loshchilov & Hutter 2019; PyTorch's fused one, capturable on CUDA) or ``adamw8bit``
            (Dettmers et al. 2022, with blockwise 8-bit states, from bitsandbytes).
        groups: from :func:`parameter_groups`; all parameters on one device.
        betas: decay per step of the first and second moment.
        eps: added to the root of the second moment.

    Raises:
        SettingError: an unknown name, or one that this machine cannot run, with what it lacks.
    """
    groups = [{key: value for key, value in group.items() if key != "names"} for group in groups]
    device = groups[0]["params"][0].device
    if name == "adamw":
        return torch.optim.AdamW(groups, lr=0.0, betas=betas, eps=eps, fused=True, capturable=device.type == "cuda")
    if name == "adamw8bit":
        require_8bit(device)
        import bitsandbytes

        made: Optimizer = bitsandbytes.optim.AdamW8bit(groups, lr=0.0, betas=betas, eps=eps)
        return made
    raise SettingError(f"There is no optimizer '{name}'.", hint="Choose one of: adamw, adamw8bit.")


def require_8bit(device: torch.device) -> None:
    """Check that 8-bit AdamW can run on ``device``.

    Raises:
        SettingError: it lacks CUDA or bitsandbytes.
    """
    equivalent = "optimizer=adamw is the same update with 32-bit states (8 bytes per parameter in place of 2)"
    if device.type != "cuda":
        raise SettingError(f"8-bit AdamW needs a CUDA device, and this run is on '{device}'.", hint=f"{equivalent}.")
    if importlib.util.find_spec("bitsandbytes") is None:
        raise SettingError(
            "8-bit AdamW needs bitsandbytes, which is not installed.",
            hint=f"Run: pip install 'affekt[gpu]'. Or: {equivalent}.",
        )
