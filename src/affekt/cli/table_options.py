"""The options that say how a table is to be read, shared by every command that reads one."""

from pathlib import Path
from typing import Annotated, Any

import typer

from affekt.cli.gathered import gathering
from affekt.data.options import BadRows, LayoutName, Missing, ReadOptions, Unlabelled

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


Read = ReadOptions
"""What a command gets of them all."""
USUAL = ReadOptions()
"""Everything found out, nothing skipped."""

_OPTIONS = {
    "text": Text,
    "labels": Labels,
    "row_id": Id,
    "layout": Layout,
    "label_names": LabelNames,
    "first_id": FirstId,
    "separator": Separator,
    "header": Header,
    "delimiter": Delimiter,
    "encoding": Encoding,
    "unlabelled": UnlabelledRows,
    "missing": MissingCells,
    "bad_rows": Bad,
}
"""The option that fills each field of ``ReadOptions``."""


def _read_options(chosen: dict[str, Any]) -> ReadOptions:
    if chosen["delimiter"] in ("tab", "\\t"):
        chosen["delimiter"] = "\t"
    return ReadOptions(**chosen)


reads_table = gathering("read", ((name, _OPTIONS[name], usual) for name, usual in vars(USUAL).items()), _read_options)
"""Give a command every option of this file that says how a table is to be read; it takes them as ``read``."""
