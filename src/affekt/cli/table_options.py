"""The options that say how a table is to be read, shared by every command that reads one."""

from pathlib import Path
from typing import Annotated, Any

import typer

from affekt.data.options import BadRows, LayoutName, Missing, Unlabelled

PANEL = "How to read the table"

File = Annotated[Path, typer.Argument(help="csv, tsv, jsonl or parquet, each also with .gz.", show_default=False)]
Text = Annotated[
    str | None, typer.Option("--text", help="Column of texts: name, or number from 1.", rich_help_panel=PANEL)
]
Labels = Annotated[
    str | None,
    typer.Option("--labels", help="Column or columns of labels, joined by commas.", rich_help_panel=PANEL),
]
Id = Annotated[str | None, typer.Option("--id", help="Column of row ids.", rich_help_panel=PANEL)]
Layout = Annotated[
    LayoutName,
    typer.Option(
        "--layout",
        help="columns: one 0/1 column per label; list: a column of label lists; long: one row per text and label; "
        "none: no labels.",
        rich_help_panel=PANEL,
    ),
]
LabelNames = Annotated[
    str | None,
    typer.Option("--label-names", help="Names in order: a file, or joined by commas.", rich_help_panel=PANEL),
]
FirstId = Annotated[int, typer.Option("--first-id", help="Id of the first label name: 0, or 1.", rich_help_panel=PANEL)]
Separator = Annotated[
    str | None, typer.Option("--separator", help="What joins labels in a cell.", rich_help_panel=PANEL)
]
Header = Annotated[
    bool | None,
    typer.Option("--header/--no-header", help="Whether the first row names the columns.", rich_help_panel=PANEL),
]
Delimiter = Annotated[
    str | None, typer.Option("--delimiter", help="What separates columns ('tab' for a tab).", rich_help_panel=PANEL)
]
Encoding = Annotated[str, typer.Option("--encoding", help="Of a text file.", rich_help_panel=PANEL)]
UnlabelledRows = Annotated[
    Unlabelled,
    typer.Option(
        "--unlabelled", help="Texts without a label: keep as all-zero, drop, or mark neutral.", rich_help_panel=PANEL
    ),
]
MissingCells = Annotated[Missing, typer.Option("--missing", help="Empty cells in 0/1 columns.", rich_help_panel=PANEL)]
Bad = Annotated[
    BadRows, typer.Option("--bad-rows", help="Rows that cannot be used: stop, or skip them.", rich_help_panel=PANEL)
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


def read_options(values: dict[str, Any]) -> Any:
    """``ReadOptions`` from a command's arguments (its ``locals()``), whatever else is among them.

    Raises:
        SettingError: if an option is not one of its values.
    """
    from dataclasses import fields

    from affekt.data.options import ReadOptions

    picked = {field.name: values[field.name] for field in fields(ReadOptions) if field.name in values}
    if picked.get("delimiter") in ("tab", "\\t"):
        picked["delimiter"] = "\t"
    return ReadOptions(**picked)
