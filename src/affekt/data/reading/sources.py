"""Writing rows of a table back in its own format: the very bytes of a text file, the same schema of a Parquet file."""

import gzip
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from affekt.files import atomic_file


class Source(Protocol):
    """Where a table came from."""

    def write(self, rows: Sequence[int], path: Path) -> None:
        """Write the table's ``rows`` (indices from 0), in that order, to ``path``; it appears whole or not at all."""


@dataclass(frozen=True)
class TextSource:
    """Rows of a text file.

    Attributes:
        lines: physical lines of the file, with their ends.
        spans: first and past-last line of each row of the table.
        header: span of the header row; empty when there is none.
        encoding: what to write with.
    """

    lines: list[str]
    spans: list[tuple[int, int]]
    header: tuple[int, int]
    encoding: str

    def write(self, rows: Sequence[int], path: Path) -> None:
        """See :meth:`Source.write`; compressed if ``path`` ends in ``.gz``."""
        parts = [self._lines(self.header)] + [self._lines(self.spans[row]) for row in rows]
        content = "".join(parts).encode(self.encoding, "surrogateescape")
        with atomic_file(path) as temporary:
            temporary.write_bytes(gzip.compress(content, mtime=0) if path.suffix == ".gz" else content)

    def _lines(self, span: tuple[int, int]) -> str:
        text = "".join(self.lines[span[0] : span[1]])
        return text if not text or text.endswith(("\n", "\r")) else text + "\n"


@dataclass(frozen=True)
class ParquetSource:
    """Rows of a Parquet file.

    Attributes:
        table: the ``pyarrow.Table``.
    """

    table: Any

    def write(self, rows: Sequence[int], path: Path) -> None:
        """See :meth:`Source.write`."""
        import pyarrow.parquet as pq

        with atomic_file(path) as temporary:
            pq.write_table(self.table.take(list(rows)), temporary)
