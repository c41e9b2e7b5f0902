"""Where decisions go wrong: which labels stand in for which, on which kinds of text, and on which texts most."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from affekt.errors import DataError
from affekt.evaluation.metrics import macro_f1, micro_f1, samples_f1
from affekt.tuning.arrays import Float, as_scores, as_truth


class Group(NamedTuple):
    """Figures of one kind of text."""

    texts: int
    macro_f1: float
    micro_f1: float
    samples_f1: float


class Mistake(NamedTuple):
    """A text whose scores and truth disagree badly.

    Attributes:
        row: its index.
        surprise: log loss summed over labels, in nats.
        missed: columns of true labels that were not decided, least expected first.
        wrong: columns of decided labels that are not true, most surely decided first.
    """

    row: int
    surprise: float
    missed: tuple[int, ...]
    wrong: tuple[int, ...]


def cooccurrence(labels: npt.ArrayLike) -> Float:
    """How many texts have both labels, (labels, labels), from (texts, labels); each label alone on the diagonal."""
    present = as_truth(labels).astype(np.float64)
    return present.T @ present


def confusion(truth: npt.ArrayLike, decisions: npt.ArrayLike) -> Float:
    """Which label is decided where another is missed: (true label, decided label).

    A text in which label i is true but missed and label j is decided but wrong adds to cell (i, j); a text with several
    wrong labels is shared out among them, so that row i sums to the texts in which i was missed for something else. The
    diagonal holds the hits.
    """
    gold = as_truth(truth)
    decided = as_truth(decisions, gold.shape)
    wrong = (decided & ~gold).astype(np.float64)
    shared = wrong / np.maximum(wrong.sum(axis=1, keepdims=True), 1.0)
    mistaken: Float = (gold & ~decided).astype(np.float64).T @ shared
    return mistaken + np.diag((gold & decided).sum(axis=0).astype(np.float64))


def by_group(truth: npt.ArrayLike, decisions: npt.ArrayLike, groups: Sequence[str]) -> Mapping[str, Group]:
    """Figures for each kind of text, in order of first appearance. Macro-F1 is over the labels that the group has.

    Args:
        truth: (texts, labels).
        decisions: (texts, labels).
        groups: one name per text, for instance its length class or its number of labels.

    Raises:
        DataError: if there is not one group per text.
    """
    gold = as_truth(truth)
    decided = as_truth(decisions, gold.shape)
    if len(groups) != len(gold):
        raise DataError(f"There are {len(groups)} groups for {len(gold)} texts.")
    names = np.asarray(groups)
    result = {}
    for name in dict.fromkeys(groups):
        rows = names == name
        g, d = gold[rows], decided[rows]
        seen = g.any(axis=0)
        macro = macro_f1(g[:, seen], d[:, seen]) if seen.any() else float("nan")
        result[name] = Group(int(rows.sum()), macro, micro_f1(g, d), samples_f1(g, d))
    return result


def worst_mistakes(truth: npt.ArrayLike, scores: npt.ArrayLike, decisions: npt.ArrayLike, n: int = 20) -> list[Mistake]:
    """The ``n`` wrongly decided texts whose true labels the scores expected least, worst first.

    Args:
        truth: (texts, labels).
        scores: (texts, labels) calibrated scores.
        decisions: (texts, labels).
        n: how many at most.
    """
    values = np.clip(as_scores(scores), 1e-7, 1.0 - 1e-7)
    gold = as_truth(truth, values.shape)
    decided = as_truth(decisions, values.shape)
    surprise = -np.log(np.where(gold, values, 1.0 - values)).sum(axis=1)
    wrong_rows = np.flatnonzero((gold != decided).any(axis=1))
    worst = wrong_rows[np.argsort(-surprise[wrong_rows], kind="stable")][:n]
    return [
        Mistake(
            int(row),
            float(surprise[row]),
            _ordered(gold[row] & ~decided[row], values[row]),
            _ordered(decided[row] & ~gold[row], -values[row]),
        )
        for row in worst
    ]


def length_classes(lengths: npt.ArrayLike, edges: Sequence[int] = (5, 10, 20, 40)) -> list[str]:
    """Names such as ``1-5`` and ``41+`` for text lengths (words or tokens), for :func:`by_group`."""
    low = [1, *(edge + 1 for edge in edges)]
    names = [f"{a}-{b}" for a, b in zip(low, edges, strict=False)] + [f"{low[-1]}+"]
    return [names[index] for index in np.searchsorted(edges, np.asarray(lengths), side="left")]


def _ordered(mask: npt.NDArray[np.bool_], key: Float) -> tuple[int, ...]:
    columns = np.flatnonzero(mask)
    return tuple(int(c) for c in columns[np.argsort(key[columns], kind="stable")])
