"""Bytes of a file to text: gzip, byte order marks, encodings, and files that are not text at all."""

import gzip
import re
import zlib
from dataclasses import dataclass
from pathlib import Path

from affekt.errors import DataError, SettingError

_BINARY = {
    b"PK\x03\x04": ("a zip archive or an Excel workbook", "Save the sheet as csv, or unpack the archive."),
    b"PAR1": ("a Parquet file", "Name it '.parquet'."),
    b"\x28\xb5\x2f\xfd": ("compressed by zstandard", "Decompress it first."),
    b"BZh": ("compressed by bzip2", "Decompress it first."),
    b"\xfd7zXZ": ("compressed by xz", "Decompress it first."),
}
_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_PROBE = 65_536
_SURROGATES = re.compile("[\ud800-\udfff]")
_CONTROL = bytes(set(range(32)) - set(b"\t\n\r\f\v\b\x1b"))


@dataclass(frozen=True)
class RawText:
    """A text file's content.

    Attributes:
        text: decoded; bytes that are not valid stand as lone surrogates (``surrogateescape``), so that nothing is lost.
        encoding: what the bytes were decoded with and can be written back with.
        clean: whether every byte was valid.
    """

    text: str
    encoding: str
    clean: bool


def read_bytes(path: Path) -> bytes:
    """The file's bytes, decompressed if it is gzip (known by content, not by name).

    Raises:
        DataError: if it is missing, unreadable, empty or broken gzip.
    """
    try:
        content = path.read_bytes()
        if content[:2] == b"\x1f\x8b":
            content = gzip.decompress(content)
    except FileNotFoundError:
        raise DataError(f"There is no file '{path}'.") from None
    except IsADirectoryError:
        raise DataError(f"'{path}' is a folder.", hint="Name a file: csv, tsv, jsonl or parquet.") from None
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError(f"'{path}' is broken gzip: {error}.", hint="Download or compress it again.") from None
    except OSError as error:
        raise DataError(f"'{path}' cannot be read: {error.strerror or error}.") from None
    if not content.strip():
        raise DataError(f"'{path}' is empty.")
    return content


def decode(content: bytes, path: Path, encoding: str = "utf-8") -> RawText:
    """Bytes to text; invalid bytes are kept, not dropped.

    Raises:
        DataError: if the bytes are not text, or cannot be decoded even leniently.
        SettingError: if ``encoding`` is unknown.
    """
    encoding = next((name for mark, name in _MARKS if content.startswith(mark)), encoding)
    if encoding != "utf-16":
        _refuse_binary(content, path)
    try:
        return RawText(content.decode(encoding), encoding, clean=True)
    except UnicodeDecodeError:
        pass
    except LookupError:
        raise SettingError(f"There is no encoding '{encoding}'.", hint="Try utf-8, cp1252 or utf-16.") from None
    try:
        return RawText(content.decode(encoding, "surrogateescape"), encoding, clean=False)
    except UnicodeDecodeError as error:
        raise DataError(f"'{path}' is not {encoding}: {error.reason} at byte {error.start:,}.") from None


def _refuse_binary(content: bytes, path: Path) -> None:
    for magic, (what, hint) in _BINARY.items():
        if content.startswith(magic):
            raise DataError(f"'{path}' is {what}, not a text table.", hint=hint)
    probe = content[:_PROBE]
    if len(probe) - len(probe.translate(None, _CONTROL)) > len(probe) * 0.02 + 4:
        raise DataError(f"'{path}' is a binary file, not a table.", hint="Known: csv, tsv, jsonl, parquet, and .gz.")


def has_surrogates(text: str) -> bool:
    """Whether ``text`` holds what was not valid in the file's encoding."""
    return not text.isascii() and _SURROGATES.search(text) is not None


def readable(text: str) -> str:
    """``text`` with lone surrogates (bytes that were not valid) as U+FFFD."""
    return text if text.isascii() else _SURROGATES.sub("\ufffd", text)
