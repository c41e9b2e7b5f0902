"""Distillation: a student learns from gold labels mixed with the scores of teachers that never saw the texts.

Every teacher is trained once per fold on the other folds, and scores the fold that it did not learn, so that its scores
are no better on training texts than they are anywhere. They are calibrated per label by the other folds' scores and
averaged over the teachers.
"""

import gc
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from affekt.data import Dataset, ReadOptions, kfold
from affekt.decision import sigmoid
from affekt.errors import DataError, SettingError
from affekt.files import atomic_file
from affekt.model_folder import MANIFEST
from affekt.training.build import pick_device
from affekt.training.hardware import fit_to_device
from affekt.training.inputs import Floats, Inputs, gather
from affekt.training.prepare import prepare, train_in_memory
from affekt.training.processes import Processes
from affekt.training.progress import Hook
from affekt.training.recipe import Recipe, get_recipe
from affekt.training.run import Options, TrainResult, train
from affekt.training.watching import ProgressBar
from affekt.tuning.calibration import fit_calibration

FOLDS = 5
LEAST_TEXTS = 50
"""Fully labelled texts that a calibration is fitted on at least; scores stay as they are with fewer."""


@dataclass(frozen=True)
class Teachers:
    """Who teaches, and how they are trained.

    Attributes:
        encoders: local folders or Hub ids, as many as wanted; a name may occur once.
        recipe: of every teacher.
        folds: into which the training texts are parted.
        calibrate: whether scores are calibrated before they are averaged.
    """

    encoders: tuple[str, ...]
    recipe: Recipe
    folds: int = FOLDS
    calibrate: bool = True

    def __post_init__(self) -> None:
        """Check that there is somebody to learn from."""
        if not self.encoders or len(set(self.encoders)) != len(self.encoders):
            raise SettingError("Distillation needs teachers, each named once.", hint="Name them with --teacher.")
        finished = [name for name in self.encoders if (Path(name) / MANIFEST).is_file()]
        if finished:
            raise SettingError(
                f"The teacher '{finished[0]}' is a finished model, which may have learned these very texts.",
                hint="Name the encoder that it was made from: teachers are trained without the texts they score.",
            )


def distill(
    data: Dataset | str | Path,
    dev: Dataset | str | Path | None = None,
    *,
    teachers: Teachers,
    student: str | Path,
    out: str | Path,
    recipe: Recipe | str = "fast",
    overrides: Sequence[str] = (),
    read: ReadOptions | None = None,
    hooks: Sequence[Hook] = (),
    options: Options | None = None,
) -> TrainResult:
    """Train teachers out of fold, and a student on gold mixed with their scores.

    Scores are kept beside the run as soon as a fold is done, so that a run that died goes on with the next fold.

    Args:
        data: as for :func:`affekt.training.train`.
        dev: likewise; teachers choose their best epoch by it too.
        teachers: who teaches.
        student: the encoder that learns.
        out: the student's model folder.
        recipe: the student's; ``teacher_weight`` is the teachers' share in the targets.
        overrides: settings of the student.
        read: how to read tables.
        hooks: told of everything.
        options: how to carry it out.

    Raises:
        SettingError: if a teacher is a finished model, or the machine cannot do what a recipe says.
        DataError: if a table cannot be used.
    """
    how = options or Options()
    settings = (recipe if isinstance(recipe, Recipe) else get_recipe(recipe)).override(overrides)
    inputs = gather(data, dev, seed=settings.seed, options=read)
    place = Path(out).with_name(f"{Path(out).name}.teachers")
    watchers = [*([ProgressBar()] if how.progress else []), *hooks]
    scores = teacher_scores(inputs, teachers, place, device=pick_device(how.device), hooks=watchers)
    return train(
        inputs.train, inputs.dev,
        encoder=student, out=out, recipe=settings, teacher=scores, dev_share=0.0, hooks=hooks, options=how,
    )  # fmt: skip


def teacher_scores(
    inputs: Inputs, teachers: Teachers, place: Path, *, device: torch.device, hooks: Sequence[Hook] = ()
) -> Floats:
    """Mean over teachers of calibrated out-of-fold scores: (training texts, labels) float32.

    Args:
        inputs: the sets.
        teachers: who teaches.
        place: a folder for the logits of every teacher and fold; what is there already is not made again.
        device: where to train.
        hooks: told of every teacher's training.

    Raises:
        DataError: if the logits that are there belong to other texts.
    """
    folds = kfold(inputs.train, teachers.folds, teachers.recipe.seed)
    scores = np.zeros(inputs.train.targets.shape, dtype=np.float64)
    for encoder in teachers.encoders:
        logits = np.zeros(inputs.train.targets.shape, dtype=np.float32)
        for number, (rows, held) in enumerate(folds):
            kept = place / f"{_slug(encoder)}-fold{number + 1}.npy"
            logits[held] = _fold_logits(inputs, teachers, encoder, rows, held, kept, device, hooks)
        found = (
            _calibrated(logits, inputs.train, [held for _, held in folds]) if teachers.calibrate else sigmoid(logits)
        )
        scores += found / len(teachers.encoders)
    return scores.astype(np.float32)


def _fold_logits(
    inputs: Inputs,
    teachers: Teachers,
    encoder: str,
    rows: Any,
    held: Any,
    kept: Path,
    device: torch.device,
    hooks: Sequence[Hook],
) -> Floats:
    """Logits (held, labels) of a teacher trained on ``rows``, from the disk if they are there."""
    seal = _seal(inputs, teachers, encoder, held)
    record = kept.with_suffix(".json")
    if kept.is_file() and record.is_file():
        if json.loads(record.read_text(encoding="utf-8"))["made_of"] != seal:
            raise DataError(
                f"'{kept}' was made of other texts or with another recipe.", hint=f"Remove '{kept.parent}' first."
            )
        logits: Floats = np.load(kept, allow_pickle=False)
        return logits
    for hook in hooks:
        hook.note(f"Teacher '{encoder}', {kept.stem}: training on {len(rows):,} texts.")
    logits = _train_and_score(inputs, teachers.recipe, encoder, rows, held, device, hooks)
    with atomic_file(kept) as temporary, open(temporary, "wb") as file:
        np.save(file, logits, allow_pickle=False)
    with atomic_file(record) as temporary:
        temporary.write_text(json.dumps({"made_of": seal}), encoding="utf-8")
    return logits


def _train_and_score(
    inputs: Inputs, recipe: Recipe, encoder: str, rows: Any, held: Any, device: torch.device, hooks: Sequence[Hook]
) -> Floats:
    part = Inputs(inputs.train.subset(rows), inputs.dev)
    run = prepare(fit_to_device(recipe, device), part, encoder, Processes(device=device), hooks=hooks)
    _, weights = train_in_memory(run)
    texts = [inputs.train.texts[row] for row in held]
    logits = run.score(weights, texts)
    del run, weights
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
    return logits


def _calibrated(logits: Floats, data: Dataset, folds: Sequence[Any]) -> Floats:
    """Each fold's scores by a calibration of the other folds' fully labelled texts."""
    known, scores = np.flatnonzero(data.known.all(axis=1)), sigmoid(logits)
    for held in folds:
        others = np.setdiff1d(known, held)
        if len(others) >= LEAST_TEXTS:
            scores[held] = fit_calibration(logits[others], data.positives[others]).apply(logits[held])
    return scores


def _seal(inputs: Inputs, teachers: Teachers, encoder: str, held: Any) -> str:
    """What a fold's logits depend on."""
    digest = hashlib.sha256(np.asarray(held, dtype=np.int64).tobytes())
    said = [*inputs.parts(), encoder, json.dumps(teachers.recipe.model_dump(mode="json"), sort_keys=True)]
    digest.update("\n".join(said).encode())
    return digest.hexdigest()


def _slug(encoder: str) -> str:
    name = "".join(letter if letter.isalnum() else "-" for letter in encoder.rstrip("/").rsplit("/", 1)[-1])
    return f"{name}-{hashlib.sha256(encoder.encode()).hexdigest()[:8]}"
