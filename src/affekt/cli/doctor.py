"""``affekt doctor``: what to know about a data set, a recipe and a machine before training."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from affekt.cli import table_options as opt
from affekt.cli import training_options as how

if TYPE_CHECKING:
    from affekt.training.doctor import Diagnosis

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
@opt.reads_table
def doctor(
    data: how.Data,
    encoder: how.Encoder,
    dev: how.Dev = None,
    recipe: how.RecipeName = "fast",
    settings: how.Settings = None,
    device: how.Device = "auto",
    memory: how.Memory = None,
    steps: Annotated[int, typer.Option("--steps", min=0, help="Real steps to time; 0 for none.")] = 10,
    out: Annotated[Path | None, typer.Option("--out", help="Where the model is to go, for the disk's space.")] = None,
    as_json: opt.Json = False,
    *,
    read: opt.Read = opt.USUAL,
) -> None:
    """Look at a data set, a recipe and a machine before the hours are spent.

    Exit code 0: training can start; 1: it cannot as it is; 2: something could not be read.
    """
    from affekt.training import get_recipe
    from affekt.training.doctor import examine
    from affekt.training.engines.memory import parse_memory
    from affekt.training.inputs import gather
    from affekt.training.networks.build import pick_device

    chosen = get_recipe(recipe, settings or ())
    budget = parse_memory(memory) if memory is not None else None
    inputs = gather(data, dev, seed=chosen.seed, options=read)
    found = examine(inputs, encoder, chosen, device=pick_device(device), memory=budget, steps=steps, out=out)
    if as_json:
        typer.echo(json.dumps(found.to_dict(), ensure_ascii=False))
    else:
        _show(found)
    raise typer.Exit(0 if found.healthy else 1)


def _show(found: "Diagnosis") -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    colours = {"error": "red", "warning": "yellow", "note": "cyan"}
    table = Table("", "about", "what", show_edge=False)
    for remark in found.remarks:
        table.add_row(Text(remark.severity, style=colours[remark.severity]), remark.about, Text(remark.text))
    Console(highlight=False).print(table)
    typer.echo("Training can start." if found.healthy else "Training cannot start as it is: mend the errors above.")
