"""From a resolved recipe, a model and encoded texts to the engine that trains them."""

import math

import numpy as np
import numpy.typing as npt
import torch
from transformers import PreTrainedModel

from affekt.training.batching.batches import Layout
from affekt.training.batching.encode import Encoded
from affekt.training.engines.accelerators import make_accelerator
from affekt.training.engines.captured import CapturedEngine
from affekt.training.engines.engine import Engine
from affekt.training.engines.memory import EngineName
from affekt.training.engines.optimizers import parameter_groups
from affekt.training.engines.plain import PlainEngine
from affekt.training.engines.processes import Processes
from affekt.training.losses.label_counts import LabelCounts
from affekt.training.losses.losses import make_loss
from affekt.training.losses.objective import Objective
from affekt.training.networks.architectures import architecture_of
from affekt.training.recipe import Recipe


def make_layout(recipe: Recipe, model: PreTrainedModel, pad_id: int) -> Layout:
    """How the recipe lays out batches for a model."""
    known = architecture_of(model)
    first = known.first_position(model.config) if known is not None else 0
    return Layout(recipe.batching, recipe.max_length, pad_id, first)


def make_objective(recipe: Recipe, targets: npt.NDArray[np.float32]) -> Objective:
    """The recipe's loss, for a training set with these targets.

    Raises:
        SettingError: an unknown loss or option.
    """
    loss = make_loss(recipe.loss, counts=LabelCounts.of(targets), **recipe.loss_options)  # type: ignore[arg-type]
    return Objective(loss, recipe.r_drop)


def make_engine(
    recipe: Recipe,
    kind: EngineName,
    model: PreTrainedModel,
    encoded: Encoded,
    pad_id: int,
    *,
    device: torch.device,
    processes: Processes,
) -> Engine:
    """The engine for a run.

    Args:
        recipe: resolved for this machine and encoder.
        kind: from :func:`affekt.training.engines.hardware.choose_engine`.
        model: in float32, anywhere.
        encoded: the training texts.
        pad_id: the tokenizer's.
        device: the run's.
        processes: those of the run.

    Raises:
        SettingError: the loss or the optimizer cannot be used as asked.
    """
    size = recipe.micro_batch or math.ceil(recipe.batch_size / processes.size)
    layout, objective = make_layout(recipe, model, pad_id), make_objective(recipe, encoded.targets)
    model.to(device)  # type: ignore[arg-type]
    groups = parameter_groups(
        model,
        lr=recipe.lr,
        weight_decay=recipe.weight_decay,
        layer_decay=recipe.layer_decay,
        head_lr_factor=recipe.head_lr_factor,
    )
    data = (encoded.token_ids, encoded.targets, encoded.weights)
    if kind == "captured":
        return CapturedEngine(
            model, objective, groups, layout, *data,
            size=size, max_grad_norm=recipe.max_grad_norm, average_decay=recipe.average_decay,
            optimizer=recipe.optimizer, processes=processes,
        )  # fmt: skip
    return PlainEngine(
        model, objective, groups, layout, *data,
        accelerator=make_accelerator(recipe.precision, device), size=size, max_grad_norm=recipe.max_grad_norm,
        average_decay=recipe.average_decay, optimizer=recipe.optimizer, checkpointing=recipe.checkpointing,
    )  # fmt: skip
