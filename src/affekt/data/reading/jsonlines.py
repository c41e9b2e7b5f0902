"""One JSON object per line to columns."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from affekt.data.findings import Finding
from affekt.errors import DataError


@dataclass
class JsonRecords:
    """The objects of a file, column by column.

    Attributes:
        columns: keys, in order of first appearance.
        cells: one list per column; None where an object lacks the key.
        numbers: the physical line of each object, counted from 0.
        lines: the physical lines, with their ends.
        findings: lines that could not be read.
    """

    columns: tuple[str, ...]
    cells: tuple[list[Any], ...]
    numbers: list[int]
    lines: list[str]
    findings: list[Finding]


def parse(text: str, path: Path) -> JsonRecords:
    """Columns of a JSON Lines text; lines that are not objects become one finding.

    Raises:
        DataError: if no line is an object.
    """
    lines = text.removeprefix("\ufeff").split("\n")
    lines = [line + "\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])
    objects, numbers, bad = [], [], []
    for number, line in enumerate(lines):
        if not line.strip():
            continue
        value = _object(line)
        if value is None:
            bad.append(number + 1)
        else:
            objects.append(value)
            numbers.append(number)
    if not objects:
        hint = "Write one object per line; 'jq -c .[] file.json' turns an array into that."
        raise DataError(f"'{path}' is not JSON Lines: no line is a JSON object.", hint=hint)
    columns = tuple(dict.fromkeys(key for value in objects for key in value))
    cells = tuple([value.get(column) for value in objects] for column in columns)
    return JsonRecords(columns, cells, numbers, lines, _bad_lines(bad))


def _object(line: str) -> dict[str, Any] | None:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _bad_lines(bad: list[int]) -> list[Finding]:
    if not bad:
        return []
    message = f"{len(bad):,} line{'s are not JSON objects' if len(bad) > 1 else ' is not a JSON object'}."
    return [
        Finding(
            "broken-json", "error", message, "Mend or remove such lines, or use --bad-rows skip.", len(bad), tuple(bad)
        )
    ]
