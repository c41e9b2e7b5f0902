"""``affekt submit``: a competition's submission file."""

from pathlib import Path
from typing import Annotated, Literal

import typer

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def submit(
    test: Annotated[Path, typer.Option("--test", help="Table of ids and texts.")],
    sample: Annotated[Path, typer.Option("--sample", help="The competition's sample submission, csv or tsv.")],
    out: Annotated[Path, typer.Option("--out", help="The file to write.")],
    model: Annotated[str | None, typer.Option("--model", help="Model folder; the shipped model by default.")] = None,
    text: Annotated[str | None, typer.Option("--text", help="The test table's column of texts.")] = None,
    row_id: Annotated[str | None, typer.Option("--id", help="The sample's column of ids.")] = None,
    taxonomy: Annotated[str | None, typer.Option("--taxonomy", help="Label set of the answers.")] = None,
    values: Annotated[
        Literal["auto", "decisions", "scores"], typer.Option("--values", help="What label columns hold.")
    ] = "auto",
    separator: Annotated[str | None, typer.Option("--separator", help="What joins labels in a list column.")] = None,
    first_id: Annotated[
        int, typer.Option("--first-id", min=0, help="Id of the first label, where ids are listed.")
    ] = 0,
) -> None:
    """Write what a competition expects: exactly the sample's columns, ids and order."""
    import affekt
    from affekt.export.submission import write_submission

    done = write_submission(
        affekt.load(model), test, sample, out,
        text=text, row_id=row_id, taxonomy=taxonomy, values=values, separator=separator, first_id=first_id,
    )  # fmt: skip
    typer.echo(done.form)
    for note in done.notes:
        typer.echo(note)
    typer.echo(f"Wrote {done.path}: {done.rows:,} rows.")
