"""GPU memory of a training run, estimated before it starts, and the settings that keep it within a budget."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any, Literal, Self

from torch import nn

from affekt.errors import SettingError
from affekt.training.recipe import Recipe

EngineName = Literal["captured", "plain"]

MIB = 2**20
CONTEXT = 896 * MIB
"""The CUDA context with its loaded kernels, and the workspaces of cuBLAS."""
SLACK = 1.1
"""What the caching allocator reserves over what is in use."""
EVALUATION_TOKENS = 16_384
"""Tokens of an evaluation batch."""

_UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12} | {
    "KIB": 2**10, "MIB": 2**20, "GIB": 2**30, "TIB": 2**40
}  # fmt: skip
_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]?i?b?)\s*", re.IGNORECASE)


def parse_memory(text: str) -> int:
    """Bytes of a size such as ``16GB`` (10^9), ``16GiB`` (2^30), ``500 MB`` or ``16g``.

    Raises:
        SettingError: it is no size.

    Example:
        >>> parse_memory("1.5GB")
        1500000000
    """
    match = _SIZE.fullmatch(text)
    unit = match[2].upper() if match else "?"
    unit = unit if unit.endswith("B") or not unit else f"{unit}B"
    if match is None or unit not in _UNITS or not float(match[1]):
        raise SettingError(f"'{text}' is not a size of memory.", hint="Write it like 16GB or 16GiB.")
    return int(float(match[1]) * _UNITS[unit])


@dataclass(frozen=True, slots=True)
class EncoderShape:
    """What of an encoder decides its memory.

    Attributes:
        parameters: number of trainable parameters, head included.
        frozen: number of parameters that are not trained.
        layers: number of transformer layers.
        hidden: width of the hidden states.
        intermediate: width of the feed-forward layers.
        heads: attention heads per layer.
        gated: whether the feed-forward layers are gated, as in ModernBERT.
        matrices: whether attention keeps its score matrices for the backward pass (anything but a fused kernel).
        relative_span: DeBERTa's reach of relative positions; 0 for other encoders.
    """

    parameters: int
    layers: int
    hidden: int
    intermediate: int
    heads: int
    frozen: int = 0
    gated: bool = False
    matrices: bool = False
    relative_span: int = 0

    @classmethod
    def of(cls, model: nn.Module) -> Self:
        """The shape of a transformers classifier, on any device, ``meta`` included."""
        config: Any = model.config
        kind = str(getattr(config, "model_type", ""))
        spans = (getattr(config, "position_buckets", 0), getattr(config, "max_relative_positions", 0), 512)
        trained = [p.numel() for p in model.parameters() if p.requires_grad]
        return cls(
            parameters=sum(trained),
            frozen=sum(p.numel() for p in model.parameters()) - sum(trained),
            layers=int(config.num_hidden_layers),
            hidden=int(config.hidden_size),
            intermediate=int(getattr(config, "intermediate_size", 0) or getattr(config, "hidden_dim", 0)),
            heads=int(config.num_attention_heads),
            gated=kind == "modernbert",
            matrices=getattr(config, "_attn_implementation", "eager") == "eager",
            relative_span=next(span for span in spans if span > 0) if kind.startswith("deberta") else 0,
        )


@dataclass(frozen=True, slots=True)
class Estimate:
    """Bytes of one process at its peak.

    Attributes:
        weights: masters, and the copy in the compute type.
        gradients: of all trainable parameters.
        optimizer: its moments.
        average: the moving average of the weights.
        activations: of one micro-batch, and of an evaluation batch: where that is more, or, since captured steps
            keep their memory to themselves, on top.
        overhead: of CUDA and of the update.
    """

    weights: int
    gradients: int
    optimizer: int
    average: int
    activations: int
    overhead: int

    @property
    def total(self) -> int:
        """All together."""
        return sum(getattr(self, field.name) for field in fields(self))

    def __str__(self) -> str:
        """The parts in GB."""
        parts = ", ".join(f"{field.name} {getattr(self, field.name) / 1e9:.1f}" for field in fields(self))
        return f"{self.total / 1e9:.1f} GB ({parts})"


@dataclass(frozen=True, slots=True)
class Plan:
    """Settings that keep a run within a budget.

    Attributes:
        micro_batch: texts per forward pass.
        checkpointing: whether layers are computed again in the backward pass (Chen et al. 2016) to save activations.
        optimizer: name of the optimizer.
        estimate: what that needs.
        budget: bytes.
    """

    micro_batch: int
    checkpointing: bool
    optimizer: str
    estimate: Estimate
    budget: int

    def __str__(self) -> str:
        """One sentence for people."""
        checkpointing = "with" if self.checkpointing else "without"
        return (
            f"Within {self.budget / 1e9:.1f} GB: micro-batch {self.micro_batch}, {checkpointing} checkpointing, "
            f"{self.optimizer}; expected {self.estimate}."
        )


def estimate_memory(
    shape: EncoderShape,
    recipe: Recipe,
    *,
    engine: EngineName,
    micro_batch: int,
    optimizer: str,
    checkpointing: bool = False,
    longest: int | None = None,
) -> Estimate:
    """What a run needs at its peak, counted generously: as if every text were as long as the longest.

    Args:
        shape: the encoder's.
        recipe: precision, lengths, R-Drop and weight averaging are read from it.
        engine: ``captured`` holds a copy of weights and gradients in the compute type; ``plain`` uses autocast.
        micro_batch: texts per forward pass.
        optimizer: ``adamw`` or ``adamw8bit``.
        checkpointing: whether layers are computed again in the backward pass.
        longest: tokens of the longest training text, if known to be below the recipe's ``max_length``.
    """
    narrow = recipe.precision != "fp32"
    copies = 2 if narrow else 0
    gradient = 2 if narrow and engine == "captured" else 4
    length = min(recipe.max_length, longest or recipe.max_length)
    length = recipe.max_length if recipe.batching == "padded" else length
    passes = 2 if recipe.r_drop else 1
    training = passes * _activations(shape, recipe, engine, micro_batch * length, length, checkpointing)
    evaluation = _evaluation(shape, recipe, length)
    activations = training + evaluation if engine == "captured" else max(training, evaluation)
    return Estimate(
        weights=(shape.parameters + shape.frozen) * (4 + copies),
        gradients=shape.parameters * gradient,
        optimizer=int(shape.parameters * (8 if optimizer == "adamw" else 2.05)),
        average=shape.parameters * 4 if recipe.average_decay else 0,
        activations=int(SLACK * activations),
        overhead=CONTEXT + (256 * MIB if engine == "captured" else 64 * MIB),
    )


def _token_layer(shape: EncoderShape, recipe: Recipe, engine: EngineName, length: int) -> float:
    """Bytes that one layer keeps of one token for its backward pass (after Korthikanti et al. 2022, and measured).

    In 16 bits: 22 per hidden unit for attention, dropout and norms, 4 per intermediate unit (8 if gated), and 6 per
    head and position where score matrices are kept. Autocast keeps norms and residuals in 32 bits besides.
    """
    factor = 1.0 if recipe.precision != "fp32" else 2.0
    wide = 16 * shape.hidden if recipe.precision != "fp32" and engine == "plain" else 0
    feed_forward = (8 if shape.gated else 4) * shape.intermediate
    matrices = 6 * shape.heads * length if shape.matrices else 0
    relative = shape.heads * (8 * shape.relative_span + 30 * length) if shape.relative_span else 0
    return factor * (22 * shape.hidden + feed_forward + matrices + relative) + wide


def _activations(
    shape: EncoderShape, recipe: Recipe, engine: EngineName, tokens: int, length: int, checkpointing: bool
) -> float:
    layer = tokens * _token_layer(shape, recipe, engine, length) + 72 * shape.relative_span * shape.hidden
    embeddings = 24 * tokens * shape.hidden
    if not checkpointing:
        return shape.layers * layer + embeddings
    return shape.layers * tokens * 4 * shape.hidden + 2 * layer + embeddings


def _evaluation(shape: EncoderShape, recipe: Recipe, length: int) -> float:
    """One layer's values at a time, without what a backward pass would need."""
    size = 2 if recipe.precision != "fp32" else 4
    widths = 8 * shape.hidden + (3 if shape.gated else 2) * shape.intermediate
    matrices = 3 * shape.heads * length if shape.matrices else 0
    return size * EVALUATION_TOKENS * (widths + matrices + 4 * shape.heads * shape.relative_span)


def plan_memory(
    shape: EncoderShape,
    recipe: Recipe,
    budget: int,
    *,
    engine: EngineName = "plain",
    longest: int | None = None,
    has_8bit: bool = True,
) -> Plan:
    """The settings nearest to the recipe's that fit a budget.

    Preferred in this order: the recipe's own optimizer without checkpointing, then with it, then 8-bit AdamW without
    and with; each with the largest micro-batch of at least 4 texts, and only then with less than that. None of them
    changes the global batch.

    Args:
        shape: the encoder's.
        recipe: the run's.
        budget: bytes of GPU memory, CUDA's own included.
        engine: what will run the steps; 8-bit AdamW and checkpointing are the plain one's.
        longest: tokens of the longest training text.
        has_8bit: whether 8-bit AdamW can be chosen.

    Raises:
        SettingError: nothing fits.
    """
    smallest: Estimate | None = None
    for optimizer, checkpointing, micro_batch in _candidates(recipe, engine, has_8bit=has_8bit):
        estimate = estimate_memory(
            shape,
            recipe,
            engine=engine,
            micro_batch=micro_batch,
            optimizer=optimizer,
            checkpointing=checkpointing,
            longest=longest,
        )
        if estimate.total <= budget:
            return Plan(micro_batch, checkpointing, optimizer, estimate, budget)
        smallest = estimate if smallest is None or estimate.total < smallest.total else smallest
    raise SettingError(
        f"A budget of {budget / 1e9:.1f} GB is too small for this encoder: it needs at least {smallest}.",
        hint="Allow more, or choose a smaller encoder or a shorter max_length.",
    )


def _candidates(recipe: Recipe, engine: EngineName, *, has_8bit: bool) -> Iterator[tuple[str, bool, int]]:
    largest = recipe.micro_batch or recipe.batch_size
    sizes = [largest] + [2**n for n in range(15, -1, -1) if 2**n < largest]
    optimizers = [recipe.optimizer] + (["adamw8bit"] if has_8bit and recipe.optimizer != "adamw8bit" else [])
    ways = [(optimizer, checkpointing) for optimizer in optimizers for checkpointing in (False, True)]
    ways = ways if engine == "plain" else ways[:1]
    floor = min(4, largest)
    for group in ([size for size in sizes if size >= floor], [size for size in sizes if size < floor]):
        for optimizer, checkpointing in ways:
            for size in group:
                yield optimizer, checkpointing, size
