"""Distillation: a student learns from gold labels mixed with the scores of teachers that never saw the texts.

Hinton, Vinyals & Dean 2015, with teachers trained out of fold, and with texts that only the teachers label.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from affekt.data import Dataset, ReadOptions
from affekt.training.distilling.teachers import Teachers, fold_numbers, teacher_scores
from affekt.training.distilling.unlabelled import make_pool
from affekt.training.inputs import ScoredTexts, gather
from affekt.training.loop.progress import Hook
from affekt.training.loop.watching import ProgressBar
from affekt.training.networks.build import pick_device
from affekt.training.recipe import Recipe, get_recipe
from affekt.training.run import Options, TrainResult, train


@dataclass(frozen=True)
class MoreTexts:
    """What the student sees besides the labelled texts.

    Attributes:
        derived: texts cut, joined and misspelt from the training texts, as a multiple of these.
        others: texts from elsewhere, whose labels nobody needs.
    """

    derived: float = 0.0
    others: tuple[str, ...] = ()


def distill(
    data: Dataset | str | Path,
    dev: Dataset | str | Path | None = None,
    *,
    teachers: Teachers,
    student: str | Path,
    out: str | Path,
    recipe: Recipe | str = "fast",
    overrides: Sequence[str] = (),
    more: MoreTexts | None = None,
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
        recipe: the student's; ``teacher_weight`` is the teachers' share in the targets, ``pool_share`` that of
            texts without gold labels in what it sees.
        overrides: settings of the student.
        more: texts that only the teachers label.
        read: how to read tables.
        hooks: told of everything.
        options: how to carry it out.

    Raises:
        SettingError: if a teacher is a finished model, or the machine cannot do what a recipe says.
        DataError: if a table cannot be used.
    """
    how, more = options or Options(), more or MoreTexts()
    settings = (recipe if isinstance(recipe, Recipe) else get_recipe(recipe)).override(overrides)
    inputs = gather(data, dev, seed=settings.seed, options=read)
    folds = fold_numbers(teachers.parts(inputs.train))
    pool = make_pool(inputs.train.texts, folds, derived=more.derived, others=more.others, seed=settings.seed)
    place = Path(out).with_name(f"{Path(out).name}.teachers")
    watchers = [*([ProgressBar()] if how.progress else []), *hooks]
    scores, pooled = teacher_scores(
        inputs, teachers, place, device=pick_device(how.device), pool=pool, hooks=watchers
    )  # fmt: skip
    return train(
        inputs.train, inputs.dev,
        encoder=student, out=out, recipe=settings, teacher=scores, dev_share=0.0,
        scored=ScoredTexts(pool.texts, pooled) if len(pool) else None, hooks=hooks, options=how,
    )  # fmt: skip
