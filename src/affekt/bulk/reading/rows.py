"""Rows of a csv or tsv file, one after the other: one that cannot be read is refused alone, and the next is read."""

import csv
import re
from collections import deque
from collections.abc import Iterator

from affekt.bulk.reading.dialect import Dialect
from affekt.bulk.reading.pieces import Position, Reject
from affekt.bulk.reading.streams import LINE_LIMIT, Lines

CELL_LIMIT = 1024 * 1024
"""Characters of the longest cell: a quote that is never closed swallows no more than this before it is found out."""

_WELL_QUOTED = re.compile(r'"(?:[^"]|"")*+"')


class _Feed:
    """Physical lines as text, for ``csv.reader``; remembers what one record took, and can give lines again."""

    def __init__(self, lines: Lines, encoding: str) -> None:
        self.lines = lines
        self.encoding = encoding
        self.again: deque[tuple[bytes, int]] = deque()
        self.taken: list[tuple[bytes, int]] = []
        self.ended = False
        self.flaw: tuple[str, str] | None = None

    def begin(self) -> None:
        """Forget the last record."""
        self.taken = []
        self.ended = False
        self.flaw = None

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self.again:
            line, end = self.again.popleft()
        else:
            line = self.lines.next()
            end = self.lines.offset
        if not line:
            self.ended = True
            raise StopIteration
        self.taken.append((line, end))
        if len(line) >= LINE_LIMIT:
            self.flaw = ("too-long", f"the line is longer than {LINE_LIMIT:,} bytes")
            return ""
        try:
            return line.decode(self.encoding)
        except UnicodeDecodeError as error:
            found = f"byte 0x{line[error.start]:02x} at place {error.start + 1} of the line"
            self.flaw = ("encoding", f"it is not {self.encoding}: {found}")
            return line.decode(self.encoding, "surrogateescape")


class _LinePerRow:
    """Rows of a file without quoting: stands in for ``csv.reader``."""

    def __init__(self, feed: _Feed, delimiter: str) -> None:
        self._feed = feed
        self._delimiter = delimiter

    def __iter__(self) -> Iterator[list[str]]:
        return self

    def __next__(self) -> list[str]:
        line = next(self._feed).rstrip("\r\n")
        return [_unquoted(cell) for cell in line.split(self._delimiter)] if line else []


def _unquoted(cell: str) -> str:
    if cell[:1] == '"' and _WELL_QUOTED.fullmatch(cell):
        return cell[1:-1].replace('""', '"')
    return cell


class RowReader:
    """The rows of one file.

    A record that spans several lines and cannot be used (its quote is never closed, or it has too many or too few
    cells) is given up at its first line, and reading goes on at the second: a stray quote costs one row, not the rest
    of the file.

    Args:
        lines: the file, at the beginning of a row.
        dialect: how rows and cells are told apart.
        name: the file's name, for reports.
        start: where reading begins.
        width: cells of a row.

    Attributes:
        row: rows read so far.
        offset: byte at which the next row starts.
    """

    def __init__(
        self,
        lines: Lines,
        dialect: Dialect,
        name: str,
        start: Position = Position(),  # noqa: B008
        width: int = 0,
    ) -> None:
        csv.field_size_limit(CELL_LIMIT)
        self.row = start.row
        self.offset = lines.offset
        self._width = width
        self._name = name
        self._lines = lines
        self._feed = _Feed(lines, dialect.encoding)
        self._reader: Iterator[list[str]] = (
            csv.reader(self._feed, delimiter=dialect.delimiter)
            if dialect.quoted
            else _LinePerRow(self._feed, dialect.delimiter)
        )
        self._damage_told = lines.offset < start.offset

    def header(self) -> list[str] | None:
        """The first row, whatever its width, not counted; None if the file has none or it cannot be read."""
        while True:
            self._feed.begin()
            try:
                cells = next(self._reader)
            except (StopIteration, csv.Error):
                return None
            self.offset = self._feed.taken[-1][1]
            if cells:
                return None if self._feed.flaw or self._feed.ended else cells

    def next(self) -> list[str] | Reject | None:
        """The next row's cells, or the report of one that cannot be used; None at the end."""
        while True:
            self._feed.begin()
            try:
                cells = next(self._reader)
            except StopIteration:
                return self._end()
            except csv.Error as error:
                return self._refuse("quoting", f"it cannot be read as a row ({error})", first_line=True)
            if cells or self._feed.flaw:
                return self._checked(cells)
            self.offset = self._feed.taken[-1][1]

    def _checked(self, cells: list[str]) -> list[str] | Reject:
        feed = self._feed
        if feed.ended:
            return self._refuse("quoting", "a quote is opened and never closed", first_line=True)
        if feed.flaw:
            return self._refuse(*feed.flaw)
        if len(cells) != self._width:
            count = f"{len(cells)} cell{'s' * (len(cells) != 1)}"
            return self._refuse("ragged", f"it has {count} where {self._width} are expected", first_line=True)
        if self._torn():
            return self._refuse("truncated", "")
        self.row += 1
        self.offset = feed.taken[-1][1]
        return cells

    def _torn(self) -> bool:
        """Whether the record ends where a damaged file does."""
        return bool(self._lines.damage) and not self._feed.taken[-1][0].endswith(b"\n")

    def _refuse(self, kind: str, reason: str, *, first_line: bool = False) -> Reject:
        taken = self._feed.taken
        damaged = self._torn() and (len(taken) == 1 or not first_line)
        if damaged:
            kind, reason = "truncated", f"{self._lines.damage} in this row"
        elif first_line:
            self._feed.again.extendleft(reversed(taken[1:]))
            taken = taken[:1]
        content = b"".join(line for line, _ in taken)[:4096].rstrip(b"\r\n").decode("utf-8", "backslashreplace")
        return self._reject(taken[-1][1] + damaged, kind, reason, content)

    def _end(self) -> Reject | None:
        damage = self._lines.damage
        if not damage or self._damage_told:
            return None
        return self._reject(self.offset + 1, "truncated", f"{damage}: what followed is lost")

    def _reject(self, end: int, kind: str, reason: str, content: str = "") -> Reject:
        """The report of a row that ends at ``end``; that of damage ends behind the file, so that it is told once."""
        self.row += 1
        self._damage_told = kind == "truncated"
        start, self.offset = self.offset, end
        return Reject(self._name, self.row, start, kind, reason, content)


class HeadlessReader:
    """Stands in for the rows of a file whose first one cannot be read: one report, unless the file is empty.

    Args:
        lines: the file.
        name: the file's name, for reports.
        start: where reading begins.

    Attributes:
        row: 1 when the report was given.
        offset: byte at which reading goes on.
    """

    def __init__(self, lines: Lines, name: str, start: Position) -> None:
        self.row = start.row
        self.offset = lines.offset
        self._lines = lines
        self._name = name

    def next(self) -> Reject | None:
        """The report, then nothing."""
        if self.row:
            return None
        content = b""
        while not content and (line := self._lines.next()):
            content = line.strip()
        if not content and not self._lines.damage:
            return None
        self.row = 1
        start, self.offset = self.offset, self._lines.offset + 1
        because = self._lines.damage or "its first row is no row of cells"
        reason = f"the file cannot be read ({because})"
        return Reject(self._name, 1, start, "damaged", reason, content[:4096].decode("utf-8", "backslashreplace"))
