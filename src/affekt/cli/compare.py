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

    table = Table(
        "emotion", "old", "new", "change, 95 % interval", "p", "mean score", "shift", "p", "stability", "verdict",
        box=None, pad_edge=False, header_style="bold",
    )  # fmt: skip
    styles = {"changed": "bold", "slight": "", "noise": "dim"}
    for item in found.labels:
        low, high = item.interval
        scored = item.ks == item.ks
        table.add_row(
            Text(item.label),
            f"{item.old_rate:.1%}",
            f"{item.new_rate:.1%}",
            f"{item.new_rate - item.old_rate:+.1%} [{low:+.1%}, {high:+.1%}]",
            _p(item.rate_p),
            f"{item.old_mean:.3f} → {item.new_mean:.3f}" if scored else "",
            f"{item.ks:.3f}" if scored else "",
            _p(item.ks_p) if scored else "",
            f"{item.psi:.3f}" if scored else "",
            item.verdict,
            style=styles[item.verdict],
        )
    console = Console(highlight=False)
    console.print(f"{found.old} ({found.old_texts:,} texts) → {found.new} ({found.new_texts:,} texts)", markup=False)
    console.print(table)
    for sentence in found.sentences():
        console.print(sentence, markup=False)


def _p(value: float) -> str:
    return "<0.001" if value < 0.001 else f"{value:.3f}"
