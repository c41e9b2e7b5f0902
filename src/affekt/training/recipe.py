"""Recipes: every setting of a training run, frozen, validated once, and saved as resolved with the model."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from affekt.cleaning import CleaningOptions
from affekt.errors import SettingError


class Recipe(BaseModel):
    """Settings of a training run.

    Attributes:
        name: where the settings came from.
        loss: a name of :data:`affekt.training.losses.losses.LOSSES`.
        loss_options: that loss's own settings.
        r_drop: weight of R-Drop's consistency between two dropout passes; 0 leaves the second pass out.
        teacher_weight: share of teacher scores in the targets when a teacher is given; the rest is gold.
        pool_share: share of texts that only a teacher labels in what an epoch sees, when such texts are given.
        epochs: passes over the training texts.
        batch_size: texts per optimizer step, over all processes.
        micro_batch: texts per forward pass and process; None takes the whole batch at once.
        lr: peak learning rate.
        schedule: shape of the learning rate after warm-up.
        warmup_ratio: share of the optimizer steps that warm up.
        optimizer: ``adamw``, or ``adamw8bit`` from bitsandbytes.
        weight_decay: decoupled decay; biases and norms have none.
        layer_decay: learning rate of a layer over that of the layer above it; 1 for equal rates.
        head_lr_factor: learning rate of the classification head over the peak rate.
        max_grad_norm: gradients are scaled down to this global norm; 0 leaves them.
        average_decay: decay per step of the exponential moving average of the weights; 0 keeps the last weights.
        dropout: replaces the encoder's dropout probabilities; None keeps them.
        pooling: ``first`` reads the first token; ``mean`` adds a layer that starts as the mean over the tokens
            (:mod:`affekt.training.networks.pooling`).
        drop_layers: numbers of encoder layers to leave out, from 0, for a smaller and faster model.
        feed_forward: neurons that stay in every layer's feed-forward part
            (:mod:`affekt.training.networks.thinning`); None keeps them all.
        checkpointing: compute layers again in the backward pass, which saves memory and costs a third of the time.
        lora_rank: train low-rank adapters of this rank (Hu et al. 2021) in place of the encoder; 0 trains it whole.
        lora_alpha: scale of the adapters, as a multiple of 1 / rank.
        lora_dropout: dropout in front of the adapters.
        precision: arithmetic of the forward and backward pass; master weights are always float32. ``auto`` is bf16
            where a GPU has it, fp16 on other GPUs, and fp32 on CPUs.
        max_length: tokens per text, special tokens included; the rest is cut.
        batching: ``packed`` rows, ``dynamic`` padding to a batch's longest text, or ``padded`` to ``max_length``.
        cleaning: applied to every text, in training and ever after.
        patience: stop after this many epochs without a better score; 0 never stops early.
        nonfinite_limit: optimizer steps of an epoch that may be skipped because gradients were not finite.
        decisions: ``fixed`` compares scores with ``threshold``; ``fitted`` fits calibration and thresholds on dev.
        threshold: the fixed one, also used to choose the best epoch.
        empty: what a text gets when nothing passes.
        seed: of everything random.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = "custom"
    loss: str = "asymmetric"
    loss_options: dict[str, float | bool | str] = Field(default_factory=dict)
    r_drop: float = Field(default=0.0, ge=0)
    teacher_weight: float = Field(default=0.5, ge=0, le=1)
    pool_share: float = Field(default=0.5, ge=0, lt=1)
    epochs: int = Field(default=3, ge=1)
    batch_size: int = Field(default=32, ge=1)
    micro_batch: int | None = Field(default=None, ge=1)
    lr: float = Field(default=2e-5, gt=0)
    schedule: Literal["cosine", "linear", "constant"] = "linear"
    warmup_ratio: float = Field(default=0.1, ge=0, lt=1)
    optimizer: Literal["adamw", "adamw8bit"] = "adamw"
    weight_decay: float = Field(default=0.01, ge=0)
    layer_decay: float = Field(default=1.0, gt=0, le=1)
    head_lr_factor: float = Field(default=1.0, gt=0)
    max_grad_norm: float = Field(default=1.0, ge=0)
    average_decay: float = Field(default=0.0, ge=0, lt=1)
    dropout: float | None = Field(default=None, ge=0, lt=1)
    pooling: Literal["first", "mean"] = "first"
    drop_layers: tuple[Annotated[int, Field(ge=0, strict=True)], ...] = ()
    feed_forward: int | None = Field(default=None, ge=1, strict=True)
    checkpointing: bool = False
    lora_rank: int = Field(default=0, ge=0)
    lora_alpha: float = Field(default=32.0, gt=0)
    lora_dropout: float = Field(default=0.0, ge=0, lt=1)
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"
    max_length: int = Field(default=128, ge=8, le=8192)
    batching: Literal["packed", "dynamic", "padded"] = "packed"
    cleaning: CleaningOptions = CleaningOptions()
    patience: int = Field(default=0, ge=0)
    nonfinite_limit: int = Field(default=20, ge=0)
    decisions: Literal["fixed", "fitted"] = "fitted"
    threshold: float = Field(default=0.5, gt=0, lt=1)
    empty: Literal["empty", "best", "neutral"] = "empty"
    seed: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _divides(self) -> "Recipe":
        if self.micro_batch is not None and self.micro_batch > self.batch_size:
            raise ValueError(f"micro_batch {self.micro_batch} is larger than batch_size {self.batch_size}")
        if self.lora_rank and self.pooling == "mean":
            raise ValueError("a new pooling layer cannot be learned by adapters: set pooling=first or lora_rank=0")
        return self

    def override(self, overrides: Sequence[str]) -> "Recipe":
        """A copy with ``setting=value`` texts applied, such as ``lr=1e-5`` or ``loss_options.gamma_neg=2``.

        Raises:
            SettingError: an unknown setting or a value outside its range.
        """
        recipe = self
        for key, value in [_parse(override) for override in overrides]:
            recipe = recipe.replace(**_nested(recipe, key, value))
        return recipe

    def replace(self, **settings: Any) -> "Recipe":
        """A copy with other settings, validated.

        Raises:
            SettingError: an unknown setting or a value outside its range.
        """
        try:
            return Recipe.model_validate(self.model_dump() | settings)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"]) or "the recipe"
            if first["type"] == "extra_forbidden":
                known = ", ".join(sorted(Recipe.model_fields))
                raise SettingError(f"A recipe has no setting '{place}'.", hint=f"It has: {known}.") from error
            raise SettingError(f"Recipe setting '{place}': {first['msg']} (got {first.get('input')!r}).") from error


_REFERENCE = Recipe(
    name="reference",
    loss="focal",
    loss_options={"alpha": 0.25, "gamma": 2.0, "reduction": "mean"},
    epochs=3,
    batch_size=32,
    micro_batch=4,
    lr=2e-5,
    schedule="cosine",
    warmup_ratio=0.0,
    optimizer="adamw8bit",
    weight_decay=0.01,
    precision="fp16",
    max_length=128,
    batching="padded",
    decisions="fixed",
    threshold=0.5,
)

_FAST = Recipe(
    name="fast",
    loss="asymmetric",
    loss_options={"gamma_neg": 4.0, "gamma_pos": 0.0, "clip": 0.05},
    epochs=4,
    lr=3e-5,
    schedule="linear",
)

_BEST = Recipe(
    name="best",
    loss="asymmetric",
    loss_options={"gamma_neg": 4.0, "gamma_pos": 0.0, "clip": 0.05, "reduction": "sum"},
    epochs=5,
    lr=2e-4,
    schedule="linear",
    layer_decay=0.9,
    average_decay=0.999,
    pooling="mean",
    teacher_weight=0.5,
)

RECIPES: Mapping[str, Recipe] = MappingProxyType({"reference": _REFERENCE, "fast": _FAST, "best": _BEST})
"""Recipes by name. ``best`` is for an encoder of 22M parameters; take ``lr=6e-5`` for base size.
``reference`` is the published model card's system, setting by setting."""


def get_recipe(name: str, overrides: Sequence[str] = ()) -> Recipe:
    """The recipe called ``name``, or read from a JSON file of that name, with ``setting=value`` overrides.

    Args:
        name: a key of :data:`RECIPES`, or the path of a JSON file with settings (its ``name`` may name a base recipe).
        overrides: such as ``lr=1e-5`` or ``loss_options.gamma_neg=2``; later ones win.

    Raises:
        SettingError: an unknown recipe or setting, or a value outside its range.
    """
    recipe = RECIPES[name] if name in RECIPES else _from_file(Path(name))
    return recipe.override(overrides)


def _from_file(path: Path) -> Recipe:
    if not path.is_file():
        raise SettingError(f"There is no recipe '{path}'.", hint=f"Known: {', '.join(RECIPES)}, or a JSON file.")
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise SettingError(f"'{path}' is not a JSON file of recipe settings: {error}.") from error
    if not isinstance(settings, dict):
        raise SettingError(f"'{path}' must hold a JSON object of recipe settings.")
    base = RECIPES.get(str(settings.get("name")), Recipe())
    return base.replace(**settings)


def _parse(override: str) -> tuple[str, Any]:
    key, equals, text = override.partition("=")
    if not equals or not key:
        raise SettingError(f"'{override}' does not set anything.", hint="Write setting=value, such as lr=1e-5.")
    try:
        return key.strip(), json.loads(text)
    except ValueError:
        return key.strip(), text.strip()


def _nested(recipe: Recipe, key: str, value: Any) -> dict[str, Any]:
    outer, dot, inner = key.partition(".")
    if not dot:
        return {outer: value}
    held = recipe.model_dump().get(outer)
    if not isinstance(held, dict):
        raise SettingError(f"Recipe setting '{outer}' has no parts, so '{key}' cannot be set.")
    return {outer: held | {inner: value}}
