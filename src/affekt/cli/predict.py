"""``affekt predict``: the emotions of texts given as arguments, in a file or on standard input."""

import io
import sys
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from affekt.cli import predict_files as files

app = typer.Typer(add_completion=False)


class Form(StrEnum):
    """How to print."""

    table = "table"
    json = "json"
    jsonl = "jsonl"
    csv = "csv"


@app.command()
@files.takes_options
def predict(
    texts: Annotated[list[str] | None, typer.Argument(help="Texts; '-' or none reads a text per line.")] = None,
    file: Annotated[
        list[str] | None,
        typer.Option(
            help="csv, tsv, jsonl (.gz, .zst) or parquet: a file, folder or pattern; "
            "without --out also txt, a text per line."
        ),
    ] = None,
    column: Annotated[str | None, typer.Option("--text", help="The column of texts; found out by default.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write to a file, or with --file also to a folder.")] = None,
    form: Annotated[Form, typer.Option("--format", help="How to print.")] = Form.table,
    model: Annotated[Path | None, typer.Option(help="A model folder; the shipped model by default.")] = None,
    taxonomy: Annotated[str | None, typer.Option(help="Label set: goemotions, core14, ekman or sentiment.")] = None,
    top_k: Annotated[int | None, typer.Option(help="The k best labels, in place of thresholds.")] = None,
    threshold: Annotated[float | None, typer.Option(help="One threshold, in place of the model's own.")] = None,
    backend: Annotated[str, typer.Option(help="Engine: auto, onnx, onnx-float32, torch, torch-cuda, …")] = "auto",
    threads: Annotated[int | None, typer.Option(help="Processors to use; all by default.")] = None,
    truncate: Annotated[bool, typer.Option("--truncate", help="Read only the beginning of long texts.")] = False,
    *,
    whole: files.WholeFiles = files.USUAL,
) -> None:
    """Find the emotions in texts, a file or standard input; with --file and --out, beside every row of whole files."""
    from affekt.classifier import EmotionClassifier
    from affekt.errors import SettingError

    if file and texts:
        raise SettingError("Give texts or --file, not both.")
    if file and out:
        return files.run(locals(), whole)
    files.refuse_options(whole)
    source = _from_file(file, column) if file else _from_arguments(texts)
    classifier = EmotionClassifier.load(model, backend=backend, threads=threads)
    predictions = classifier.stream(source, taxonomy=taxonomy, top_k=top_k, thresholds=threshold, truncate=truncate)
    return _write(predictions, out, form)


def _from_arguments(texts: list[str] | None) -> Iterator[str]:
    if texts and texts != ["-"]:
        return iter(texts)
    sys.stdin.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]
    return (line.rstrip("\r\n") for line in sys.stdin)


def _from_file(paths: list[str], column: str | None) -> Iterator[str]:
    from affekt.data.labelling.columns import texts_of
    from affekt.data.reading.tables import format_suffix, read_table
    from affekt.errors import SettingError

    if len(paths) > 1:
        raise SettingError("Several files need --out.", hint="Or give them one at a time.")
    if format_suffix(Path(paths[0])) == ".txt" and column is None:
        return _lines(Path(paths[0]))
    return iter(texts_of(read_table(paths[0]), column))


def _lines(path: Path) -> Iterator[str]:
    """A text per line; bytes that are no text become replacement characters."""
    from affekt.data.reading.rawtext import decode, read_bytes

    text = decode(read_bytes(path), path).text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return (line.rstrip("\r\n") for line in io.StringIO(text, newline="\n"))


def _write(predictions: Iterator[object], out: Path | None, form: Form) -> None:
    from affekt import rendering

    if out is not None:
        count = rendering.write_file(predictions, out)  # type: ignore[arg-type]
        typer.echo(f"{count:,} texts written to {out}.", err=True)
    elif form is Form.table:
        rendering.write_table(predictions)  # type: ignore[arg-type]
    else:
        rendering.write_text(predictions, sys.stdout, form.value)  # type: ignore[arg-type]
