"""``affekt bench``: what this machine does with a model."""

import json
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(add_completion=False)


@app.command()
def bench(
    model: Annotated[Path | None, typer.Option(help="A model folder; the shipped model by default.")] = None,
    backend: Annotated[
        list[str] | None, typer.Option(help="Engines to measure; those that can run by default.")
    ] = None,
    size: Annotated[list[int] | None, typer.Option(help="Batch sizes to try; 1, 8 and 32 by default.")] = None,
    data: Annotated[Path | None, typer.Option(help="A table of texts; a few samples by default.")] = None,
    text: Annotated[str | None, typer.Option(help="The column of texts; found out by default.")] = None,
    threads: Annotated[int | None, typer.Option(help="Processors to use; all by default.")] = None,
    seconds: Annotated[float, typer.Option(help="About how long each figure may take.")] = 3.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Measure texts per second, latency, memory and start-up of every engine on this machine."""
    from affekt import benchmarking
    from affekt.models import SHIPPED

    folder = model or SHIPPED
    texts = benchmarking.SAMPLE if data is None else _texts(data, text)
    rows = []
    for name in backend or benchmarking.backends_of(folder):
        settings = benchmarking.Settings(str(folder), name, threads, texts, tuple(size or (1, 8, 32)), seconds)
        rows.append(benchmarking.run(settings))
    typer.echo(json.dumps([row.to_json() for row in rows], indent=1) if as_json else benchmarking.table(rows))


def _texts(path: Path, column: str | None) -> tuple[str, ...]:
    from affekt.data.labelling.columns import texts_of
    from affekt.data.reading.tables import read_table

    return tuple(text for text in texts_of(read_table(path), column) if text)
