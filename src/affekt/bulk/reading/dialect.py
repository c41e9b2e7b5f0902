"""How the rows and cells of a csv or tsv file are told apart, found from its beginning."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from affekt.bulk.reading.formats import format_of
from affekt.bulk.reading.streams import Lines
from affekt.data.reading.delimited import guess_delimiter
from affekt.data.reading.headers import is_header
from affekt.errors import DataError, SettingError

_HEAD = 1 << 20
_ROWS = 1000


@dataclass(frozen=True)
class Dialect:
    """How rows and cells are told apart, the same for every file of a job.

    Attributes:
        delimiter: between cells.
        header: whether the first row names the columns.
        quoted: whether quotes may hold delimiters and line ends; if not, each line is a row.
        encoding: of the text; one in which a line ends with the byte 10.
    """

    delimiter: str
    header: bool
    quoted: bool
    encoding: str = "utf-8"


def check_encoding(encoding: str) -> str:
    """The encoding itself, if lines can be found in it.

    Raises:
        SettingError: if it is unknown or does not write a line end as one byte.
    """
    try:
        fits = "\n".encode(encoding) == b"\n"
    except LookupError:
        raise SettingError(f"There is no encoding '{encoding}'.", hint="Common ones: utf-8, cp1252, latin-1.") from None
    if not fits:
        raise SettingError(f"Files in '{encoding}' cannot be read in a stream.", hint="Convert them to UTF-8 first.")
    return encoding


def detect(path: Path, *, delimiter: str | None, header: bool | None, encoding: str) -> Dialect:
    """The dialect of a file from its first mebibyte, found as for training tables; what is given is not looked for.

    A tab-separated file whose lines all have as many cells has no quoting: such files are often written with bare
    quotation marks in them.

    Raises:
        DataError: if there is nothing in the file that can be read, or its lines end in carriage returns alone.
    """
    text, damage = _head(path, check_encoding(encoding))
    lines = [line for line in io.StringIO(text, newline="") if line.strip("\r\n")]
    if not lines:
        raise DataError(f"'{path}' cannot be read: {damage}." if damage else f"'{path}' is empty.")
    if "\n" not in text and text.count("\r") > 1:
        raise DataError(f"The lines of '{path}' end in carriage returns alone.", hint="Convert its line ends first.")
    kind = format_of(path)
    separator = delimiter or guess_delimiter(text, kind.suffix if kind else ".csv")
    quoted = separator != "\t" or ('"' in text and not _rectangular(lines))
    if header is None:
        rows = list(_rows(lines, separator, quoted=quoted))
        header = is_header(rows[0], rows[1:])
    return Dialect(separator, header, quoted, encoding)


def _head(path: Path, encoding: str) -> tuple[str, str]:
    """The beginning of a file, and what is wrong where it ends."""
    source = Lines(path)
    try:
        parts = []
        while source.offset < _HEAD and (line := source.next()):
            parts.append(line)
    finally:
        source.close()
    return b"".join(parts).decode(encoding, "replace"), source.damage


def _rectangular(lines: list[str]) -> bool:
    return len({line.count("\t") for line in lines}) == 1 and "\t" in lines[0]


def _rows(lines: list[str], delimiter: str, *, quoted: bool) -> Iterator[list[str]]:
    reader = csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE)
    for _ in range(_ROWS):
        try:
            yield next(reader)
        except StopIteration:
            return
        except csv.Error:
            continue


def column_names(path: Path, row: list[str], dialect: Dialect) -> tuple[str, ...]:
    """The columns' names: those of the header row, or ``column1`` and so on.

    Args:
        path: the file, for the message.
        row: the first row.
        dialect: says whether it is a header.

    Raises:
        DataError: if two columns have one name.
    """
    if not dialect.header:
        return tuple(f"column{number}" for number in range(1, len(row) + 1))
    names = tuple(name.strip() for name in row)
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise DataError(f"'{path}' has more than one column '{repeated[0]}'.", hint="Rename or remove one of them.")
    return names
