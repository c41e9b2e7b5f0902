"""Teachers out of fold: each scores only texts that it did not learn, and nothing made from them.

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

import numpy as np
import numpy.typing as npt
import torch

from affekt.data import Dataset, kfold
from affekt.decision import Calibration, sigmoid
from affekt.errors import DataError, SettingError
from affekt.files import atomic_file
from affekt.model_folder import MANIFEST
from affekt.training.distilling.unlabelled import ANY_FOLD, Pool
from affekt.training.engines.hardware import fit_to_device
from affekt.training.engines.processes import Processes
from affekt.training.inputs import Floats, Inputs
from affekt.training.loop.progress import Hook
from affekt.training.prepare import prepare, train_in_memory
from affekt.training.recipe import Recipe
from affekt.tuning.calibration import fit_calibration

FOLDS = 5
LEAST_TEXTS = 50
"""Fully labelled texts that a calibration is fitted on at least; scores stay as they are with fewer."""

Indices = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Teacher:
    """An encoder and how it is trained.

    Attributes:
        encoder: a local folder or a Hub id.
        recipe: its own.
    """

    encoder: str
    recipe: Recipe

    @property
    def slug(self) -> str:
        """A file name of its own."""
        said = f"{self.encoder}\n{json.dumps(self.recipe.model_dump(mode='json'), sort_keys=True)}"
        name = "".join(c if c.isalnum() else "-" for c in self.encoder.rstrip("/").rsplit("/", 1)[-1])
        return f"{name}-{hashlib.sha256(said.encode()).hexdigest()[:8]}"


@dataclass(frozen=True)
class Teachers:
    """Who teaches.

    Attributes:
        members: one or more, no two alike.
        folds: into which the training texts are parted.
        seed: of the folds.
        calibrate: whether scores are calibrated before they are averaged.

    Raises:
        SettingError: if there is nobody, one twice, or a finished model among them.
    """

    members: tuple[Teacher, ...]
    folds: int = FOLDS
    seed: int = 0
    calibrate: bool = True

    def __post_init__(self) -> None:
        """Check that there is somebody to learn from."""
        if not self.members or len({teacher.slug for teacher in self.members}) != len(self.members):
            raise SettingError(
                "Distillation needs teachers, no two with the same encoder and recipe.",
                hint="Name them with --teacher, the same encoder again as ENCODER:RECIPE with another recipe.",
            )
        finished = [one.encoder for one in self.members if (Path(one.encoder) / MANIFEST).is_file()]
        if finished:
            raise SettingError(
                f"The teacher '{finished[0]}' is a finished model, which may have learned these very texts.",
                hint="Name the encoder that it was made from: teachers are trained without the texts they score.",
            )

    def parts(self, data: Dataset) -> list[tuple[Indices, Indices]]:
        """Per fold, the rows that teachers learn and those that they score."""
        return kfold(data, self.folds, self.seed)


def fold_numbers(folds: Sequence[tuple[Indices, Indices]]) -> Indices:
    """The fold of each text: (texts,)."""
    numbers = np.zeros(sum(len(held) for _, held in folds), dtype=np.intp)
    for number, (_, held) in enumerate(folds):
        numbers[held] = number
    return numbers


def teacher_scores(
    inputs: Inputs,
    teachers: Teachers,
    place: Path,
    *,
    device: torch.device,
    pool: Pool | None = None,
    hooks: Sequence[Hook] = (),
) -> tuple[Floats, Floats]:
    """Mean over teachers of calibrated out-of-fold scores.

    Args:
        inputs: the sets.
        teachers: who teaches.
        place: a folder for the logits of every teacher and fold; what is there already is not made again.
        device: where to train.
        pool: further texts to score.
        hooks: told of every teacher's training.

    Returns:
        Scores of the training texts and of the pool, (texts, labels) float32 each.

    Raises:
        DataError: if the logits that are there belong to other texts.
    """
    folds, pool = teachers.parts(inputs.train), pool or Pool()
    labels = len(inputs.train.labels)
    scores, more = np.zeros((len(inputs.train), labels)), np.zeros((len(pool), labels))
    for teacher in teachers.members:
        logits = np.zeros(scores.shape, dtype=np.float32)
        per_fold = []
        for number, (rows, held) in enumerate(folds):
            job = FoldJob(inputs, teacher, rows, held, [pool.texts[i] for i in pool.scored_by(number)])
            logits[held], found = job.logits(place / f"{teacher.slug}-fold{number + 1}.npz", device, hooks)
            per_fold.append(found)
        rules = fold_calibrations(logits, inputs.train, folds) if teachers.calibrate else [None] * len(folds)
        scores += out_of_fold_scores(logits, folds, rules) / len(teachers.members)
        more += pool_scores(pool, per_fold, rules) / len(teachers.members)
    return scores.astype(np.float32), more.astype(np.float32)


@dataclass(frozen=True)
class FoldJob:
    """One teacher, one fold.

    Attributes:
        inputs: the sets; dev, if there is one, chooses the best epoch.
        teacher: who.
        rows: what it learns.
        held: what it scores.
        others: further texts that it scores.
    """

    inputs: Inputs
    teacher: Teacher
    rows: Indices
    held: Indices
    others: Sequence[str]

    def logits(self, kept: Path, device: torch.device, hooks: Sequence[Hook] = ()) -> tuple[Floats, Floats]:
        """Logits of the held and of the other texts, (texts, labels) each, from the disk if they are there."""
        seal = self._seal()
        if kept.is_file():
            with np.load(kept, allow_pickle=False) as found:
                if str(found["made_of"]) != seal:
                    raise DataError(
                        f"'{kept}' was made of other texts or with another recipe.",
                        hint=f"Remove '{kept.parent}' first.",
                    )
                return found["held"], found["others"]
        for hook in hooks:
            hook.note(f"Teacher '{self.teacher.encoder}', {kept.stem}: training on {len(self.rows):,} texts.")
        held, others = self._train_and_score(device, hooks)
        with atomic_file(kept) as temporary, open(temporary, "wb") as file:
            np.savez(file, held=held, others=others, made_of=np.array(seal))
        return held, others

    def _train_and_score(self, device: torch.device, hooks: Sequence[Hook]) -> tuple[Floats, Floats]:
        part = Inputs(self.inputs.train.subset(self.rows), self.inputs.dev)
        recipe = fit_to_device(self.teacher.recipe, device)
        run = prepare(recipe, part, self.teacher.encoder, Processes(device=device), hooks=hooks)
        _, weights = train_in_memory(run)
        texts = [self.inputs.train.texts[row] for row in self.held]
        logits = run.score(weights, [*texts, *self.others])
        del run, weights
        gc.collect()
        if device.type == "cuda":
            torch.cuda.empty_cache()
        return logits[: len(texts)], logits[len(texts) :]

    def _seal(self) -> str:
        """What the logits depend on."""
        digest = hashlib.sha256(np.asarray(self.held, dtype=np.int64).tobytes())
        digest.update("\n".join([*self.inputs.parts(), self.teacher.slug, *self.others]).encode())
        return digest.hexdigest()


def fold_calibrations(
    logits: Floats, data: Dataset, folds: Sequence[tuple[Indices, Indices]]
) -> list[Calibration | None]:
    """For each fold, a calibration fitted on the other folds' fully labelled texts; None where these are too few.

    Args:
        logits: (texts, labels) out of fold.
        data: the texts.
        folds: rows learned and rows scored.
    """
    known = np.flatnonzero(data.known.all(axis=1))
    found: list[Calibration | None] = []
    for _, held in folds:
        others = np.setdiff1d(known, held)
        enough = len(others) >= LEAST_TEXTS
        found.append(fit_calibration(logits[others], data.positives[others]) if enough else None)
    return found


def out_of_fold_scores(
    logits: Floats, folds: Sequence[tuple[Indices, Indices]], rules: Sequence[Calibration | None]
) -> Floats:
    """Scores (texts, labels) of the training texts, each by its own fold's calibration."""
    scores = np.zeros(logits.shape, dtype=np.float32)
    for (_, held), rule in zip(folds, rules, strict=True):
        scores[held] = _scores(logits[held], rule)
    return scores


def pool_scores(pool: Pool, logits: Sequence[Floats], rules: Sequence[Calibration | None]) -> Floats:
    """Scores (texts, labels) of a pool: by its fold's teacher, or the mean over all for texts of no fold.

    Args:
        pool: the texts.
        logits: per fold, of the texts that :meth:`Pool.scored_by` names.
        rules: per fold.
    """
    total = np.zeros((len(pool), logits[0].shape[1]), dtype=np.float32)
    for number, (found, rule) in enumerate(zip(logits, rules, strict=True)):
        total[pool.scored_by(number)] += _scores(found, rule)
    total[pool.folds == ANY_FOLD] /= len(logits)
    return total


def _scores(logits: Floats, rule: Calibration | None) -> Floats:
    return sigmoid(logits) if rule is None else rule.apply(logits)
