"""``affekt pretrain``: let an encoder read the texts before it learns their labels."""

from pathlib import Path
from typing import Annotated

import typer

from affekt.cli import table_options as opt

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def pretrain(
    texts: Annotated[
        list[Path], typer.Option("--texts", help="Table of texts, labels or not; several times for several.")
    ],
    encoder: Annotated[str, typer.Option("--encoder", help="Pretrained encoder: a Hub id or a local folder.")],
    out: Annotated[Path, typer.Option("--out", help="Folder to write, which 'affekt train --encoder' takes.")],
    settings: Annotated[list[str] | None, typer.Option("--set", help="One setting, as in --set epochs=10.")] = None,
    share: Annotated[float, typer.Option("--mask", help="Share of the tokens to guess.")] = 0.15,
    device: Annotated[str, typer.Option("--device", help="auto, cpu, cuda or cuda:1.")] = "auto",
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the last checkpoint.")] = False,
    text: opt.Text = None,
) -> None:
    """Let an encoder guess masked words of texts like those it will be trained on (no labels needed)."""
    from affekt.data.labelling.columns import texts_of
    from affekt.data.reading.tables import read_table
    from affekt.training import get_recipe  # noqa: F401  (says which extra is missing)
    from affekt.training.loop.watching import ProgressBar
    from affekt.training.pretrain import DEFAULT
    from affekt.training.pretrain import pretrain as run

    read = [one for path in texts for one in texts_of(read_table(path), text) if one.strip()]
    folder = run(
        read, encoder=encoder, out=out, recipe=DEFAULT.override(settings or ()), share=share, device=device,
        resume=resume, hooks=[ProgressBar()],
    )  # fmt: skip
    typer.echo(f"Wrote {folder}; train on it with: affekt train --encoder {folder} ...")
