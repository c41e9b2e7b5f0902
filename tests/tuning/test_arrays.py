"""Checked arrays and counts: what is refused, and F1 where it is not defined."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from affekt.errors import DataError
from affekt.tuning.arrays import Counts, as_saved, as_scores, as_truth, count, expit, f1_of, log_odds, macro_f1


def test_truth_of_numbers_counts_from_one_half() -> None:
    assert as_truth([[0, 1], [0.5, 0.4999]]).tolist() == [[False, True], [True, False]]


def test_truth_that_is_bool_is_not_copied() -> None:
    truth = np.ones((2, 3), dtype=bool)
    assert as_truth(truth) is truth


@pytest.mark.parametrize("shape", [(3,), (0, 3), (3, 0), (2, 2, 2)])
def test_truth_of_another_shape_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(DataError, match=r"have shape .*\(texts, labels\)"):
        as_truth(np.zeros(shape))


def test_truth_unlike_the_scores_is_refused_with_both_shapes() -> None:
    with pytest.raises(DataError, match=r"\(2, 3\).*\(2, 4\)"):
        as_truth(np.zeros((2, 3)), (2, 4))


def test_unknown_labels_are_counted_by_row() -> None:
    truth = np.array([[np.nan, np.nan], [0, 1], [1, np.nan]])
    with pytest.raises(DataError, match="2 rows have unknown labels"):
        as_truth(truth)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_scores_that_are_not_finite_are_refused(bad: float) -> None:
    with pytest.raises(DataError, match="1 rows of the logits are not finite"):
        as_scores([[0.0, bad], [1.0, 2.0]], "logits")


def test_scores_must_be_two_dimensional() -> None:
    with pytest.raises(DataError, match="scores have shape"):
        as_scores([0.5, 0.5])


def test_counts_by_hand() -> None:
    truth = [[1, 0], [1, 0], [0, 1], [1, 0]]
    decisions = [[1, 0], [0, 1], [1, 1], [1, 0]]
    counts = count(truth, decisions)
    assert counts.tp.tolist() == [2, 1]
    assert counts.fp.tolist() == [1, 1]
    assert counts.fn.tolist() == [1, 0]
    np.testing.assert_allclose(f1_of(counts), [4 / 6, 2 / 3])
    assert macro_f1(truth, decisions) == pytest.approx(2 / 3)


def test_f1_of_nothing_is_zero() -> None:
    assert f1_of(Counts(np.zeros(1), np.zeros(1), np.zeros(1))).tolist() == [0.0]


@given(hnp.arrays(np.float64, 8, elements=st.floats(-13, 13)))
def test_log_odds_undo_expit(values: np.ndarray) -> None:
    np.testing.assert_allclose(log_odds(expit(values)), values, atol=1e-4)


@given(st.floats(-1e300, 1e300))
def test_expit_never_overflows(value: float) -> None:
    assert 0.0 <= float(expit(np.asarray(value))) <= 1.0


@given(hnp.arrays(np.float64, 4, elements=st.floats(-1e6, 1e6)))
def test_saved_numbers_survive_float32(values: np.ndarray) -> None:
    saved = as_saved(values)
    assert tuple(float(v) for v in np.asarray(saved, dtype=np.float32)) == saved
