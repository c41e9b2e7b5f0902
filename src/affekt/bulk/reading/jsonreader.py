"""Objects of a JSON-lines file, one after the other: a line that cannot be used is refused alone."""

import json
from typing import Any

from affekt.bulk.reading.pieces import Position, Reject
from affekt.bulk.reading.streams import LINE_LIMIT, Lines

RAW = "\0line"
"""The only column of rows that stay as they were written: a name that no file has. (An empty one is common.)"""


class JsonReader:
    """The objects of one file.

    Args:
        lines: the file, at the beginning of a line.
        name: the file's name, for reports.
        encoding: of the text.
        start: where reading begins.

    Attributes:
        row: rows read so far.
        offset: byte at which the next row starts.
    """

    def __init__(
        self,
        lines: Lines,
        name: str,
        encoding: str = "utf-8",
        start: Position = Position(),  # noqa: B008
    ) -> None:
        self.row = start.row
        self.offset = lines.offset
        self._lines = lines
        self._name = name
        self._encoding = encoding
        self._damage_told = lines.offset < start.offset

    def next(self) -> tuple[str, dict[str, Any]] | Reject | None:
        """The next line and the object it holds, or the report of one that cannot be used; None at the end."""
        while line := self._lines.next():
            start, self.offset = self.offset, self._lines.offset
            if line.isspace():
                continue
            self.row += 1
            found = self._read(line)
            if isinstance(found[1], dict):
                return found[0], found[1]
            return self._refuse(line, start, *found)
        return self._end()

    def _read(self, line: bytes) -> tuple[str, dict[str, Any]] | tuple[str, str]:
        """The line and its object, or the kind and reason of a refusal."""
        if len(line) >= LINE_LIMIT:
            return "too-long", f"the line is longer than {LINE_LIMIT:,} bytes"
        try:
            text = line.decode(self._encoding).strip()
            found = json.loads(text)
        except UnicodeDecodeError as error:
            found_byte = f"byte 0x{line[error.start]:02x} at place {error.start + 1} of the line"
            return "encoding", f"it is not {self._encoding}: {found_byte}"
        except (ValueError, RecursionError) as error:
            return "json", f"it is not JSON ({error})"
        if not isinstance(found, dict):
            return "json", "it is not a JSON object"
        if not _encodable(text, found):
            return "encoding", "it holds half of a surrogate pair"
        return text, found

    def _refuse(self, line: bytes, start: int, kind: str, reason: Any) -> Reject:
        if self._lines.damage and not line.endswith(b"\n"):
            kind, reason = "truncated", f"{self._lines.damage} in this row"
            self._tell_damage()
        content = line[:4096].rstrip(b"\r\n").decode("utf-8", "backslashreplace")
        return Reject(self._name, self.row, start, kind, reason, content)

    def _end(self) -> Reject | None:
        damage = self._lines.damage
        if not damage or self._damage_told:
            return None
        self.row += 1
        offset = self.offset
        self._tell_damage()
        return Reject(self._name, self.row, offset, "truncated", f"{damage}: what followed is lost")

    def _tell_damage(self) -> None:
        """Remember that damage was told: here, and in the position, which from now on lies behind the file's end."""
        self._damage_told = True
        self.offset += 1


def _encodable(text: str, found: dict[str, Any]) -> bool:
    """Whether the object can be written as UTF-8: an escaped lone surrogate cannot."""
    if "\\ud" not in text and "\\uD" not in text:
        return True
    try:
        json.dumps(found, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True
