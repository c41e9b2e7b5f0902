"""Engines over tiny models, and the loop that they must agree with, written out plainly."""

from typing import Any

import numpy as np
import torch
from tiny_models import targets, texts, tiny
from transformers import PreTrainedModel

from affekt.training.batching.batches import Layout
from affekt.training.engines.accelerators import make_accelerator
from affekt.training.engines.captured import CapturedEngine
from affekt.training.engines.optimizers import parameter_groups
from affekt.training.engines.plain import PlainEngine
from affekt.training.losses.losses import make_loss
from affekt.training.losses.objective import Objective
from affekt.training.networks.architectures import architecture_of

torch.set_num_threads(1)
TEXTS, ROW, LR, DECAY = 24, 32, 3e-3, 0.1
IDS, TARGETS = texts(TEXTS), targets(TEXTS)
WEIGHTS = np.linspace(0.5, 1.5, TEXTS).astype(np.float32)


def layout(model: PreTrainedModel, batching: str) -> Layout:
    """The layout of a model's batches."""
    known = architecture_of(model)
    first = known.first_position(model.config) if known else 0
    return Layout(batching, ROW, model.config.pad_token_id, first)


def groups(model: PreTrainedModel, **settings: Any) -> list[dict[str, Any]]:
    """Optimizer groups."""
    return parameter_groups(model, lr=LR, weight_decay=DECAY, **settings)


def captured(kind: str = "bert", *, size: int = 8, dropout: float = 0.0, **settings: Any) -> CapturedEngine:
    """The captured engine, run eagerly in float32."""
    model = tiny(kind, dropout=dropout)
    data = {"ids": IDS, "targets": TARGETS, "weights": WEIGHTS} | settings.pop("data", {})
    objective = Objective(make_loss("asymmetric"), settings.pop("r_drop", 0.0))
    parts = (data["ids"], data["targets"], data["weights"])
    defaults: dict[str, Any] = {"dtype": torch.float32, "capture": False}
    chosen = settings.pop("groups", {"layer_decay": 0.9})
    return CapturedEngine(
        model, objective, groups(model, **chosen), layout(model, "packed"), *parts, size=size, **(defaults | settings)
    )


def batches(steps: int, size: int = 8) -> list[np.ndarray]:
    """Global batches of some steps, the last one of an epoch shorter where ``size`` does not divide the texts."""
    order = np.random.default_rng(5).permutation(TEXTS)
    parts = [order[i : i + size] for i in range(0, TEXTS, size)]
    return [parts[i % len(parts)] for i in range(steps)]


def factor(step: int) -> float:
    """A learning-rate factor that changes with every step."""
    return 1.0 - 0.1 * step


def run(engine: Any, steps: int, size: int = 8, start: int = 0) -> Any:
    """Take the steps ``start`` to ``steps``."""
    for step, batch in enumerate(batches(steps, size)):
        if step >= start:
            engine.step(engine.prepare(batch), factor(step))
    return engine


def plain_loop(kind: str, steps: int, size: int = 8, clip: float = 1.0) -> dict[str, torch.Tensor]:
    """The weights that stock PyTorch gives: padded batches, AdamW over single parameters, whole batches at once."""
    model = tiny(kind, dropout=0.0).train()
    optimizer = torch.optim.AdamW(groups(model, layer_decay=0.9))
    loss_of, shape = make_loss("asymmetric"), layout(model, "dynamic")
    peaks = [group["lr"] for group in optimizer.param_groups]
    for step, batch in enumerate(batches(steps, size)):
        for group, peak in zip(optimizer.param_groups, peaks, strict=True):
            group["lr"] = peak * factor(step)
        tokens = shape.tokens([IDS[i] for i in batch])
        logits = model(input_ids=tokens.input_ids, attention_mask=tokens.attention_mask).logits  # type: ignore[union-attr]
        losses = loss_of(logits, torch.from_numpy(TARGETS[batch])) * torch.from_numpy(WEIGHTS[batch])
        (losses.sum() / float(WEIGHTS[batch].sum())).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), clip)
        optimizer.step()
        optimizer.zero_grad()
    return {name: parameter.detach() for name, parameter in model.named_parameters()}


def difference(one: Any, other: Any) -> float:
    """Norm of the difference of two sets of weights, relative to their norm.

    Biases of attention's keys are left out: softmax does not see them, so their gradients are rounding errors, which
    AdamW takes for a direction.
    """
    assert one.keys() == other.keys()
    names = [name for name in one if not name.endswith(("key.bias", "attn.k.bias", "k_lin.bias", "key_proj.bias"))]
    apart = torch.stack([(one[name].detach() - other[name].detach()).double().norm() for name in names]).norm()
    size = torch.stack([other[name].detach().double().norm() for name in names]).norm()
    return float(apart / size)


def plain(kind: str = "bert", *, batching: str = "packed", size: int = 8, dropout: float = 0.0, **settings: Any) -> Any:
    """The engine on accelerate, on the CPU."""
    model = settings.pop("model", None) or tiny(kind, dropout=dropout)
    data = {"ids": IDS, "targets": TARGETS, "weights": WEIGHTS} | settings.pop("data", {})
    objective = Objective(make_loss("asymmetric"), settings.pop("r_drop", 0.0))
    accelerator = make_accelerator(settings.pop("precision", "fp32"), torch.device("cpu"))
    parts = (data["ids"], data["targets"], data["weights"])
    chosen = groups(model, **settings.pop("groups", {"layer_decay": 0.9}))
    return PlainEngine(
        model, objective, chosen, layout(model, batching), *parts, accelerator=accelerator, size=size, **settings
    )
