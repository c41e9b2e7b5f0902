"""How a table is to be read: every setting that a person may give instead of having it detected."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from affekt.errors import SettingError

LayoutName = Literal["auto", "columns", "list", "long", "none"]
Unlabelled = Literal["keep", "drop", "neutral"]
Missing = Literal["unknown", "zero", "error"]
BadRows = Literal["error", "skip"]


@dataclass(frozen=True)
class ReadOptions:
    """Overrides of what is otherwise detected, and policies.

    Attributes:
        text: the column of texts: its name, or its number from 1.
        labels: the column or columns of labels; a string may join several names by commas.
        row_id: the column of row ids.
        layout: ``columns`` (one 0/1 column per label), ``list`` (one column of labels), ``long`` (one row per text and
            label), ``none`` (texts only) or ``auto``.
        label_names: the names, in order: a sequence, names joined by commas, or a file (see ``read_label_names``).
        first_id: what the first label name is numbered as, where cells hold ids: 0, or 1 and so on.
        separator: what joins labels in a cell; None finds out.
        header: whether the first row names the columns; None finds out.
        delimiter: what separates columns; None finds out.
        encoding: of text files; a byte order mark wins.
        unlabelled: rows without any label: ``keep`` as all-zero, ``drop``, or mark as ``neutral``.
        missing: empty cells in 0/1 columns: ``unknown`` (NaN targets), ``zero``, or ``error``.
        bad_rows: rows that cannot be read or hold unknown labels: ``error``, or ``skip`` them.
    """

    text: str | None = None
    labels: str | Sequence[str] | None = None
    row_id: str | None = None
    layout: LayoutName = "auto"
    label_names: str | Path | Sequence[str] | None = None
    first_id: int = 0
    separator: str | None = None
    header: bool | None = None
    delimiter: str | None = None
    encoding: str = "utf-8"
    unlabelled: Unlabelled = "keep"
    missing: Missing = "unknown"
    bad_rows: BadRows = "error"

    def __post_init__(self) -> None:
        """Refuse values outside what is allowed."""
        _one_of("layout", self.layout, get_args(LayoutName))
        _one_of("unlabelled", self.unlabelled, get_args(Unlabelled))
        _one_of("missing", self.missing, get_args(Missing))
        _one_of("bad_rows", self.bad_rows, get_args(BadRows))
        if self.delimiter is not None and (len(self.delimiter) != 1 or self.delimiter in '"\r\n'):
            raise SettingError(f"delimiter must be one character, but it is {self.delimiter!r}.")
        if self.separator == "":
            raise SettingError("separator must not be empty.")
        if self.first_id < 0:
            raise SettingError(f"first_id must be 0 or more, but it is {self.first_id}.")


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise SettingError(f"{name} must be one of {', '.join(allowed)}, but it is {value!r}.")
