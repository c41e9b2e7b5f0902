"""``affekt train``: from a labelled table to a model folder."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from affekt.cli import table_options as opt
from affekt.cli import training_options as how

if TYPE_CHECKING:
    from affekt.training import TrainResult

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode="markdown")


@app.command()
@opt.reads_table
def train(
    data: how.Data,
    encoder: how.Encoder,
    out: Annotated[Path, typer.Option("--out", help="Model folder to write; OUT.run beside it holds the run.")],
    dev: how.Dev = None,
    also: how.Also = None,
    also_weight: how.AlsoWeight = 1.0,
    dev_share: how.DevShare = 0.1,
    recipe: how.RecipeName = "fast",
    settings: how.Settings = None,
    seed: how.Seed = None,
    lora: how.Lora = False,
    device: how.Device = "auto",
    memory: how.Memory = None,
    resume: how.Resume = False,
    allow_changes: how.AllowChanges = False,
    overwrite: how.Overwrite = False,
    every_steps: how.EverySteps = 0,
    every_minutes: how.EveryMinutes = 10.0,
    tensorboard: how.TensorBoard = False,
    quiet: how.Quiet = False,
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
    overrides = [f"lora_rank={how.LORA_RANK}"] if lora else []
    overrides += [*(settings or ()), *([f"seed={seed}"] if seed is not None else [])]
    from affekt.training import Options
    from affekt.training import train as run
    from affekt.training.loop.stopping import StoppedError

    run_options = Options(
        device=device, memory=memory, resume=resume, overwrite=overwrite, allow_changes=allow_changes,
        every_steps=every_steps, every_minutes=every_minutes, tensorboard=tensorboard, progress=not quiet,
    )  # fmt: skip
    try:
        result = run(
            data, dev, encoder=encoder, out=out, recipe=recipe, overrides=overrides, read=read, dev_share=dev_share,
            also=also or (), also_weight=also_weight, options=run_options,
        )  # fmt: skip
    except StoppedError as stop:
        typer.secho(str(stop), fg=typer.colors.YELLOW, err=True)
        raise typer.Exit(128 + stop.signal_number) from None
    _show(result)


def _show(result: "TrainResult") -> None:
    from affekt.evaluation.measure import MIN_TEXTS
    from affekt.model_folder import read_manifest

    manifest, dev = read_manifest(result.folder), result.metrics.get("dev")
    typer.echo(f"Trained in {result.seconds:,.0f} s: {result.folder}")
    if dev is None:
        typer.echo(
            f"No figures: {'no dev text has all labels known' if 'dev' in manifest.data else 'there was no dev set'}."
        )
        return
    plain = dev["outcomes"]["at_0.5"]["macro_f1"]["value"]
    if manifest.rules[manifest.taxonomy].fitted_on:
        typer.echo(f"Macro-F1 on dev: {result.macro_f1:.4f} by rules that did not see the texts; {plain:.4f} at 0.5.")
    else:
        typer.echo(f"Macro-F1 on dev: {result.macro_f1:.4f} by the recipe's one threshold; {plain:.4f} at 0.5.")
    if result.recipe.decisions == "fitted" and dev["texts"] < MIN_TEXTS:
        said = f"Only {dev['texts']} dev texts have all labels known, fewer than {MIN_TEXTS}"
        typer.echo(f"{said}: scores are not calibrated, and no thresholds fitted. Give more with --dev or --dev-share.")
    typer.echo(f"Try it: affekt predict --model {result.folder} 'I love this!'")
