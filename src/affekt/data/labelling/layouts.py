"""How a table says which labels each text has: found out, put into one sentence, and open to being overruled."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from affekt.data.labelling.cells import MISSING, SEPARATORS, as_labels, as_text, cell_keys, is_id
from affekt.data.labelling.columns import by_name, flag_columns, guess_id, guess_label_column, guess_text
from affekt.data.labelling.label_names import LabelNames, find_label_names, read_label_names
from affekt.data.labelling.unlabelled import raise_no_labels, says_nothing
from affekt.data.options import ReadOptions
from affekt.data.reading.headers import LABEL_NAMES
from affekt.data.reading.tables import Table
from affekt.errors import DataError, SettingError
from affekt.printable import printable

Kind = Literal["columns", "list", "long", "none"]
_COVERED = 0.5
_LONG_SHARE = 0.01
_DEFAULT = ReadOptions()


@dataclass(frozen=True)
class Layout:
    """Where texts, ids and labels stand in a table.

    Attributes:
        kind: ``columns`` (one 0/1 column per label), ``list`` (a column of label lists), ``long`` (one row per text and
            label), ``none`` (no labels).
        text: the column of texts.
        row_id: the column of row ids, if any.
        labels: the column or columns of labels.
        names: the known label names; None where the cells themselves are the only source.
        separators: characters that join labels in a cell.
        ids: whether cells hold ids rather than names.
        unused: columns that hold none of these.
        untold: the columns for labels of a table that has none: each says "NONE" or the like throughout.
    """

    kind: Kind
    text: str
    row_id: str | None = None
    labels: tuple[str, ...] = ()
    names: LabelNames | None = None
    separators: str = SEPARATORS
    ids: bool = False
    unused: tuple[str, ...] = ()
    untold: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The column whose equal cells make rows the same text, where a text has several rows."""
        return self.text if self.row_id is None else self.row_id

    def sentence(self) -> str:
        """What was found, for people."""
        parts = [f"texts in column '{self.text}'", self._label_part()]
        if self.row_id is not None:
            parts.append(f"row ids in '{self.row_id}'")
        unused = f" Not used: {_shortened(self.unused)}." if self.unused else ""
        return printable(f"Layout '{self.kind}': {', '.join(parts)}.{unused}")

    def _label_part(self) -> str:
        if self.kind == "none":
            count = f"{len(self.untold)} columns" if len(self.untold) > 1 else "column"
            return f"no labels in their {count} ({_shortened(self.untold)})" if self.untold else "no labels"
        if self.kind == "columns":
            return f"{len(self.labels)} 0/1 column{'s' * (len(self.labels) > 1)} ({_shortened(self.labels)})"
        joined = f" joined by {' or '.join(repr(s) for s in self.separators)}" if self.separators else ""
        what = f"label {'ids' if self.ids else 'names'}" + (joined if self.kind == "list" else ", one per row,")
        known = f" (named by {self.names.source})" if self.names else ""
        return f"{what} in '{self.labels[0]}'{known}"


def _shortened(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) <= 8 else f"{', '.join(names[:6])}, …, {names[-1]}"


def detect_layout(table: Table, options: ReadOptions = _DEFAULT) -> Layout:
    """Find out how ``table`` is laid out; whatever ``options`` name is taken as given.

    Raises:
        DataError: if a named column is missing, or ids stand for unknown names.
        SettingError: if options contradict one another.
    """
    given = None if options.label_names is None else read_label_names(options.label_names, options.first_id)
    chosen = _chosen_labels(table, options.labels)
    text = guess_text(table, chosen) if options.text is None else table.resolve(options.text)
    if text in chosen:
        raise SettingError(f"Column '{text}' cannot hold both the texts and the labels.")
    layout = Layout("none", text, names=given)
    if options.row_id is not None or table.named:
        layout = replace(layout, row_id=_row_id(table, options, {text, *chosen}))
    if options.layout != "none":
        layout = _with_labels(table, layout, options, chosen or _found_labels(table, layout, options))
    if layout.row_id is None and not table.named and layout.kind != "long":
        layout = replace(layout, row_id=guess_id(table, {text, *layout.labels}))
    if options.layout == "none":
        return replace(layout, names=None)
    used = {layout.text, layout.row_id, *layout.labels, *layout.untold}
    return replace(layout, unused=tuple(column for column in table.columns if column not in used))


def _row_id(table: Table, options: ReadOptions, taken: set[str]) -> str | None:
    return guess_id(table, taken) if options.row_id is None else table.resolve(options.row_id)


def _chosen_labels(table: Table, labels: str | Sequence[str] | None) -> tuple[str, ...]:
    if labels is None:
        return ()
    if isinstance(labels, str):
        labels = [labels] if labels in table.columns else [name.strip() for name in labels.split(",")]
    return tuple(dict.fromkeys(table.resolve(name) for name in labels))


def _found_labels(table: Table, layout: Layout, options: ReadOptions) -> tuple[str, ...]:
    taken = {layout.text, layout.key}
    untold = _untold(table, layout, [name for name in table.columns if name not in taken])
    named = [name for name in layout.names.names if name in table.columns] if layout.names else []
    if options.layout in ("auto", "columns"):
        flags = named if len(named) > 1 else flag_columns(table, taken)
        if len(flags) > 1 or options.layout == "columns":
            return tuple(flags) or untold
    own = by_name(untold, LABEL_NAMES)
    rest = [name for name in table.columns if name not in {*taken, *untold}]
    if own is not None and by_name(rest, LABEL_NAMES) is None:
        return (own,)
    beside = layout.names or (None if table.named else find_label_names(table.path.parent))
    column = guess_label_column(table, {*taken, *untold}, [*beside.index, *beside.names] if beside else ())
    if column is not None:
        return (column,)
    return untold if len(untold) > 1 else ()


def _untold(table: Table, layout: Layout, columns: Sequence[str]) -> tuple[str, ...]:
    """Those of ``columns`` that only say "NONE" or the like, unless that is a label's name."""
    if layout.names and not MISSING.isdisjoint(name.lower() for name in layout.names.names):
        return ()
    return tuple(column for column in columns if says_nothing(table.column(column)))


def _with_labels(table: Table, layout: Layout, options: ReadOptions, labels: tuple[str, ...]) -> Layout:
    layout = replace(layout, labels=labels, row_id=None if layout.row_id in labels else layout.row_id)
    if _untold(table, layout, labels) == labels:
        layout = replace(layout, labels=(), untold=labels)
        if options.layout != "auto":
            raise_no_labels(table, layout)
        return layout
    if len(labels) > 1 and options.layout in ("list", "long"):
        raise SettingError(f"Layout '{options.layout}' needs one column of labels, but {len(labels)} are named.")
    if options.layout == "columns" or len(labels) > 1 or (options.layout == "auto" and _is_lone_flag(table, layout)):
        return replace(layout, kind="columns")
    return _listed(table, layout, options)


def _is_lone_flag(table: Table, layout: Layout) -> bool:
    taken = set(table.columns) - set(layout.labels)
    return layout.names is None and table.named and bool(flag_columns(table, taken))


def _listed(table: Table, layout: Layout, options: ReadOptions) -> Layout:
    column = table.column(layout.labels[0])
    wanted = SEPARATORS if options.separator is None else options.separator
    cells = dict(zip(cell_keys(column), column, strict=True))
    used = "".join(s for s in wanted if any(isinstance(value, str) and s in value for value in cells.values()))
    lists = {key: as_labels(value, used) or () for key, value in cells.items()}
    tokens = {token for labels in lists.values() for token in labels}
    names = layout.names or _names_beside(table, tokens, options)
    ids = bool(tokens) and all(is_id(t) for t in tokens) and not (names and tokens <= set(names.names))
    if ids and names is None:
        raise DataError(
            f"Column '{layout.labels[0]}' of '{table.path}' holds label ids and nothing names them.",
            hint="Give --label-names FILE (one name per line), and --first-id 1 if the ids start at 1.",
        )
    layout = replace(layout, kind="list", names=names, separators=used, ids=ids)
    if options.layout == "long" or (options.layout == "auto" and _is_long(table, layout, lists)):
        return replace(layout, kind="long")
    return layout


def _names_beside(table: Table, tokens: set[str], options: ReadOptions) -> LabelNames | None:
    """Names from a file beside the table, unless the cells hardly use them: then the file is about something else."""
    names = find_label_names(table.path.parent, options.first_id)
    if names is None or not tokens:
        return names
    known = sum(names.position(token) is not None for token in tokens)
    return names if known >= _COVERED * len(tokens) else None


def _is_long(table: Table, layout: Layout, lists: dict[object, tuple[str, ...]]) -> bool:
    """Rows of one label each, where the same id (or text) comes back with another label and never with the same."""
    if any(len(labels) > 1 for labels in lists.values()):
        return False
    keys = [as_text(value) for value in table.column(layout.key)]
    pairs = list(zip(keys, cell_keys(table.column(layout.labels[0])), strict=True))
    repeats = len(keys) - len(set(keys))
    return len(set(pairs)) == len(pairs) and repeats >= max(1, _LONG_SHARE * len(keys))
