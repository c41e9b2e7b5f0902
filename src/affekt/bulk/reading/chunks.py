"""The rows of one shard after the other, from any position; the same rows for a shard whoever reads it."""

import time
from collections.abc import Iterator, Mapping

import pyarrow as pa

from affekt.bulk.options import JobOptions
from affekt.bulk.reading.cursors import Cursor, open_cursor
from affekt.bulk.reading.inputs import Input
from affekt.bulk.reading.pieces import Chunk, Piece, Position, Reject
from affekt.bulk.reading.selection import Selection

PIECE = 4096
"""Rows that are held as single cells at a time, which takes several times the memory of columns."""


class ChunkReader:
    """Reads shards' rows.

    A shard begins where the one before ended and holds ``shard_rows`` rows as read (refused and filtered ones
    included), fewer if they take ``shard_bytes`` bytes before. It may span files.

    Args:
        source: what to read.
        selection: which rows and columns go out.
        options: sizes of shards.
    """

    def __init__(self, source: Input, selection: Selection, options: JobOptions) -> None:
        self._source = source
        self._selection = selection
        self._options = options
        self._cursor: Cursor | None = None
        self._at = Position()

    def unread(self, done: Mapping[int, Position]) -> Iterator[Chunk]:
        """The shards that are not done yet, in order.

        Args:
            done: number of a committed shard -> where reading goes on after it.
        """
        index, start = 0, Position()
        while True:
            if index in done:
                start = done[index]
            elif chunk := self.read(index, start):
                yield chunk
                start = chunk.end
            else:
                return
            index += 1

    def read(self, index: int, start: Position) -> Chunk | None:
        """The rows of shard ``index``, which begins at ``start``; None if nothing is left, but for the first shard.

        The first shard of an empty input is an empty shard, so that there is an output.
        """
        began = time.perf_counter()
        tables: list[pa.Table] = []
        texts: list[str | None] = []
        rejects: list[Reject] = []
        read, filtered = 0, 0
        for piece, rows in self._pieces(start):
            table, found, refused, left_out = self._selection.apply(piece, str(self._source.files[piece.end.file]))
            tables.append(table)
            texts += found
            rejects += refused
            filtered += left_out
            read += rows
        if not read and index:
            return None
        table = pa.concat_tables(tables) if tables else self._empty()
        seconds = time.perf_counter() - began
        return Chunk(index, start, self._at, table, texts, rejects, read, filtered, self._progress(), seconds)

    def starts(self, done: Mapping[int, Position]) -> Iterator[tuple[int, Position]]:
        """Number and beginning of every shard that is not done yet, found by reading but keeping nothing.

        Args:
            done: number of a committed shard -> where reading goes on after it.
        """
        index, start = 0, Position()
        while True:
            if index in done:
                start = done[index]
            else:
                rows = sum(rows for _, rows in self._pieces(start))
                if not rows and index:
                    return
                yield index, start
                start = self._at
            index += 1

    def _pieces(self, start: Position) -> Iterator[tuple[Piece, int]]:
        """The pieces of the shard that begins at ``start``, and how many rows were read for each."""
        self._go_to(start)
        rows, room = self._options.shard_rows, self._options.shard_bytes
        while rows > 0 and room > 0 and self._at.file < len(self._source.files):
            piece = self._open().read(min(rows, PIECE), room)
            read = piece.end.row - self._at.row
            self._advance(piece.end, ended=piece.ended)
            rows -= read
            room -= piece.size
            yield piece, read

    def close(self) -> None:
        """Close the file being read."""
        if self._cursor is not None:
            self._cursor.close()
            self._cursor = None

    def _go_to(self, position: Position) -> None:
        if position != self._at:
            self.close()
            self._at = position

    def _open(self) -> Cursor:
        if self._cursor is None:
            self._cursor = open_cursor(self._source, self._at, self._selection.needed)
        return self._cursor

    def _advance(self, end: Position, *, ended: bool) -> None:
        self._at = end
        if ended:
            self.close()
            self._at = Position(end.file + 1)

    def _progress(self) -> float:
        """Share of the input's bytes that was read."""
        sizes = self._source.sizes
        current = self._cursor.fraction() * sizes[self._at.file] if self._cursor else 0.0
        return min(1.0, (sum(sizes[: self._at.file]) + current) / max(1, sum(sizes)))

    def _empty(self) -> pa.Table:
        return self._source.schema.empty_table().select(list(self._selection.columns))
