"""A table in memory, whatever file it came from: named columns, the line of each row, and what was wrong with it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from affekt.data.findings import Finding, Unit, raise_errors
from affekt.data.options import ReadOptions
from affekt.data.reading import delimited, jsonlines, parquet
from affekt.data.reading.headers import is_header
from affekt.data.reading.rawtext import RawText, decode, has_surrogates, read_bytes
from affekt.data.reading.sources import Source, TextSource
from affekt.errors import DataError

MOST_COLUMNS = 10_000
_DEFAULT = ReadOptions()
_SPOKEN = {",": "comma-separated", "\t": "tab-separated", ";": "semicolon-separated", "|": "bar-separated"}


@dataclass(frozen=True)
class Table:
    """Rows and columns as read; cells are strings, or Python values where the format has types.

    Attributes:
        path: the file.
        columns: column names; ``column1`` and so on where the file names none.
        cells: one sequence per column, each with a value per row; None where a row has none.
        lines: where each row starts, numbered from 1 in ``unit``.
        findings: what was wrong on the way.
        source: writes rows back in the file's own format.
        form: the format in words ("tab-separated, no header row").
        named: whether the file names its columns.
        delimiter: what separates columns in the file; empty where nothing does.
        unit: what ``lines`` are: lines as an editor counts them, or rows (Parquet).
    """

    path: Path
    columns: tuple[str, ...]
    cells: tuple[Sequence[Any], ...]
    lines: Sequence[int]
    findings: tuple[Finding, ...]
    source: Source
    form: str
    named: bool = True
    delimiter: str = ""
    unit: Unit = "line"

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.lines)

    def resolve(self, name: str) -> str:
        """The column called ``name``, or the one with that number, counted from 1.

        Raises:
            DataError: if there is none; the hint lists the columns.
        """
        if name in self._positions:
            return name
        if name.isascii() and name.isdigit() and len(name) < 6 and 1 <= int(name) <= len(self.columns):
            return self.columns[int(name) - 1]
        shown = ", ".join(self.columns[:40]) + (", …" if len(self.columns) > 40 else "")
        raise DataError(f"'{self.path}' has no column '{name}'.", hint=f"Its columns are: {shown}.")

    def column(self, name: str) -> Sequence[Any]:
        """The cells of a column, by name or number.

        Raises:
            DataError: if there is no such column.
        """
        return self.cells[self._positions[self.resolve(name)]]

    @cached_property
    def _positions(self) -> dict[str, int]:
        return {name: position for position, name in enumerate(self.columns)}


def read_table(path: str | Path, options: ReadOptions = _DEFAULT) -> Table:
    """Read csv, tsv, jsonl or Parquet, each also with ``.gz``; the name's ending says which.

    Raises:
        DataError: if the file is missing, empty, binary, broken, or has no rows.
        MissingExtraError: if it is Parquet and pyarrow is not installed.
    """
    path = Path(path)
    suffix = format_suffix(path)
    content = read_bytes(path)
    if suffix in (".parquet", ".pq"):
        return _parquet_table(path, content)
    raw = decode(content, path, options.encoding)
    table = _jsonl_table(path, raw) if suffix in (".jsonl", ".ndjson", ".json") else _csv_table(path, raw, options)
    if len(table.columns) > MOST_COLUMNS:
        raise DataError(
            f"'{path}' has {len(table.columns):,} columns; {MOST_COLUMNS:,} is the most.",
            hint="Name what separates the columns with --delimiter.",
        )
    if not len(table):
        raise_errors(table.findings, str(path))
        raise DataError(f"'{path}' has no rows below its header.")
    return table


def format_suffix(path: Path) -> str:
    """The ending that says the format, in lower case, ``.gz`` left out."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] == ".gz":
        suffixes.pop()
    return suffixes[-1] if suffixes else ""


def _parquet_table(path: Path, content: bytes) -> Table:
    names, cells, source = parquet.read(content, path)
    rows = len(cells[0]) if cells else 0
    if not rows:
        raise DataError(f"'{path}' has no rows.")
    return Table(path, names, cells, range(1, rows + 1), (), source, "Parquet", unit="row")


def _jsonl_table(path: Path, raw: RawText) -> Table:
    records = jsonlines.parse(raw.text, path)
    lines = [line + 1 for line in records.numbers]
    source = TextSource(records.lines, [(n, n + 1) for n in records.numbers], (0, 0), raw.encoding)
    findings = (*records.findings, *_byte_findings(raw, records.lines))
    return Table(path, records.columns, records.cells, lines, findings, source, "one JSON object per line")


def _csv_table(path: Path, raw: RawText, options: ReadOptions) -> Table:
    delimiter = options.delimiter or delimited.guess_delimiter(raw.text, format_suffix(path))
    records = delimited.parse(raw.text, delimiter, path)
    rows, spans = records.cells, records.spans
    if not rows:
        raise DataError(f"'{path}' is empty.")
    has_header = is_header(rows[0], rows[1:]) if options.header is None else options.header
    header = (0, 0)
    if has_header:
        names, header, rows, spans = _header_names(rows[0], path), spans[0], rows[1:], spans[1:]
    else:
        width = delimited.usual_width(rows)
        names = tuple(f"column{number}" for number in range(1, width + 1))
    ragged = [index for index, row in enumerate(rows) if len(row) != len(names)]
    findings = list(records.findings) + _ragged_findings(ragged, rows, spans, len(names), has_header=has_header)
    if ragged:
        outside = set(ragged)
        kept = [index for index in range(len(rows)) if index not in outside]
        rows, spans = [rows[index] for index in kept], [spans[index] for index in kept]
    cells = tuple(zip(*rows, strict=True)) if rows else tuple(() for _ in names)
    findings += _byte_findings(raw, records.lines)
    form = f"{_SPOKEN.get(delimiter, f'separated by {delimiter!r}')}, {'a' if has_header else 'no'} header row"
    source = TextSource(records.lines, spans, header, raw.encoding)
    return Table(
        path, names, cells, [start + 1 for start, _ in spans], tuple(findings), source, form, has_header, delimiter
    )


def _header_names(row: list[str], path: Path) -> tuple[str, ...]:
    names = tuple(name.strip() for name in row)
    if names.count("") > 1:
        names = tuple(name or f"column{number}" for number, name in enumerate(names, 1))
    name, times = Counter(names).most_common(1)[0]
    if times > 1:
        raise DataError(f"'{path}' has more than one column '{name}'.", hint="Rename or remove one of them.")
    return names


def _ragged_findings(
    ragged: list[int], rows: list[list[str]], spans: list[tuple[int, int]], width: int, *, has_header: bool
) -> list[Finding]:
    if not ragged:
        return []
    first = len(rows[ragged[0]])
    expected = f"the header has {width}" if has_header else f"most rows have {width}"
    message = (
        f"{len(ragged):,} row{'s do' if len(ragged) > 1 else ' does'} not fit: the first has {first} cells, {expected}."
    )
    hint = "Quote texts that hold the column separator, or skip such rows with --bad-rows skip."
    lines = tuple(spans[index][0] + 1 for index in ragged)
    return [Finding("ragged-rows", "error", message, hint, len(ragged), lines)]


def _byte_findings(raw: RawText, lines: list[str]) -> list[Finding]:
    findings = []
    if not raw.clean:
        bad = tuple(n for n, line in enumerate(lines, 1) if has_surrogates(line))
        message = f"Bytes that are not {raw.encoding} were replaced by \N{REPLACEMENT CHARACTER}."
        hint = "If the file is in another encoding, name it with --encoding (often cp1252)."
        findings.append(Finding("undecodable-bytes", "warning", message, hint, len(bad), bad))
    if "\0" in raw.text:
        nul = tuple(n for n, line in enumerate(lines, 1) if "\0" in line)
        findings.append(Finding("nul-bytes", "warning", "There are NUL bytes in the text.", "", len(nul), nul))
    return findings
