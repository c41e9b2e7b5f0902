"""``affekt compare``: what changed between two files of predictions, and whether it is more than noise."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from affekt.evaluation.drift import Drift

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def compare(
    old: Annotated[Path, typer.Argument(help="Predictions: csv, tsv, jsonl or parquet, also .gz.", show_default=False)],
    new: Annotated[Path, typer.Argument(help="Later predictions, or those of another model.", show_default=False)],
    threshold: Annotated[
        float, typer.Option("--threshold", min=0, max=1, help="Decides where a file has scores but no emotions.")
    ] = 0.5,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
    fail: Annotated[bool, typer.Option("--fail-on-change", help="Exit code 1 if a label changed.")] = False,
) -> None:
    """Compare label rates and score distributions of two prediction files."""
    from affekt.evaluation.drift import compare_predictions
    from affekt.evaluation.predictions import read_predictions

    found = compare_predictions(read_predictions(old, threshold=threshold), read_predictions(new, threshold=threshold))
    if as_json:
        import json

        typer.echo(json.dumps(found.to_dict(), ensure_ascii=False))
    else:
        _show(found)
    raise typer.Exit(1 if fail and found.changed else 0)


def _show(found: "Drift") -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    head = ("emotion", "old %", "new %", "change [95 %]", "p", "shift", "index", "verdict")
    table = Table(*head, box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    for column in table.columns[1:-1]:
        column.justify, column.no_wrap = "right", True
    styles = {"changed": "bold", "slight": "", "noise": "dim"}
    for item in found.labels:
        low, high = item.interval
        scored = item.ks == item.ks
        table.add_row(
            Text(item.label),
            f"{100 * item.old_rate:.1f}",
            f"{100 * item.new_rate:.1f}",
            f"{100 * (item.new_rate - item.old_rate):+.1f} [{100 * low:+.1f}, {100 * high:+.1f}]",
            _p(item.rate_p),
            f"{item.ks:.3f}" if scored else "",
            f"{item.psi:.3f}" if scored else "",
            item.verdict,
            style=styles[item.verdict],
        )
    console = Console(highlight=False)
    console.print(f"{found.old} ({found.old_texts:,} texts) → {found.new} ({found.new_texts:,} texts)", markup=False)
    console.print(table)
    console.print(
        "shift: largest distance between the scores' distributions; index: their stability index", style="dim"
    )
    for sentence in found.sentences():
        console.print(sentence, markup=False)


def _p(value: float) -> str:
    return "<0.001" if value < 0.001 else f"{value:.3f}"
