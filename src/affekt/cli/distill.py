"""``affekt distill``: a small model that learns from large ones."""

from pathlib import Path
from typing import Annotated

import typer

from affekt.cli import table_options as opt

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode="markdown")

TEACHERS, RUN = "Who teaches", "How to run"


@app.command()
@opt.reads_table
def distill(
    data: Annotated[Path, typer.Option("--data", help="Labelled table: csv, tsv, jsonl or parquet, also .gz.")],
    teacher: Annotated[
        list[str],
        typer.Option("--teacher", help="Encoder of a teacher; several times for several.", rich_help_panel=TEACHERS),
    ],
    student: Annotated[str, typer.Option("--student", help="Encoder that learns: a Hub id or a local folder.")],
    out: Annotated[Path, typer.Option("--out", help="The student's model folder.")],
    dev: Annotated[Path | None, typer.Option("--dev", help="Labelled table; split off by default.")] = None,
    recipe: Annotated[str, typer.Option("--recipe", help="The student's: fast, reference, or a JSON file.")] = "fast",
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="One of the student's settings, as in --set teacher_weight=0.8.")
    ] = None,
    teacher_recipe: Annotated[
        str, typer.Option("--teacher-recipe", help="The teachers'.", rich_help_panel=TEACHERS)
    ] = "fast",
    teacher_settings: Annotated[
        list[str] | None, typer.Option("--teacher-set", help="One of the teachers' settings.", rich_help_panel=TEACHERS)
    ] = None,
    folds: Annotated[
        int, typer.Option("--folds", min=2, help="Parts of the training texts.", rich_help_panel=TEACHERS)
    ] = 5,
    device: Annotated[str, typer.Option("--device", help="auto, cpu, cuda or cuda:1.", rich_help_panel=RUN)] = "auto",
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with a student that did not end.", rich_help_panel=RUN)
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the model that is there.", rich_help_panel=RUN)
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress bar.", rich_help_panel=RUN)] = False,
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
    how = Options(device=device, resume=resume, overwrite=overwrite, progress=not quiet)
    result = run(
        data, dev, teachers=teachers, student=student, out=out, recipe=recipe, overrides=settings or (), read=read,
        options=how,
    )  # fmt: skip
    typer.echo(f"Trained in {result.seconds:,.0f} s, teachers left out: {result.folder}")
    if result.macro_f1 is not None:
        typer.echo(f"Macro-F1 on dev: {result.macro_f1:.4f} by rules that did not see the texts.")
