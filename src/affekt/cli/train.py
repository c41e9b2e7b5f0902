"""``affekt train``: from a labelled table to a model folder."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from affekt.cli import table_options as opt

if TYPE_CHECKING:
    from affekt.training import TrainResult

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode="markdown")

RUN, RECIPE = "How to run", "What to train"
LORA_RANK = 16


@app.command()
@opt.reads_table
def train(
    data: Annotated[Path, typer.Option("--data", help="Labelled table: csv, tsv, jsonl or parquet, also .gz.")],
    encoder: Annotated[str, typer.Option("--encoder", help="Pretrained encoder: a Hub id or a local folder.")],
    out: Annotated[Path, typer.Option("--out", help="Model folder to write; OUT.run beside it holds the run.")],
    dev: Annotated[
        Path | None, typer.Option("--dev", help="Labelled table to choose the best epoch and fit decisions on.")
    ] = None,
    also: Annotated[
        list[Path] | None,
        typer.Option(
            "--also", help="A further table to learn from, for the labels in common; several times for several."
        ),
    ] = None,
    also_weight: Annotated[float, typer.Option("--also-weight", min=0.0, help="Of each of its texts.")] = 1.0,
    dev_share: Annotated[
        float, typer.Option("--dev-share", min=0.0, max=0.9, help="Without --dev: share split off, stratified.")
    ] = 0.1,
    recipe: Annotated[
        str, typer.Option("--recipe", help="fast, reference, or a JSON file of settings.", rich_help_panel=RECIPE)
    ] = "fast",
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="One setting of the recipe, as in --set lr=1e-5.", rich_help_panel=RECIPE),
    ] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", min=0, help="Of everything random.", rich_help_panel=RECIPE)
    ] = None,
    lora: Annotated[
        bool,
        typer.Option("--lora", help=f"Train adapters of rank {LORA_RANK}, merged when saved.", rich_help_panel=RECIPE),
    ] = False,
    device: Annotated[str, typer.Option("--device", help="auto, cpu, cuda or cuda:1.", rich_help_panel=RUN)] = "auto",
    memory: Annotated[
        str | None,
        typer.Option(
            "--memory",
            help="Budget such as 16GB: chooses micro-batch, checkpointing and optimizer.",
            rich_help_panel=RUN,
        ),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from the last checkpoint, if there is one.", rich_help_panel=RUN)
    ] = False,
    allow_changes: Annotated[
        bool,
        typer.Option("--allow-changes", help="Resume though data, recipe or code changed.", rich_help_panel=RUN),
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Begin anew and replace the model that is there.", rich_help_panel=RUN)
    ] = False,
    every_steps: Annotated[
        int,
        typer.Option("--checkpoint-steps", min=0, help="Steps between checkpoints in an epoch.", rich_help_panel=RUN),
    ] = 0,
    every_minutes: Annotated[
        float,
        typer.Option("--checkpoint-minutes", min=0, help="Minutes between checkpoints.", rich_help_panel=RUN),
    ] = 10.0,
    tensorboard: Annotated[
        bool, typer.Option("--tensorboard", help="Write curves to OUT.run/tensorboard.", rich_help_panel=RUN)
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress bar.", rich_help_panel=RUN)] = False,
    *,
    read: opt.Read = opt.USUAL,
) -> None:
    """Train a model on a labelled table; OUT is the model folder when it ends.

    The run saves itself at every epoch and every ten minutes. After Ctrl-C, SIGTERM, a crash or a power cut, the same
    command with `--resume` goes on as if nothing had happened. On several GPUs:
    `torchrun --nproc-per-node 8 -m affekt train ...`

    `affekt train --data train.csv --encoder roberta-large --recipe reference --out runs/a`

    `affekt train --data train.tsv --dev dev.tsv --encoder microsoft/mpnet-base --out runs/b --set epochs=4`
    """
    overrides = [f"lora_rank={LORA_RANK}"] if lora else []
    overrides += [*(settings or ()), *([f"seed={seed}"] if seed is not None else [])]
    from affekt.training import Options
    from affekt.training import train as run
    from affekt.training.stopping import StoppedError

    how = Options(
        device=device, memory=memory, resume=resume, overwrite=overwrite, allow_changes=allow_changes,
        every_steps=every_steps, every_minutes=every_minutes, tensorboard=tensorboard, progress=not quiet,
    )  # fmt: skip
    try:
        result = run(
            data, dev, encoder=encoder, out=out, recipe=recipe, overrides=overrides, read=read, dev_share=dev_share,
            also=also or (), also_weight=also_weight, options=how,
        )  # fmt: skip
    except StoppedError as stop:
        typer.secho(str(stop), fg=typer.colors.YELLOW, err=True)
        raise typer.Exit(128 + stop.signal_number) from None
    _show(result)


def _show(result: "TrainResult") -> None:
    typer.echo(f"Trained in {result.seconds:,.0f} s: {result.folder}")
    if result.macro_f1 is None:
        typer.echo("No figures: there was no dev set.")
        return
    dev = result.metrics["dev"]
    plain = dev["outcomes"]["at_0.5"]["macro_f1"]["value"]
    typer.echo(f"Macro-F1 on dev: {result.macro_f1:.4f} by rules that did not see the texts; {plain:.4f} at 0.5.")
    typer.echo(f"Try it: affekt predict --model {result.folder} 'I love this!'")
