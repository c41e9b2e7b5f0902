"""What passes through a job: where reading stands, rows as they were read, rows to be scored, rows refused."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import pyarrow as pa

from affekt.bulk import values

SHOWN = 200
"""Characters of a refused row that its report shows."""


@dataclass(frozen=True)
class Position:
    """Where reading goes on.

    Attributes:
        file: number of the input file.
        row: rows of it that were read.
        offset: bytes of it that were read, after decompression; 0 in Parquet files, which are addressed by row.
    """

    file: int = 0
    row: int = 0
    offset: int = 0


@dataclass(frozen=True)
class Reject:
    """Rows that could not be used.

    Attributes:
        file: the input file, as it was given.
        row: number of the first, counted from 1, header left out.
        offset: byte at which it starts, after decompression; None in Parquet files.
        kind: one word per sort of reason, to count by.
        reason: what was wrong, in a sentence.
        content: the beginning of the row as far as it could be read.
        rows: how many rows in sequence.
    """

    file: str
    row: int
    offset: int | None
    kind: str
    reason: str
    content: str = ""
    rows: int = 1

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON; undecodable bytes are shown as escapes."""
        shown = self.content[:SHOWN].encode("utf-8", "backslashreplace").decode("utf-8")
        return asdict(self) | {"content": shown}


@dataclass(frozen=True)
class Piece:
    """Neighbouring rows of one file, as read.

    Attributes:
        table: (rows, columns) what there is of them to write, in the job's schema.
        numbers: row number of each, counted from 1.
        offsets: byte at which each starts; None in Parquet files.
        rejects: rows in between that could not be read.
        end: where reading goes on.
        ended: whether the file is finished.
        size: bytes that all of it took.
        records: the JSON objects behind the rows, where they come from JSON lines.
    """

    table: pa.Table
    numbers: Sequence[int]
    offsets: Sequence[int | None]
    rejects: list[Reject]
    end: Position
    ended: bool
    size: int
    records: list[dict[str, Any]] | None = None

    def values(self, column: str) -> list[Any]:
        """A column's cells as Python values; None where a row has none."""
        if self.records is not None:
            return [record.get(column) for record in self.records]
        return values.values(self.table.column(column))

    def refusing(self, reasons: Sequence[str], file: str, kind: str, contents: Sequence[str] = ()) -> "Piece":
        """The piece without the rows that have a reason; ``table`` may lack them already."""
        kept = [row for row, reason in enumerate(reasons) if not reason]
        refused = [
            Reject(file, self.numbers[row], self.offsets[row], kind, reason, contents[row] if contents else "")
            for row, reason in enumerate(reasons)
            if reason
        ]
        return replace(
            self,
            table=self.table if len(self.table) == len(kept) else self.table.take(kept),
            numbers=[self.numbers[row] for row in kept],
            offsets=[self.offsets[row] for row in kept],
            rejects=sorted(self.rejects + refused, key=lambda reject: reject.row),
            records=None if self.records is None else [self.records[row] for row in kept],
        )


@dataclass(frozen=True)
class Chunk:
    """The rows of one shard, before scoring.

    Attributes:
        index: number of the shard.
        start: where reading it began.
        end: where reading goes on after it.
        table: (rows, columns) the rows that go out.
        texts: one per row; None for a row that is kept without a text.
        rejects: rows that do not go out (or go out without a text).
        read: rows read.
        filtered: rows that the filter left out.
        progress: share of the whole input that has been read at its end.
        seconds: spent reading it.
    """

    index: int
    start: Position
    end: Position
    table: pa.Table
    texts: list[str | None]
    rejects: list[Reject] = field(default_factory=list)
    read: int = 0
    filtered: int = 0
    progress: float = 0.0
    seconds: float = 0.0
