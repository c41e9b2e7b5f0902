"""A look at a data set, a recipe and a machine before the hours are spent; see :func:`examine`."""

import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from transformers import PreTrainedModel

from affekt.cleaning import clean
from affekt.data.duplicates import text_groups
from affekt.errors import SettingError, TrainingError
from affekt.training.batching.encode import Encoded, encode, tokenize
from affekt.training.batching.sampling import BatchPlan
from affekt.training.engines.assemble import make_engine
from affekt.training.engines.engine import Engine
from affekt.training.engines.hardware import choose_engine, fit_to_device, fit_to_encoder, has_8bit, longest
from affekt.training.engines.memory import EncoderShape, EngineName, estimate_memory, plan_memory
from affekt.training.engines.processes import Processes
from affekt.training.inputs import Inputs, complaints
from affekt.training.networks.build import adapt, load_classifier, load_tokenizer
from affekt.training.recipe import Recipe

Severity = Literal["error", "warning", "note"]
DEV_SAMPLE = 500
TRIAL_TEXTS = 64
"""Texts that a smaller encoder is fitted on here, where only its shape matters."""

WARM_UP = 3
UNKNOWN_SHARE = 0.02
CUT_SHARE = 0.01
CHECKPOINTS = 3


@dataclass(frozen=True)
class Remark:
    """One thing found.

    Attributes:
        severity: an ``error`` keeps training from starting; a ``warning`` from going well.
        about: ``data``, ``texts``, ``machine``, ``memory``, ``time`` or ``disk``.
        text: one or two sentences.
    """

    severity: Severity
    about: str
    text: str


@dataclass(frozen=True)
class Diagnosis:
    """What was found.

    Attributes:
        remarks: in order.
        seconds: the whole run is estimated to take; None if no steps could be taken.
    """

    remarks: tuple[Remark, ...]
    seconds: float | None

    @property
    def healthy(self) -> bool:
        """Whether training can start."""
        return all(remark.severity != "error" for remark in self.remarks)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"healthy": self.healthy, "seconds": self.seconds, "remarks": [asdict(r) for r in self.remarks]}


def examine(
    inputs: Inputs,
    encoder: str,
    recipe: Recipe,
    *,
    device: torch.device,
    memory: int | None = None,
    steps: int = 10,
    out: Path | None = None,
) -> Diagnosis:
    """Look at everything that can be known before training.

    Args:
        inputs: training and dev set.
        encoder: a local folder or a Hub id.
        recipe: the run's.
        device: the run's.
        memory: a budget in bytes to judge by, instead of what the device has free.
        steps: real optimizer steps to time; 0 for none.
        out: where the model is to go, for the space on that disk.

    Raises:
        TrainingError: if the encoder cannot be read.
    """
    remarks = [*_labels(inputs), *_overlap(inputs)]
    recipe, lacking = _runnable(recipe, device)
    remarks += lacking
    tokenizer = load_tokenizer(encoder)
    model = load_classifier(
        encoder, inputs.train.labels, seed=recipe.seed, pooling=recipe.pooling, without=recipe.drop_layers
    )
    reads = longest(model)
    if reads is not None and recipe.max_length > reads:
        text = f"The recipe cuts texts at {recipe.max_length} tokens, and the encoder reads {reads}: set max_length."
        remarks.append(Remark("error", "texts", text))
        recipe = recipe.replace(max_length=reads)
    recipe, notes = fit_to_encoder(recipe, model)
    remarks += [Remark("note", "machine", note) for note in notes]
    encoded = encode(inputs.train.texts, inputs.train.targets, tokenizer, recipe.cleaning, recipe.max_length)
    adapt(model, recipe, encoded.token_ids[:TRIAL_TEXTS])
    remarks += _texts(inputs, encoded, tokenizer, recipe)
    kind = choose_engine(recipe, model, device)
    remarks += _memory(recipe, model, encoded, kind, device, memory)
    remarks += _disk(model, recipe, out)
    if not steps:
        return Diagnosis(tuple(remarks), None)
    try:
        seconds, timed = _time(recipe, kind, model, encoded, inputs, tokenizer, device, steps)
    except (TrainingError, SettingError, torch.OutOfMemoryError) as error:
        said = "The GPU's memory does not suffice." if isinstance(error, torch.OutOfMemoryError) else str(error)
        return Diagnosis((*remarks, Remark("error", "time", f"The trial steps failed: {said}")), None)
    return Diagnosis((*remarks, *timed), seconds)


def _labels(inputs: Inputs) -> Iterator[Remark]:
    for text in complaints(inputs.train.targets, inputs.train.labels):
        yield Remark("warning", "data", f"In training, {text[0].lower()}{text[1:]}")
    if inputs.dev is not None:
        absent = [inputs.dev.labels[i] for i in np.flatnonzero(~inputs.dev.positives.any(axis=0))]
        if absent:
            text = f"Dev has no text with {', '.join(absent)}: each counts as F1 0, and gets a common threshold."
            yield Remark("warning", "data", text)
    empty = float((~inputs.train.positives.any(axis=1)).mean())
    if empty > 0:
        yield Remark("note", "data", f"{empty:.1%} of the training texts have no label at all.")


def _overlap(inputs: Inputs) -> Iterator[Remark]:
    if inputs.dev is None:
        yield Remark("warning", "data", "There is no dev set: the last epoch is kept, and no thresholds are fitted.")
        return
    groups = text_groups([*inputs.train.texts, *inputs.dev.texts])
    shared = np.isin(groups[len(inputs.train) :], groups[: len(inputs.train)])
    if shared.any():
        text = f"{int(shared.sum()):,} dev texts are in training as well ({shared.mean():.1%}): figures will flatter."
        yield Remark("warning" if shared.mean() > 0.01 else "note", "data", text)


def _runnable(recipe: Recipe, device: torch.device) -> tuple[Recipe, list[Remark]]:
    try:
        return fit_to_device(recipe, device), []
    except SettingError as error:
        precision = "fp32" if device.type == "cpu" else "fp16"
        stand_in = recipe.replace(precision=precision, optimizer="adamw")
        return fit_to_device(stand_in, device), [Remark("error", "machine", str(error))]


def _texts(inputs: Inputs, encoded: Encoded, tokenizer: Any, recipe: Recipe) -> Iterator[Remark]:
    full = tokenize(inputs.train.texts, tokenizer, recipe.cleaning, 10**6)
    lengths = np.array([len(ids) for ids in full])
    cut = lengths > recipe.max_length
    shown = ", ".join(f"{p} % up to {int(np.percentile(lengths, p))}" for p in (50, 90, 99, 100))
    yield Remark("note", "texts", f"Tokens per text: {lengths.mean():.1f} on average, {shown}.")
    if cut.any():
        text = f"{int(cut.sum()):,} texts ({cut.mean():.1%}) are longer than {recipe.max_length} tokens and are cut."
        yield Remark("warning" if cut.mean() > CUT_SHARE else "note", "texts", text)
    if recipe.batching == "padded" and lengths.mean() < recipe.max_length / 3:
        share = 1 - lengths.mean() / recipe.max_length
        text = (
            f"Padding to {recipe.max_length} makes {share:.0%} of the tokens padding: batching=packed learns the same."
        )
        yield Remark("note", "texts", text)
    blank = sum(not clean(text, recipe.cleaning) for text in inputs.train.texts)
    if blank:
        yield Remark("warning", "texts", f"{blank:,} texts are empty once cleaned.")
    unknown = tokenizer.unk_token_id
    if unknown is not None:
        share = float(np.mean(np.concatenate(encoded.token_ids) == unknown))
        if share > UNKNOWN_SHARE:
            text = f"{share:.1%} of the tokens are unknown to this encoder's tokenizer: is it of the right language?"
            yield Remark("warning", "texts", text)


def _memory(
    recipe: Recipe, model: PreTrainedModel, encoded: Encoded, kind: EngineName, device: torch.device, budget: int | None
) -> Iterator[Remark]:
    if device.type != "cuda" and budget is None:
        return
    shape, most = EncoderShape.of(model), max(map(len, encoded.token_ids))
    size = recipe.micro_batch or recipe.batch_size
    needed = estimate_memory(
        shape, recipe, engine=kind, micro_batch=size, optimizer=recipe.optimizer,
        checkpointing=recipe.checkpointing, longest=most,
    )  # fmt: skip
    yield Remark("note", "memory", f"{shape.parameters / 1e6:,.1f} million parameters are trained; expected: {needed}.")
    budget = budget or torch.cuda.mem_get_info(device)[0]
    if needed.total <= budget:
        yield Remark("note", "memory", f"That fits the {budget / 1e9:.1f} GB there are.")
        return
    try:
        plan = plan_memory(shape, recipe, budget, engine="plain", longest=most, has_8bit=has_8bit(device))
    except SettingError as error:
        yield Remark("error", "memory", str(error))
    else:
        yield Remark("warning", "memory", f"That does not fit; --memory would choose this. {plan}")


def _disk(model: PreTrainedModel, recipe: Recipe, out: Path | None) -> Iterator[Remark]:
    place = (out or Path.cwd()).absolute()
    while not place.exists():
        place = place.parent
    trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
    whole = sum(p.numel() for p in model.parameters())
    per_weight = 4 * (3 + bool(recipe.average_decay))
    needed = CHECKPOINTS * per_weight * trained + 2 * 4 * whole
    free = shutil.disk_usage(place).free
    severity: Severity = "error" if needed > free else "note"
    text = f"Checkpoints and model take up to {needed / 1e9:.1f} GB; {free / 1e9:.1f} GB are free."
    yield Remark(severity, "disk", text)


def _time(
    recipe: Recipe,
    kind: EngineName,
    model: PreTrainedModel,
    encoded: Encoded,
    inputs: Inputs,
    tokenizer: Any,
    device: torch.device,
    steps: int,
) -> tuple[float, Sequence[Remark]]:
    """Seconds of the whole run, from real steps (at a rate of 0) and an evaluation of some dev texts."""
    processes = Processes(device=device)
    engine = make_engine(recipe, kind, model, encoded, tokenizer.pad_token_id, device=device, processes=processes)
    plan = BatchPlan(len(encoded), recipe.batch_size, recipe.seed)
    step = _seconds_per_step(engine, plan, steps)
    whole = plan.steps_per_epoch * recipe.epochs
    evaluation = 0.0
    if inputs.dev is not None:
        sample = inputs.dev.texts[:DEV_SAMPLE]
        ids = tokenize(sample, tokenizer, recipe.cleaning, recipe.max_length)
        began = time.perf_counter()
        engine.logits(ids)
        evaluation = (time.perf_counter() - began) * len(inputs.dev) / len(sample) * (recipe.epochs + 1)
    total = whole * step + evaluation
    text = (
        f"{steps} steps on the {kind} engine took {step * 1e3:,.1f} ms each ({recipe.batch_size / step:,.0f} texts/s): "
        f"{whole:,} steps and the evaluations take about {_span(total)}."
    )
    remarks = [Remark("note", "time", text)]
    if device.type == "cuda":
        peak = torch.cuda.max_memory_reserved(device) / 1e9
        remarks.append(Remark("note", "memory", f"These steps took {peak:.1f} GB of GPU memory."))
    return total, remarks


def _seconds_per_step(engine: Engine, plan: BatchPlan, steps: int) -> float:
    began = time.perf_counter()
    for number, texts in enumerate(plan.batches(0, WARM_UP + steps)):
        if number == WARM_UP:
            engine.read()
            began = time.perf_counter()
        engine.step(engine.prepare(texts.astype(np.intp)), 0.0)
    engine.read()
    return (time.perf_counter() - began) / steps


def _span(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} seconds"
    return f"{seconds / 60:.0f} minutes" if seconds < 7200 else f"{seconds / 3600:.1f} hours"
