"""Bytes out of plain, gzip and Zstandard files: a damaged file ends where the damage is, and says so."""

import io
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from affekt.bulk.reading.formats import Compression, format_of
from affekt.errors import DataError, MissingExtraError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

LINE_LIMIT = 4 * 1024 * 1024
"""Bytes of the longest line that is read; a longer one is refused without being held in memory."""

_FED = {"gz": 16 * 1024, "zst": 1024}
"""Compressed bytes decoded at once: at most 16 MB (gzip) or 32 MB (Zstandard) can come out of them."""

_LONGEST_WINDOW = 2**31
"""As archives that were packed with ``zstd --long=31`` need; they are the only ones that take more memory."""


class _Decoder(Protocol):
    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, /) -> bytes: ...


def _decoding(compression: Compression) -> tuple[Callable[[], _Decoder], type[Exception]]:
    """What makes a decoder, and what it raises where the data are damaged."""
    if compression == "gz":
        return lambda: zlib.decompressobj(wbits=31), zlib.error
    try:
        import zstandard
    except ImportError:
        raise MissingExtraError("Reading Zstandard files", "bulk") from None
    large = zstandard.ZstdDecompressor(max_window_size=_LONGEST_WINDOW)
    return large.decompressobj, zstandard.ZstdError


class Decompressed(io.RawIOBase):
    """The decompressed bytes of a file of one or more gzip members or Zstandard frames.

    Args:
        path: the file.
        compression: which of the two.

    Attributes:
        damage: what was wrong where the bytes ended; empty if nothing was.
    """

    def __init__(self, path: Path, compression: Compression) -> None:
        super().__init__()
        self.damage = ""
        self._compression = compression
        self._fresh, self._error = _decoding(compression)
        self._file = open(path, "rb")  # noqa: SIM115
        self._decoder = self._fresh()
        self._begun = False
        self._ready = memoryview(b"")

    def readable(self) -> bool:
        """Always."""
        return True

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()

    def consumed(self) -> int:
        """Compressed bytes read so far."""
        return self._file.tell()

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        """Fill ``buffer`` as far as one decoding step goes; 0 at the end."""
        while not self._ready and not self.damage and self._step():
            pass
        target = memoryview(buffer)
        count = min(len(target), len(self._ready))
        target[:count] = self._ready[:count]
        self._ready = self._ready[count:]
        return count

    def _step(self) -> bool:
        """Decode some more; False at the end of the file."""
        data = self._file.read(_FED[self._compression])
        if not data:
            if self._begun and not self._decoder.eof:
                self.damage = f"the {self._compression} file is truncated"
            return False
        try:
            self._ready = memoryview(b"".join(self._decoded(data)))
        except self._error as error:
            self.damage = f"the {self._compression} file is damaged ({error})"
        return True

    def _decoded(self, data: bytes) -> list[bytes]:
        parts = []
        while data:
            if self._decoder.eof:
                data = data.lstrip(b"\0")
                if not data:
                    break
                self._decoder = self._fresh()
            self._begun = True
            parts.append(self._decoder.decompress(data))
            data = self._decoder.unused_data if self._decoder.eof else b""
        return parts


class Lines:
    """A file's physical lines as bytes, with the offset of the next.

    Args:
        path: the file; compression that its name says is undone.
        offset: decompressed bytes to skip first.

    Attributes:
        offset: decompressed bytes handed out so far.

    Raises:
        DataError: if the file cannot be opened.
    """

    def __init__(self, path: Path, offset: int = 0) -> None:
        form = format_of(path)
        try:
            self._raw = Decompressed(path, form.compression) if form and form.compression else None
            self._buffer = io.BufferedReader(self._raw or io.FileIO(path), 1 << 18)
        except OSError as error:
            raise DataError(f"'{path}' cannot be opened: {error.strerror}.") from error
        self._flaw = ""
        self.offset = 0
        if not offset:
            self._skip_mark()
        elif self._raw is None:
            self.offset = self._buffer.seek(offset)
        else:
            while self.offset < offset and (skipped := len(self._buffer.read(min(1 << 20, offset - self.offset)))):
                self.offset += skipped

    def _skip_mark(self) -> None:
        head = self._buffer.peek(3)[:3]
        if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
            self._flaw = "the file is UTF-16 and must be converted to UTF-8 first"
        if head == b"\xef\xbb\xbf":
            self.offset = len(self._buffer.read(3))

    @property
    def damage(self) -> str:
        """What was wrong where the file ended; empty if nothing was."""
        return self._flaw or (self._raw.damage if self._raw else "")

    def next(self) -> bytes:
        """The next line with its end; empty at the end of the file; cut at ``LINE_LIMIT`` if it is longer."""
        if self._flaw:
            return b""
        line = self._buffer.readline(LINE_LIMIT)
        self.offset += len(line)
        if len(line) == LINE_LIMIT and not line.endswith(b"\n"):
            while rest := self._buffer.readline(1 << 20):
                self.offset += len(rest)
                if rest.endswith(b"\n"):
                    break
        return line

    def consumed(self) -> int:
        """Bytes of the file itself that were read."""
        return self._raw.consumed() if self._raw else self._buffer.tell()

    def close(self) -> None:
        """Close the file."""
        self._buffer.close()
