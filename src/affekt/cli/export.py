"""``affekt export``: ONNX graphs of a model, gated on parity."""

import json
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(add_completion=False)


@app.command()
def export(
    model: Annotated[Path, typer.Option(help="The model folder; the graphs are added to it.")],
    data: Annotated[Path, typer.Option(help="Labelled texts to compare with, such as the dev set.")],
    calibration: Annotated[
        Path | None,
        typer.Option(
            help="Table of texts that fix int8 scales and weights, such as the training set; those of --data by "
            "default, which flatters the comparison if they are few."
        ),
    ] = None,
    calibration_text: Annotated[str | None, typer.Option(help="Its column of texts; found out by default.")] = None,
    text: Annotated[str | None, typer.Option(help="The column of texts; found out by default.")] = None,
    labels: Annotated[str | None, typer.Option(help="The columns of labels; found out by default.")] = None,
    label_names: Annotated[Path | None, typer.Option(help="File of label names, one per line.")] = None,
    float_only: Annotated[bool, typer.Option("--float-only", help="Leave the int8 graph out.")] = False,
    threads: Annotated[int | None, typer.Option(help="Processors to use; all by default.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Write float32 and int8 ONNX graphs into a model folder, or refuse if their answers differ."""
    from affekt.data import load_dataset
    from affekt.export import export as run
    from affekt.model_folder import read_manifest

    names = label_names if label_names is not None else list(read_manifest(model).labels)
    dataset = load_dataset(data, text=text, labels=labels, label_names=names)
    more = [] if calibration is None or float_only else _texts(calibration, calibration_text)
    report = run(model, dataset, int8=not float_only, calibration=more, threads=threads)
    if as_json:
        typer.echo(json.dumps(report.to_json(), indent=1))
        return
    typer.echo(f"Compared with PyTorch on {report.texts:,} texts:")
    typer.echo(f"  float32  logits within {report.float32.difference:.1e}")
    if report.int8 is not None:
        typer.echo(
            f"  int8     {report.int8.flipped:.2%} of decisions differ; "
            f"macro-F1 {report.int8.macro_f1:.4f} ({report.int8.reference_macro_f1:.4f} in PyTorch)"
        )
    if report.apart:
        typer.echo("           its largest channels are computed apart, or more would differ: larger and slower")
    for file, size in report.sizes.items():
        typer.echo(f"  {size / 1e6:7.1f} MB  {model / file}")


def _texts(table: Path, column: str | None) -> list[str]:
    """The texts of a table that are not blank.

    Raises:
        DataError: if there are none.
    """
    from affekt.data.labelling.columns import texts_of
    from affekt.data.reading.tables import read_table
    from affekt.errors import DataError

    found = [text for text in texts_of(read_table(table), column) if text.strip()]
    if not found:
        raise DataError(f"'{table}' has no text to calibrate on.", hint="Name its column with --calibration-text.")
    return found
