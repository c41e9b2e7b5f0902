"""``affekt suggest``: the texts most worth labelling next."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from affekt.printable import printable

if TYPE_CHECKING:
    from affekt.selection import Suggestion

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def suggest(
    pool: Annotated[Path, typer.Argument(help="Unlabelled texts: csv, tsv, jsonl or parquet.", show_default=False)],
    count: Annotated[int, typer.Option("--n", min=1, help="How many texts to suggest.")] = 200,
    column: Annotated[str | None, typer.Option("--text", help="The column of texts; found out by default.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Write a .csv or .jsonl file to label.")] = None,
    model: Annotated[str | None, typer.Option("--model", help="Model folder; the shipped model by default.")] = None,
    taxonomy: Annotated[
        str | None, typer.Option("--taxonomy", help="Label set: goemotions, core14, ekman, sentiment.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
    backend: Annotated[str, typer.Option("--backend", help="Engine, as for predict.")] = "auto",
) -> None:
    """Choose texts to label: the model is unsure, they are unlike each other, rare labels are among them."""
    from affekt.answering import View
    from affekt.classifier import EmotionClassifier
    from affekt.data.labelling.columns import texts_of
    from affekt.data.reading.tables import read_table
    from affekt.selection import suggest as choose
    from affekt.selection.writing import write_suggestions

    table = read_table(pool)
    texts = texts_of(table, column)
    classifier = EmotionClassifier.load(model, backend=backend)
    view = View.of(classifier.manifest, taxonomy)
    found = choose(texts, classifier.scores(texts, taxonomy), view.labels, view.rule.thresholds, count)
    if out is not None:
        write_suggestions(found, table.lines, out)
        typer.echo(f"{len(found):,} of {len(texts):,} texts written to {out}.", err=True)
    if as_json:
        import json

        typer.echo(json.dumps([item.to_dict() for item in found], ensure_ascii=False))
    elif out is None:
        _show(found)


def _show(found: list["Suggestion"]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("", "text", "why", box=None, pad_edge=False, header_style="bold")
    for number, item in enumerate(found, start=1):
        short = printable(item.text if len(item.text) <= 300 else item.text[:299] + "…")
        table.add_row(f"{number}", Text(short), Text(item.reason, style="dim"))
    Console(highlight=False).print(table)
