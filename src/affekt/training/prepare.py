"""Everything that a run needs before its first step: settings that fit, a model, encoded texts, a loop."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedModel

from affekt.training.batching.encode import Encoded, encode, tokenize
from affekt.training.batching.sampling import BatchPlan
from affekt.training.checkpoints.fingerprint import tensors_digest
from affekt.training.checkpoints.keeping import Keeper, MemoryKeeper
from affekt.training.engines.accelerators import is_sharded
from affekt.training.engines.assemble import make_engine
from affekt.training.engines.engine import Engine
from affekt.training.engines.hardware import choose_engine, fit_to_encoder, fit_to_memory, has_8bit
from affekt.training.engines.memory import EngineName, parse_memory
from affekt.training.engines.processes import Processes
from affekt.training.inputs import Floats, Inputs, complaints
from affekt.training.loop.evaluator import Evaluator
from affekt.training.loop.loop import Loop, Rules
from affekt.training.loop.progress import Hook, Progress
from affekt.training.loop.schedules import Schedule
from affekt.training.networks.build import adapt, load_classifier, load_tokenizer
from affekt.training.networks.stock import model_logits, stock_model
from affekt.training.recipe import Recipe


@dataclass
class Run:
    """A run before its first step.

    Attributes:
        recipe: as resolved for machine and encoder.
        inputs: the sets.
        encoder: its name.
        processes: those of the run.
        hooks: told of everything, in the first process.
        tokenizer: the encoder's.
        model: with a new head, in float32.
        encoded: the training texts.
        dev_ids: token ids of the dev texts.
        kind: of the engine.
        start: digest of the weights as they were read.
    """

    recipe: Recipe
    inputs: Inputs
    encoder: str
    processes: Processes
    hooks: list[Hook]
    tokenizer: Any
    model: PreTrainedModel
    encoded: Encoded
    dev_ids: list[np.ndarray[Any, np.dtype[np.int32]]]
    kind: EngineName
    start: str

    def note(self, text: str) -> None:
        """Tell the hooks."""
        for hook in self.hooks if self.processes.first else ():
            hook.note(text)

    def engine(self) -> Engine:
        """The engine, with the random generators set."""
        torch.manual_seed(self.recipe.seed + 1 + self.processes.rank)
        return make_engine(
            self.recipe, self.kind, self.model, self.encoded, self.tokenizer.pad_token_id,
            device=self.processes.device, processes=self.processes,
        )  # fmt: skip

    def loop(self, engine: Engine, keeper: Keeper) -> Loop:
        """The loop over an engine."""
        recipe, inputs, texts = self.recipe, self.inputs, self.inputs.train.texts
        plan = make_plan(recipe, inputs)
        schedule = Schedule(recipe.schedule, plan.steps_per_epoch * recipe.epochs, recipe.warmup_ratio)
        evaluate = None
        if inputs.dev is not None:
            evaluate = Evaluator(engine, self.dev_ids, inputs.dev.targets, recipe.threshold)
        rules = Rules(
            peak_lr=recipe.lr,
            patience=recipe.patience,
            nonfinite_limit=recipe.nonfinite_limit,
            texts=lambda rows: [texts[row] for row in rows],
        )
        return Loop(
            engine, plan, schedule,
            evaluate=evaluate, keeper=keeper, rules=rules, hooks=self.hooks, processes=self.processes,
        )  # fmt: skip

    def score(self, weights: Mapping[str, Tensor], texts: Sequence[str]) -> Floats:
        """Logits (texts, labels) of trained weights in float32, for a run whose engine is gone."""
        recipe = self.recipe
        model = stock_model(self.model, weights)
        token_ids = tokenize(texts, self.tokenizer, recipe.cleaning, recipe.max_length)
        return model_logits(model, recipe, token_ids, self.tokenizer.pad_token_id, self.processes.device)


def make_plan(recipe: Recipe, inputs: Inputs) -> BatchPlan:
    """Which texts each step sees: every labelled one once an epoch, and texts of the pool for the recipe's share."""
    own = len(inputs.train) - inputs.pool
    drawn = round(own * recipe.pool_share / (1.0 - recipe.pool_share)) if inputs.pool else 0
    return BatchPlan(own, recipe.batch_size, recipe.seed, pool=inputs.pool, drawn=drawn)


def prepare(
    recipe: Recipe,
    inputs: Inputs,
    encoder: str,
    processes: Processes,
    *,
    hooks: Sequence[Hook] = (),
    memory: str | None = None,
) -> Run:
    """Load the encoder, encode the texts, and settle what depends on both.

    Args:
        recipe: resolved for the device.
        inputs: the sets.
        encoder: a local folder or a Hub id.
        processes: those of the run, with its device.
        hooks: told of what there is to know before the start, too.
        memory: a budget such as ``16GB``.

    Raises:
        TrainingError: if the encoder cannot be read.
        SettingError: if the recipe does not fit the encoder or the memory.
    """
    tokenizer = load_tokenizer(encoder)
    model = load_classifier(
        encoder, inputs.train.labels,
        seed=recipe.seed, dropout=recipe.dropout, pooling=recipe.pooling, without=recipe.drop_layers,
    )  # fmt: skip
    start = tensors_digest(model.state_dict())
    recipe, notes = fit_to_encoder(recipe, model)
    targets = inputs.targets(recipe.teacher_weight)
    encoded = encode(inputs.train.texts, targets, tokenizer, recipe.cleaning, recipe.max_length, inputs.weights)
    adapt(model, recipe, encoded.token_ids)
    dev_texts = inputs.dev.texts if inputs.dev is not None else ()
    dev_ids = list(tokenize(dev_texts, tokenizer, recipe.cleaning, recipe.max_length))
    device = processes.device
    kind = choose_engine(recipe, model, device, sharded=is_sharded())
    if memory is not None:
        longest, budget = max(map(len, encoded.token_ids)), parse_memory(memory)
        recipe, kind, said = fit_to_memory(
            recipe, model, device, budget, longest_text=longest, has_8bit=has_8bit(device)
        )
        notes.append(said)
    notes += complaints(inputs.labelled.targets, inputs.train.labels)
    if encoded.cut:
        notes.append(f"{encoded.cut:,} texts reach the recipe's {recipe.max_length} tokens; what is beyond is cut.")
    run = Run(recipe, inputs, encoder, processes, list(hooks), tokenizer, model, encoded, dev_ids, kind, start)
    for text in notes:
        run.note(text)
    return run


def train_in_memory(run: Run) -> tuple[Progress, dict[str, Tensor]]:
    """Train a run that need not survive its process, and give back its best weights on the CPU."""
    engine, keeper = run.engine(), MemoryKeeper()
    progress = run.loop(engine, keeper).run()
    return progress, keeper.best_weights(engine, progress)
