"""``affekt data``: check, describe, report on and split labelled tables."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from affekt.cli import table_options as opt
from affekt.printable import printable

LONGEST_SHOWN = 120
"""Characters of a text in a table for people."""

if TYPE_CHECKING:
    from collections.abc import Sequence

    from affekt.data.describing.check import CheckReport
    from affekt.data.describing.stats import Statistics
    from affekt.data.load import Loaded
    from affekt.evaluation.suspects import SuspectRow

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="Check, describe and split labelled tables.",
)


@app.command()
@opt.reads_table
def check(
    file: opt.File,
    as_json: opt.Json = False,
    shown: Annotated[int, typer.Option("--lines", min=1, help="Line numbers shown per finding.")] = 5,
    deep: Annotated[bool, typer.Option("--deep", help="Also list twenty rows whose labels look wrong.")] = False,
    model: Annotated[
        str | None,
        typer.Option("--model", help="For --deep: a model that did not learn from these texts."),
    ] = None,
    *,
    read: opt.Read = opt.USUAL,
) -> None:
    """Say what is wrong with a table, with line numbers.

    Exit code 0: usable, whatever was found; 1: not usable as it is; 2: the file as a whole could not be read.
    """
    from affekt.data.describing.check import check as run

    report, suspects = run(file, read), None
    if deep and report.usable:
        from affekt.evaluation.suspects import most_suspect

        suspects = most_suspect(_load(file, read), model=model)
    if as_json:
        found = {} if suspects is None else {"suspects": [row.to_dict() for row in suspects]}
        typer.echo(json.dumps(report.to_dict() | found, ensure_ascii=False))
    else:
        _show_report(report, shown)
        _show_suspects(suspects)
    raise typer.Exit(0 if report.usable else 1)


@app.command()
@opt.reads_table
def stats(
    file: opt.File,
    as_json: opt.Json = False,
    pictures: Annotated[Path | None, typer.Option("--pictures", help="Folder to write PNG pictures into.")] = None,
    tokenizer: Annotated[
        str | None,
        typer.Option("--tokenizer", help="A tokenizer.json or its folder to measure lengths with, or 'words'."),
    ] = None,
    *,
    read: opt.Read = opt.USUAL,
) -> None:
    """Show the imbalance: texts per label, labels per text, labels that come together, lengths."""
    loaded = _load(file, read)
    from affekt.data.describing.stats import statistics

    result = statistics(loaded.dataset, tokenizer)
    paths = []
    if pictures is not None:
        from affekt.data.describing.pictures import draw

        paths = draw(result, pictures)
    if as_json:
        listed = [str(path) for path in paths]
        typer.echo(json.dumps(result.to_dict() | {"pictures": listed}, ensure_ascii=False))
        return
    _show_statistics(result, loaded)
    for path in paths:
        typer.echo(f"Wrote {path}")


@app.command()
@opt.reads_table
def report(
    file: opt.File,
    out: Annotated[Path, typer.Option("--out", help="Folder to write a page, pictures and JSON into.")],
    model: Annotated[
        str | None,
        typer.Option("--model", help="A model that did not learn from these texts, to look for suspect labels."),
    ] = None,
    tokenizer: Annotated[
        str | None,
        typer.Option("--tokenizer", help="A tokenizer.json or its folder to measure lengths with, or 'words'."),
    ] = None,
    *,
    read: opt.Read = opt.USUAL,
) -> None:
    """Write a page on a labelled table: imbalance, co-occurrence, lengths, duplicates, suspect labels."""
    loaded = _load(file, read)
    from affekt.evaluation.report import write_data_report
    from affekt.evaluation.suspects import model_scores

    scores = None if model is None else model_scores(model, loaded.dataset)
    page = write_data_report(loaded, out, scores=scores, tokenizer=tokenizer)
    typer.echo(f"Written to {page}.")


@app.command()
@opt.reads_table
def split(
    file: opt.File,
    out: Annotated[Path | None, typer.Option("--out", help="Folder to write into; the file's own by default.")] = None,
    dev: Annotated[float, typer.Option("--dev", help="Share of the texts that go to dev.")] = 0.1,
    folds: Annotated[int | None, typer.Option("--folds", help="Write this many folds instead.")] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Same seed, same parts.")] = 0,
    force: Annotated[bool, typer.Option("--force", help="Replace files that exist.")] = False,
    as_json: opt.Json = False,
    *,
    read: opt.Read = opt.USUAL,
) -> None:
    """Write train and dev (or folds) in the table's own format.

    Stratified over labels and their combinations; texts that are alike stay on one side.
    """
    loaded = _load(file, read, labelled=False)
    from affekt.data.splitting.parts import write_parts
    from affekt.data.splitting.splits import named_parts

    parts = named_parts(loaded.dataset, dev, folds, seed)
    paths = write_parts(loaded, parts, out or file.parent, force=force)
    sizes = [len(indices) for indices in parts.values()]
    if as_json:
        listed = [{"path": str(path), "texts": size} for path, size in zip(paths, sizes, strict=True)]
        typer.echo(json.dumps({"parts": listed, "seed": seed}, ensure_ascii=False))
        return
    typer.echo(loaded.layout.sentence())
    for path, size in zip(paths, sizes, strict=True):
        typer.echo(f"Wrote {path}: {size:,} text{'s' * (size != 1)} ({size / len(loaded.dataset):.1%})")
    left_out = int((loaded.text_of < 0).sum())
    if left_out:
        typer.echo(f"Rows that belong to no part: {left_out:,}; 'affekt data check' says why.")


def _load(file: Path, options: Any, *, labelled: bool = True) -> "Loaded":
    from affekt.data.findings import raise_errors
    from affekt.data.labelling.unlabelled import raise_no_labels
    from affekt.data.load import read_labelled

    loaded = read_labelled(file, options)
    raise_errors(loaded.findings, str(file))
    if labelled and not loaded.dataset.labels and options.layout != "none":
        raise_no_labels(loaded.table, loaded.layout)
    return loaded


def _show_report(report: "CheckReport", shown: int) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    colours = {"error": "red", "warning": "yellow", "note": "cyan"}
    typer.echo(f"{report.path}: {report.form}\n{report.layout}")
    typer.echo(f"Rows: {report.rows:,}; usable texts: {report.texts:,}; labels: {len(report.labels)}")
    table = Table("", "rows", "what", "where", show_edge=False)
    for finding in report.findings:
        sentence = Text(f"{finding.message} {finding.hint}".rstrip())
        severity = Text(finding.severity, style=colours[finding.severity])
        table.add_row(severity, f"{finding.count:,}" if finding.count else "", sentence, finding.where(shown))
    if report.findings:
        Console(highlight=False).print(table)
    typer.echo("Usable." if report.usable else "Not usable as it is: mend the errors above.")


def _show_suspects(rows: "Sequence[SuspectRow] | None") -> None:
    if rows is None:
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    place = rows[0].unit if rows else "line"
    table = Table(place, "labels", "looks wrong", "looks missing", "text", title="Labels worth a second look")
    for row in rows:
        names = (", ".join(part) for part in (row.given, row.wrong, row.missing))
        short = row.text if len(row.text) <= LONGEST_SHOWN else f"{row.text[:LONGEST_SHOWN]}…"
        table.add_row(str(row.line), *(Text(printable(cell)) for cell in (*names, short)))
    typer.echo()
    Console(highlight=False).print(table)


def _show_statistics(result: "Statistics", loaded: "Loaded") -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    typer.echo(f"{loaded.layout.sentence()}\nTexts: {result.texts:,}; labels: {len(result.labels)}")
    table = Table("label", "texts", "share", "rarer than the top", show_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    for index in result.order():
        ratio = f"{result.imbalance[index]:,.1f} x" if result.counts[index] else "never seen"
        share = f"{result.shares[index]:.2%}"
        table.add_row(Text(printable(result.labels[index])), f"{result.counts[index]:,}", share, ratio)
    if result.labels:
        console.print(table)
    for sentence in result.sentences():
        console.print(Text(printable(sentence)))
