"""Answers as columns beside the rows they belong to."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from affekt.bulk.answers import Answers
from affekt.bulk.options import ScoresAs
from affekt.bulk.scoring import FloatArray


def added_names(labels: Sequence[str], scores: ScoresAs, prefix: str) -> tuple[str, ...]:
    """Names of the columns that a job adds, in order."""
    extra = {"columns": tuple(labels), "list": ("scores",), "none": ()}[scores]
    return tuple(f"{prefix}{name}" for name in ("emotions", *extra))


def with_answers(
    table: pa.Table, answers: Answers, scores: ScoresAs, prefix: str, decimals: int | None = None
) -> pa.Table:
    """The rows with their answers: the decided labels, highest score first, and the scores.

    Args:
        table: (rows, columns).
        answers: of the same rows.
        scores: one column per label, one list column, or none.
        prefix: of the added names.
        decimals: that scores are rounded to; not at all by default.
    """
    values = answers.scores
    if decimals is not None:
        values = values.astype(np.float64).round(decimals).astype(np.float32)
    arrays = [_decided(answers), *_scores(values, answers.missing, scores)]
    for name, array in zip(added_names(answers.labels, scores, prefix), arrays, strict=True):
        table = table.append_column(name, array)
    return table


def _decided(answers: Answers) -> pa.Array:
    rows, columns = np.nonzero(answers.decisions)
    order = np.lexsort((columns, -answers.scores[rows, columns], rows))
    names = pa.array(answers.labels, pa.string()).take(pa.array(columns[order]))
    return _lists(np.bincount(rows, minlength=len(answers.scores)), names, answers.missing)


def _scores(values: FloatArray, missing: npt.NDArray[np.bool_] | None, scores: ScoresAs) -> list[pa.Array]:
    if scores == "none":
        return []
    if scores == "columns":
        return [pa.array(column, pa.float32(), mask=missing) for column in values.T.copy()]
    present = values if missing is None else values[~missing]
    sizes = np.full(len(values), values.shape[1])
    if missing is not None:
        sizes[missing] = 0
    return [_lists(sizes, pa.array(present.ravel(), pa.float32()), missing)]


def _lists(sizes: npt.NDArray[np.integer], values: pa.Array, missing: npt.NDArray[np.bool_] | None) -> pa.Array:
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)
    mask = None if missing is None else pa.array(missing)
    return pa.ListArray.from_arrays(pa.array(offsets), values, mask=mask)
