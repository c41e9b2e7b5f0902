"""From rows as read to rows to be scored: the filter, the text of each, the columns that are kept."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from affekt.bulk.options import JobOptions
from affekt.bulk.reading import textcolumn
from affekt.bulk.reading.inputs import Input
from affekt.bulk.reading.jsonreader import RAW
from affekt.bulk.reading.pieces import Piece, Reject
from affekt.bulk.reading.textcolumn import missing_column, resolve
from affekt.bulk.reading.where import Filter, parse
from affekt.bulk.values import values
from affekt.engine import MAX_CHARACTERS
from affekt.errors import DataError, SettingError


@dataclass(frozen=True)
class Selection:
    """Which rows and columns of the input go out.

    Attributes:
        text: column of texts.
        columns: input columns that go out, in order; (RAW,) for JSON lines that stay as they are written.
        chosen: whether JSON lines are written anew with the columns that were asked for.
        added: names of the columns that will be added; a JSON object must not have them already.
        where: the filter, if there is one.
        keep_missing: whether rows without a text go out.
    """

    text: str
    columns: tuple[str, ...]
    chosen: tuple[str, ...] | None
    added: frozenset[str]
    where: Filter | None
    keep_missing: bool

    @classmethod
    def of(cls, source: Input, options: JobOptions, added: Sequence[str]) -> "Selection":
        """The selection that the options ask for.

        Raises:
            DataError: if there is no such column, no telling which holds the texts, or one that would be added.
            SettingError: if the filter cannot be understood.
        """
        where = parse(options.where) if options.where else None
        text = textcolumn.find(source, options.text)
        chosen = None if options.columns is None else tuple(resolve(source, name) for name in options.columns)
        columns = source.known if chosen is None else chosen
        for name in sorted(where.columns if where else ()):
            _check_known(source, name)
        _check_once(columns, "--columns names")
        _check_once(added, "The added columns would have")
        taken = sorted(set(columns) & set(added))
        if taken:
            raise DataError(
                f"The input has a column '{taken[0]}' already.", hint="Name the added columns otherwise with --prefix."
            )
        kept = (RAW,) if source.raw else columns
        return cls(text, kept, chosen if source.raw else None, frozenset(added), where, options.keep_missing)

    @property
    def needed(self) -> list[str]:
        """Input columns that are looked at."""
        return list(dict.fromkeys((*self.columns, self.text, *(self.where.columns if self.where else ()))))

    def apply(self, piece: Piece, file: str) -> tuple[pa.Table, list[str | None], list[Reject], int]:
        """The rows that go out, their texts, all rejects of the piece, and how many rows the filter left out."""
        rows = range(len(piece.numbers))
        mask = self._mask(piece)
        texts = piece.values(self.text)
        records = piece.records if self.columns == (RAW,) else None
        kept: list[int] = []
        rejects: list[Reject] = []
        for row in rows:
            if mask is not None and not mask[row]:
                continue
            kind, reason = self._problem(texts[row], records[row] if records else None)
            if kind:
                rejects.append(Reject(file, piece.numbers[row], piece.offsets[row], kind, reason, _shown(piece, row)))
                if kind == "collision" or not self.keep_missing:
                    continue
                texts[row] = None
            kept.append(row)
        filtered = 0 if mask is None else mask.count(False)
        table = self._table(piece, kept)
        merged = sorted(piece.rejects + rejects, key=lambda reject: reject.row)
        return table, [texts[row] for row in kept], merged, filtered

    def _mask(self, piece: Piece) -> list[bool] | None:
        if self.where is None:
            return None
        return self.where.mask({name: piece.values(name) for name in self.where.columns}, len(piece.numbers))

    def _problem(self, text: Any, record: dict[str, Any] | None) -> tuple[str, str]:
        if record is not None and self.chosen is None and not self.added.isdisjoint(record):
            taken = min(self.added & record.keys())
            return "collision", f"it has a key '{taken}' already"
        if text is None:
            return "missing-text", f"it has no '{self.text}'"
        if not isinstance(text, str):
            return "types", f"its '{self.text}' is {type(text).__name__}, not a text"
        if not text or text.isspace():
            return "missing-text", f"its '{self.text}' is empty"
        if len(text) > MAX_CHARACTERS:
            return "too-long", f"its '{self.text}' has {len(text):,} characters, more than {MAX_CHARACTERS:,}"
        return "", ""

    def _table(self, piece: Piece, kept: list[int]) -> pa.Table:
        if self.chosen is not None and piece.records is not None:
            lines = [_only(piece.records[row], self.chosen) for row in kept]
            return pa.table([pa.array(lines, pa.string())], names=[RAW])
        table = piece.table.select(list(self.columns))
        return table if len(kept) == len(table) else table.take(pa.array(kept, pa.int64()))


def _only(record: dict[str, Any], names: Sequence[str]) -> str:
    return json.dumps({name: record[name] for name in names if name in record}, ensure_ascii=False)


def _shown(piece: Piece, row: int) -> str:
    """The beginning of a row, for its report."""
    if piece.table.schema.names == [RAW]:
        return str(piece.table.column(0)[row].as_py())
    table = piece.table.slice(row, 1)
    cells = {name: values(column)[0] for name, column in zip(table.schema.names, table.columns, strict=True)}
    return json.dumps(cells, ensure_ascii=False, default=str)


def _check_known(source: Input, name: str) -> None:
    """Refuse a name that is no column; numbers do not stand for columns in conditions."""
    if name not in source.known:
        raise missing_column(source, name)


def _check_once(names: Sequence[str], what: str) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise SettingError(f"{what} '{twice[0]}' more than once.", hint="Every column of the output has its own name.")
