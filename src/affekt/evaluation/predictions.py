"""Reading back the files that predictions were written to, whatever wrote them."""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from affekt.data.reading.tables import Table, read_table
from affekt.errors import DataError

FloatArray = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]
_PREFIXES = ("scores.", "scores_", "score.", "score_", "prob_", "p_")
_OTHER = ("text", "emotions", "windowed", "id")


@dataclass(frozen=True)
class Predictions:
    """What a model said of many texts.

    Attributes:
        name: the file's name.
        labels: names.
        decided: (texts, labels) bool.
        scores: (texts, labels) float32, or None if the file has no scores.
        texts: the texts, or None if the file has none.
    """

    name: str
    labels: tuple[str, ...]
    decided: BoolArray
    scores: FloatArray | None
    texts: tuple[str, ...] | None

    def __len__(self) -> int:
        """Number of texts."""
        return len(self.decided)


def read_predictions(path: Path, *, threshold: float = 0.5) -> Predictions:
    """Predictions from a csv, tsv, jsonl or Parquet file.

    Scores stand in a column ``scores`` (label to score) or in one numeric column per label; decisions stand in a column
    ``emotions`` (a list, or names joined by commas). Columns before ``emotions`` are the input's own and are left
    alone, and so are rows without an answer.

    Args:
        path: the file.
        threshold: decides where the file has scores but no decisions.

    Raises:
        DataError: if there are neither scores nor decisions.
    """
    table = read_table(path)
    labels, scores = _scores(table)
    cells = table.column("emotions") if "emotions" in table.columns else None
    if cells is None and scores is None:
        raise DataError(
            f"'{path}' holds no predictions: it has neither a column 'emotions' nor scores.",
            hint="Write one with 'affekt predict --file … --out …'.",
        )
    if cells is not None:
        named = [_names(cell) for cell in cells]
        labels = labels or tuple(sorted({name for row in named for name in row}))
        decided = _matrix(named, labels, path)
    elif scores is not None:
        decided = scores >= np.float32(threshold)
    texts = tuple(map(str, table.column("text"))) if "text" in table.columns else None
    found = Predictions(path.name, labels, decided, scores, texts)
    return found if scores is None else _answered(found, np.asarray(~np.isnan(scores).any(axis=1)))


def _answered(found: Predictions, rows: BoolArray) -> Predictions:
    """Only the rows that have an answer."""
    if rows.all() or found.scores is None:
        return found
    texts = None if found.texts is None else tuple(itertools.compress(found.texts, rows))
    return Predictions(found.name, found.labels, found.decided[rows], found.scores[rows], texts)


def _scores(table: Table) -> tuple[tuple[str, ...], FloatArray | None]:
    if "scores" in table.columns:
        rows = table.column("scores")
        if rows and all(isinstance(row, Mapping) for row in rows):
            labels = tuple(rows[0])
            return labels, np.array([[row.get(label, math.nan) for label in labels] for row in rows], dtype=np.float32)
    first = table.columns.index("emotions") + 1 if "emotions" in table.columns else 0
    columns = {name: _numbers(table.column(name)) for name in table.columns[first:] if name not in _OTHER}
    found = {_plain(name): values for name, values in columns.items() if values is not None}
    if not found:
        return (), None
    return tuple(found), np.stack(list(found.values()), axis=1)


def _numbers(cells: Sequence[Any]) -> FloatArray | None:
    """The column as scores, NaN where there is none; or None if it holds anything but numbers from 0 to 1."""
    if any(isinstance(cell, bool) for cell in cells[:1]):
        return None
    try:
        values = np.array([math.nan if cell in (None, "") else cell for cell in cells], dtype=np.float32)
    except (TypeError, ValueError):
        return None
    known = values[~np.isnan(values)]
    return values if known.size and ((known >= 0) & (known <= 1)).all() else None


def _plain(name: str) -> str:
    for prefix in _PREFIXES:
        if name.startswith(prefix):
            return name.removeprefix(prefix)
    return name


def _names(cell: Any) -> list[str]:
    if cell is None:
        return []
    if isinstance(cell, str):
        return [name.strip(" '\"") for name in cell.strip("[] ").replace(";", ",").split(",") if name.strip(" '\"")]
    return [str(name) for name in cell]


def _matrix(named: Sequence[Sequence[str]], labels: tuple[str, ...], path: Path) -> BoolArray:
    column = {label: index for index, label in enumerate(labels)}
    decided = np.zeros((len(named), len(labels)), dtype=bool)
    for row, names in enumerate(named):
        for name in names:
            if name not in column:
                raise DataError(f"'{path}', row {row + 1}: the emotion '{name}' has no score column.")
            decided[row, column[name]] = True
    return decided
