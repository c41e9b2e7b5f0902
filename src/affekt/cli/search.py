"""``affekt search``: find a recipe."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from affekt.cli import table_options as opt
from affekt.cli import training_options as how

if TYPE_CHECKING:
    from affekt.training.search import Found

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
@opt.reads_table
def search(
    data: how.Data,
    encoder: how.Encoder,
    out: Annotated[Path, typer.Option("--out", help="Folder for the trials and recipe.json.")],
    dev: how.Dev = None,
    recipe: how.RecipeName = "fast",
    settings: how.Settings = None,
    space: Annotated[
        Path | None,
        typer.Option("--space", help='JSON: {"lr": {"low": 1e-5, "high": 1e-4, "log": true}, "loss": ["bce", ...]}.'),
    ] = None,
    trials: Annotated[int, typer.Option("--trials", min=1, help="How many to end up with.")] = 20,
    device: how.Device = "auto",
    quiet: how.Quiet = False,
    *,
    read: opt.Read = opt.USUAL,
) -> None:
    """Train with many settings and write the best recipe; the same command goes on where it was."""
    from affekt.training import get_recipe
    from affekt.training.inputs import gather
    from affekt.training.loop.watching import ProgressBar
    from affekt.training.search import DEFAULT_SPACE, read_space
    from affekt.training.search import search as run

    base = get_recipe(recipe, settings or ())
    found = run(
        gather(data, dev, seed=base.seed, options=read), encoder,
        out=out, base=base, space=read_space(space) if space is not None else DEFAULT_SPACE, trials=trials,
        device=device, hooks=[] if quiet else [ProgressBar()],
    )  # fmt: skip
    _show(found)
    typer.echo(f"Wrote {out / 'recipe.json'}; train with it: affekt train --recipe {out / 'recipe.json'} ...")


def _show(found: "Found") -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("trial", "macro-F1 on dev", "end", "settings", show_edge=False)
    for row in found.trials[:10]:
        score = "" if row["score"] is None else f"{row['score']:.4f}"
        drawn = ", ".join(f"{key}={value:.4g}" if isinstance(value, float) else f"{key}={value}"
                          for key, value in row["settings"].items())  # fmt: skip
        table.add_row(str(row["trial"]), score, row["end"], drawn)
    Console(highlight=False).print(table)
