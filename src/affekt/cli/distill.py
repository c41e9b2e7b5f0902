"""``affekt distill``: a small model that learns from large ones."""

from pathlib import Path
from typing import Annotated

import typer

from affekt.cli import table_options as opt
from affekt.cli import training_options as how

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode="markdown")


@app.command()
@opt.reads_table
def distill(
    data: how.Data,
    teacher: how.Teacher,
    student: Annotated[str, typer.Option("--student", help="Encoder that learns: a Hub id or a local folder.")],
    out: Annotated[Path, typer.Option("--out", help="The student's model folder.")],
    dev: how.Dev = None,
    recipe: how.RecipeName = "fast",
    settings: how.Settings = None,
    teacher_recipe: how.TeacherRecipe = "fast",
    teacher_settings: how.TeacherSettings = None,
    folds: how.Folds = 5,
    device: how.Device = "auto",
    resume: how.Resume = False,
    overwrite: how.Overwrite = False,
    quiet: how.Quiet = False,
    *,
    read: opt.Read = opt.USUAL,
) -> None:
    """Train teachers, and a student on the gold labels mixed with their scores.

    Each teacher is trained once per fold without the texts of that fold, which it then scores; so no teacher labels
    what it learned. Scores are kept in OUT.teachers as soon as a fold is done, and the same command goes on from there.

    `affekt distill --data train.csv --teacher roberta-large --teacher mpnet-base --student minilm --out runs/small`
    """
    from affekt.training import Options, get_recipe
    from affekt.training.distill import Teachers
    from affekt.training.distill import distill as run

    teachers = Teachers(tuple(teacher), get_recipe(teacher_recipe, teacher_settings or ()), folds)
    run_options = Options(device=device, resume=resume, overwrite=overwrite, progress=not quiet)
    result = run(
        data, dev, teachers=teachers, student=student, out=out, recipe=recipe, overrides=settings or (), read=read,
        options=run_options,
    )  # fmt: skip
    typer.echo(f"Trained in {result.seconds:,.0f} s, teachers left out: {result.folder}")
    if result.macro_f1 is not None:
        typer.echo(f"Macro-F1 on dev: {result.macro_f1:.4f} by rules that did not see the texts.")
