"""Suggestions as a file that people fill with labels and train on."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path

from affekt.errors import SettingError
from affekt.files import atomic_file
from affekt.selection.suggest import Suggestion

COLUMNS = ("line", "text", "labels", "unsure_about", "reason")


def write_suggestions(found: Sequence[Suggestion], lines: Sequence[int], path: Path) -> None:
    """Write one row per suggestion, with an empty column ``labels`` to fill in.

    Args:
        found: the suggestions.
        lines: the line of each text of the pool, so that it can be found again.
        path: a ``.csv`` or ``.jsonl`` file.

    Raises:
        SettingError: if the file name has another ending.
    """
    if path.suffix not in (".csv", ".jsonl"):
        raise SettingError(f"'{path}' does not say its format.", hint="End the name with .csv or .jsonl.")
    rows = [(lines[item.index], item.text, "", ",".join(item.emotions), item.reason) for item in found]
    with atomic_file(path) as temporary, open(temporary, "w", encoding="utf-8", newline="") as stream:
        if path.suffix == ".csv":
            csv.writer(stream).writerows([COLUMNS, *rows])
        else:
            records = (dict(zip(COLUMNS, row, strict=True)) for row in rows)
            stream.writelines(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
