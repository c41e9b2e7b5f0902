"""csv and tsv text to rows of cells, with the line each row starts at and the text it came from."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from affekt.data.findings import Finding
from affekt.errors import DataError

DELIMITERS = (",", "\t", ";", "|")
_CELL_LIMIT = 2**31 - 1
_WELL_QUOTED = re.compile(r'(?:[^"]|"")*+')
_SNIFFED_ROWS = 200
_SNIFFED_CHARACTERS = 1_000_000


@dataclass
class Records:
    """Rows as they stand in the file, blank lines left out.

    Attributes:
        cells: one list of strings per row; lengths may differ.
        spans: first and past-last physical line of each row, counted from 0.
        lines: the physical lines, with their ends.
        findings: quotes that had to be guessed at.
    """

    cells: list[list[str]]
    spans: list[tuple[int, int]]
    lines: list[str]
    findings: list[Finding]


def parse(text: str, delimiter: str, path: Path) -> Records:
    """Rows of a delimited text.

    Quotes follow RFC 4180. A tab-separated text whose quotes do not, but whose lines all have the same number of
    cells, is read line by line: such files are often written without any quoting.

    Raises:
        DataError: if a quote is opened and never closed.
    """
    csv.field_size_limit(_CELL_LIMIT)
    lines = list(io.StringIO(text, newline=""))
    plain = delimiter == "\t" and '"' in text and _is_rectangular(lines)
    try:
        cells, spans = _read(lines, delimiter, strict=True)
    except csv.Error as error:
        return _one_row_per_line(lines) if plain else _parse_leniently(lines, delimiter, path, error)
    if plain and not _is_tidy(cells, spans):
        return _one_row_per_line(lines)
    return Records(cells, spans, lines, [])


def _is_tidy(cells: list[list[str]], spans: list[tuple[int, int]]) -> bool:
    """Whether rows have one width and one line each, so that the quotes can be meant."""
    return len({len(row) for row in cells}) == 1 and all(end - start == 1 for start, end in spans)


def _read(lines: list[str], delimiter: str, *, strict: bool) -> tuple[list[list[str]], list[tuple[int, int]]]:
    reader = csv.reader(lines, delimiter=delimiter, strict=strict)
    cells, spans, start = [], [], 0
    for row in reader:
        if row:
            cells.append(row)
            spans.append((start, reader.line_num))
        start = reader.line_num
    return cells, spans


def _parse_leniently(lines: list[str], delimiter: str, path: Path, error: csv.Error) -> Records:
    cells, spans = _read(lines, delimiter, strict=False)
    if "unexpected end" in str(error):
        start = spans[-1][0] + 1 if spans else 1
        raise DataError(
            f"'{path}': the quote opened in the row at line {start} is never closed.",
            hint="Double the quotation marks inside quoted cells, or quote every text.",
        )
    stray = [start + 1 for start, end in spans if _has_stray_quote(lines[start:end], delimiter)]
    message = "Quotation marks inside quoted cells are not doubled; the cells were read as far as they made sense."
    return Records(cells, spans, lines, [Finding("stray-quotes", "warning", message, "", len(stray), tuple(stray))])


def _has_stray_quote(lines: list[str], delimiter: str) -> bool:
    try:
        for _ in csv.reader(lines, delimiter=delimiter, strict=True):
            pass
    except csv.Error:
        return True
    return False


def _is_rectangular(lines: Iterable[str]) -> bool:
    widths = {line.count("\t") for line in lines if line.strip("\r\n")}
    return len(widths) == 1 and widths != {0}


def _one_row_per_line(lines: list[str]) -> Records:
    kept = [number for number, line in enumerate(lines) if line.strip("\r\n")]
    cells = [[_unquoted(cell) for cell in lines[number].rstrip("\r\n").split("\t")] for number in kept]
    return Records(cells, [(number, number + 1) for number in kept], lines, [])


def _unquoted(cell: str) -> str:
    if len(cell) >= 2 and cell[0] == '"' == cell[-1] and _WELL_QUOTED.fullmatch(cell, 1, len(cell) - 1):
        return cell[1:-1].replace('""', '"')
    return cell


def usual_width(rows: list[list[str]]) -> int:
    """The number of cells that most rows have."""
    return Counter(len(row) for row in rows).most_common(1)[0][0]


def guess_delimiter(text: str, suffix: str) -> str:
    """The separator that gives the most regular rows; a tab for ``.tsv`` and a comma for ``.csv`` when in doubt."""
    csv.field_size_limit(_CELL_LIMIT)
    head = text[:_SNIFFED_CHARACTERS]
    usual = "\t" if suffix in (".tsv", ".tab") else ","
    if usual == "\t" and (_is_rectangular(head.split("\n")[:_SNIFFED_ROWS]) or _regularity(head, usual) > 0):
        return usual
    scores = {delimiter: _regularity(head, delimiter) for delimiter in dict.fromkeys((usual, *DELIMITERS))}
    best = max(scores, key=lambda delimiter: scores[delimiter])
    return best if scores[best] > 0 else usual


def _regularity(head: str, delimiter: str) -> float:
    rows = []
    try:
        for row in csv.reader(io.StringIO(head, newline=""), delimiter=delimiter):
            rows.append(len(row))
            if len(rows) >= _SNIFFED_ROWS:
                break
    except csv.Error:
        return 0.0
    widths = Counter(width for width in rows[: max(1, len(rows) - 1)] if width)
    width, count = widths.most_common(1)[0] if widths else (1, 0)
    return 0.0 if width == 1 else count / widths.total()
