"""What a recipe asks of the machine: checked first, said where it is lacking, never quietly changed."""

from collections.abc import Sequence

import torch
from transformers import PreTrainedModel

from affekt.errors import SettingError
from affekt.training.engines.memory import CONTEXT, EncoderShape, EngineName, plan_memory
from affekt.training.engines.optimizers import require_8bit
from affekt.training.networks.architectures import architecture_of
from affekt.training.recipe import Recipe


def fit_to_device(recipe: Recipe, device: torch.device) -> Recipe:
    """The recipe with ``precision: auto`` settled, if the machine can do all of it.

    Raises:
        SettingError: naming everything that the machine lacks, and the settings that do the same without it.
    """
    if device.type == "cuda" and not torch.cuda.is_available():
        raise SettingError("There is no CUDA device here.", hint="Train with --device cpu.")
    if recipe.precision == "auto":
        recipe = recipe.replace(precision=_natural(device))
    lacking = list(_lacking(recipe, device))
    if not lacking:
        return recipe
    settings = " ".join(f"--set {setting}" for _, setting in lacking)
    reasons = " and ".join(reason for reason, _ in lacking)
    install = " Or: pip install 'affekt[gpu]'." if device.type == "cuda" and "bitsandbytes" in reasons else ""
    raise SettingError(
        f"The recipe '{recipe.name}' cannot run as it is on '{device}': {reasons}.",
        hint=f"The equivalent here, which changes nothing but rounding: {settings}.{install}",
    )


def _natural(device: torch.device) -> str:
    if device.type != "cuda":
        return "fp32"
    return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp16"


def _lacking(recipe: Recipe, device: torch.device) -> Sequence[tuple[str, str]]:
    found = []
    if recipe.precision == "fp16" and device.type != "cuda":
        found.append(("fp16 with loss scaling needs a CUDA GPU", "precision=fp32"))
    if recipe.precision == "bf16" and device.type == "cuda" and _natural(device) != "bf16":
        found.append(("this GPU has no bf16 arithmetic", "precision=fp16"))
    if recipe.optimizer == "adamw8bit":
        try:
            require_8bit(device)
        except SettingError as error:
            found.append((error.message[0].lower() + error.message[1:].rstrip("."), "optimizer=adamw"))
    return found


def fit_to_encoder(recipe: Recipe, model: PreTrainedModel) -> tuple[Recipe, list[str]]:
    """The recipe as this encoder can follow it, and what there is to say about that.

    Architectures that cannot run packed run in batches padded to their longest text, which gives the same losses.

    Raises:
        SettingError: if the recipe's texts are longer than the encoder reads.
    """
    reads = longest(model)
    if reads is not None and recipe.max_length > reads:
        raise SettingError(
            f"The recipe cuts texts at {recipe.max_length} tokens, and the encoder reads {reads}.",
            hint=f"Set max_length={reads} or less.",
        )
    if recipe.batching == "packed" and architecture_of(model) is None:
        note = f"'{model.config.model_type}' encoders cannot run packed: batches are padded to their longest text."
        return recipe.replace(batching="dynamic"), [note]
    return recipe, []


def has_8bit(device: torch.device) -> bool:
    """Whether 8-bit AdamW can run on ``device``."""
    try:
        require_8bit(device)
    except SettingError:
        return False
    return True


def longest(model: PreTrainedModel) -> int | None:
    """Most tokens that a model reads at once; None where positions are relative and have no end."""
    known = architecture_of(model)
    places = getattr(model.config, "max_position_embeddings", None)
    if not places or getattr(model.config, "position_biased_input", True) is False:
        return None
    return int(places) - (known.first_position(model.config) if known else 0)


def choose_engine(recipe: Recipe, model: PreTrainedModel, device: torch.device, *, sharded: bool = False) -> EngineName:
    """``captured`` where whole steps can be replayed as CUDA graphs, else ``plain``.

    Args:
        recipe: as resolved.
        model: the classifier.
        device: the run's.
        sharded: whether FSDP spreads the weights over processes.
    """
    whole = not (recipe.checkpointing or recipe.lora_rank or sharded)
    fast = device.type == "cuda" and recipe.precision == "bf16" and recipe.batching == "packed"
    return "captured" if fast and whole and architecture_of(model) is not None else "plain"


def fit_to_memory(
    recipe: Recipe, model: PreTrainedModel, device: torch.device, budget: int, *, longest_text: int, has_8bit: bool
) -> tuple[Recipe, EngineName, str]:
    """The recipe with micro-batch, checkpointing and optimizer such that training stays within a budget.

    PyTorch is told not to take more either.

    Args:
        recipe: as resolved otherwise.
        model: the classifier, on any device.
        device: a CUDA device.
        budget: bytes of its memory.
        longest_text: tokens.
        has_8bit: whether 8-bit AdamW can be chosen.

    Returns:
        the recipe, the engine, and a sentence for people.

    Raises:
        SettingError: if nothing fits, or the run is not on a GPU.
    """
    if device.type != "cuda":
        raise SettingError("A memory budget is for GPUs, and this run is on the CPU.", hint="Leave --memory out.")
    shape = EncoderShape.of(model)
    wanted = choose_engine(recipe, model, device)
    try:
        plan = plan_memory(shape, recipe, budget, engine=wanted, longest=longest_text, has_8bit=has_8bit)
    except SettingError:
        if wanted == "plain":
            raise
        wanted = "plain"
        plan = plan_memory(shape, recipe, budget, engine=wanted, longest=longest_text, has_8bit=has_8bit)
    total = torch.cuda.get_device_properties(device).total_memory
    number = torch.cuda.current_device() if device.index is None else device.index
    torch.cuda.set_per_process_memory_fraction(min(1.0, max(budget - CONTEXT, 0) / total), number)
    settings = {"micro_batch": plan.micro_batch, "checkpointing": plan.checkpointing, "optimizer": plan.optimizer}
    return recipe.replace(**settings), wanted, str(plan)
