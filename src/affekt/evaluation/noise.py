"""How much of the labelling looks wrong, and where: confident learning, one label against the rest."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from affekt.errors import SettingError
from affekt.tuning.arrays import Bool, Float, as_scores, as_truth


class LabelNoise(NamedTuple):
    """Estimated noise of each label; every array is (labels,).

    Attributes:
        given: texts that have the label.
        likely_wrong: of these, how many look as if they should not.
        likely_missing: texts without the label that look as if they should have it.
        present_score: mean score of the texts that have it: what counts as confidently present.
        absent_score: mean score of the texts that have it not: what counts as confidently absent.
    """

    given: Float
    likely_wrong: Float
    likely_missing: Float
    present_score: Float
    absent_score: Float

    @property
    def wrong_rate(self) -> Float:
        """Part of the given labels that looks wrong, 0 where none is given."""
        return self.likely_wrong / np.maximum(self.given, 1.0)


class Suspect(NamedTuple):
    """A text whose labels look wrong.

    Attributes:
        row: its index.
        suspicion: how far the worst of its labels is from what the scores say, in [0, 1].
        wrong: columns of given labels that look wrong, most suspect first.
        missing: columns of labels that look missing, most suspect first.
    """

    row: int
    suspicion: float
    wrong: tuple[int, ...]
    missing: tuple[int, ...]


def label_noise(scores: npt.ArrayLike, truth: npt.ArrayLike) -> LabelNoise:
    """Estimate label noise from scores of a model that did not learn from these texts (out-of-fold scores).

    Confident learning (Northcutt, Jiang & Chuang 2021) with each label against the rest: a given label looks wrong if
    the score is no higher than is usual for texts without it, and a label looks missing if the score is as high as is
    usual for texts with it (and more likely than not). These per-label thresholds make the estimate indifferent to a
    model that is unsure of itself throughout. It counts texts that are merely hard as well: read it as "worth a look".

    Args:
        scores: (texts, labels) calibrated out-of-fold scores.
        truth: (texts, labels) of 0/1.

    Raises:
        DataError: if the arrays do not match or are not finite.
    """
    values = as_scores(scores)
    gold = as_truth(truth, values.shape)
    present, absent = _usual(values, gold)
    wrong, missing = _off_diagonal(values, gold, present, absent)
    count = gold.sum(axis=0).astype(np.float64)
    return LabelNoise(
        count, wrong.sum(axis=0).astype(np.float64), missing.sum(axis=0).astype(np.float64), present, absent
    )


def suspect_rows(scores: npt.ArrayLike, truth: npt.ArrayLike, n: int = 20) -> list[Suspect]:
    """The ``n`` texts whose labels are most likely wrong, worst first.

    Only texts that confident learning counts as wrong are listed, by how little the scores believe their worst label.
    """
    values = as_scores(scores)
    gold = as_truth(truth, values.shape)
    present, absent = _usual(values, gold)
    wrong, missing = _off_diagonal(values, gold, present, absent)
    doubt = _doubt(values, gold) * (wrong | missing)
    worst = doubt.max(axis=1)
    rows = np.argsort(-worst, kind="stable")[:n]
    return [
        Suspect(int(r), float(worst[r]), _by_doubt(wrong[r], doubt[r]), _by_doubt(missing[r], doubt[r]))
        for r in rows
        if worst[r] > 0.0
    ]


def label_weights(scores: npt.ArrayLike, truth: npt.ArrayLike, floor: float = 0.3) -> npt.NDArray[np.float32]:
    """Training weights that trust suspect labels less: (texts, labels) float32 in [floor, 1].

    A label that confident learning does not count as wrong keeps weight 1; a suspect one gets 1 - its doubt, at least
    ``floor``.

    Raises:
        SettingError: if ``floor`` is outside [0, 1].
    """
    if not 0.0 <= floor <= 1.0:
        raise SettingError(f"floor must lie in [0, 1], not {floor}.")
    values = as_scores(scores)
    gold = as_truth(truth, values.shape)
    wrong, missing = _off_diagonal(values, gold, *_usual(values, gold))
    weights = np.where(wrong | missing, np.maximum(1.0 - _doubt(values, gold), floor), 1.0)
    return weights.astype(np.float32)


def _usual(scores: Float, truth: Bool) -> tuple[Float, Float]:
    """Mean score of the texts with and of those without each label; NaN where there are none."""
    with_label = truth.sum(axis=0).astype(np.float64)
    without = len(truth) - with_label
    high, low = (scores * truth).sum(axis=0), (scores * ~truth).sum(axis=0)
    unknown = np.full_like(high, np.nan)
    return (
        np.divide(high, with_label, out=unknown.copy(), where=with_label > 0),
        np.divide(low, without, out=unknown, where=without > 0),
    )


def _off_diagonal(scores: Float, truth: Bool, present: Float, absent: Float) -> tuple[Bool, Bool]:
    """The confident joint's off-diagonal cells: given but confidently absent, not given but confidently present.

    Confidently present also asks for 0.5: for a label that the model hardly knows, "usual" is far below that.
    """
    apart = present > absent
    return truth & (scores <= absent) & apart, ~truth & (scores >= np.maximum(present, 0.5)) & apart


def _doubt(scores: Float, truth: Bool) -> Float:
    """How little the scores believe each given or withheld label."""
    return np.where(truth, 1.0 - scores, scores)


def _by_doubt(mask: Bool, doubt: Float) -> tuple[int, ...]:
    columns = np.flatnonzero(mask)
    return tuple(int(c) for c in columns[np.argsort(-doubt[columns], kind="stable")])
