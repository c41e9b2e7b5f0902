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
    derive: how.Derived = 0.0,
    texts: how.MoreTexts = None,
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
    from affekt.data.labelling.columns import texts_of
    from affekt.data.reading.tables import read_table
    from affekt.training import Options, get_recipe
    from affekt.training.distilling.distill import MoreTexts
    from affekt.training.distilling.distill import distill as run
    from affekt.training.distilling.teachers import Teacher, Teachers

    def member(said: str) -> Teacher:
        encoder, _, own = (said, "", "") if Path(said).exists() else said.partition(":")
        return Teacher(encoder, get_recipe(own or teacher_recipe, teacher_settings or ()))

    teachers = Teachers(tuple(map(member, teacher)), folds)
    others = [text for path in texts or () for text in texts_of(read_table(path)) if text.strip()]
    options = Options(device=device, resume=resume, overwrite=overwrite, progress=not quiet)
    result = run(
        data, dev, teachers=teachers, student=student, out=out, recipe=recipe, overrides=settings or (),
        more=MoreTexts(derive, tuple(others)), read=read, options=options,
    )  # fmt: skip
    typer.echo(f"Trained in {result.seconds:,.0f} s, teachers left out: {result.folder}")
    if result.macro_f1 is not None:
        typer.echo(f"Macro-F1 on dev: {result.macro_f1:.4f} by rules that did not see the texts.")
