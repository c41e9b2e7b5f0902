"""Breakdowns, each on a case small enough to count by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra import numpy as hnp

from affekt.errors import DataError
from affekt.evaluation.breakdown import by_group, confusion, cooccurrence, length_classes, worst_mistakes
from affekt.evaluation.metrics import macro_f1

LABELS = hnp.arrays(np.bool_, (12, 4))


def test_cooccurrence_by_hand() -> None:
    assert cooccurrence([[1, 1, 0], [1, 0, 0], [0, 1, 0]]).tolist() == [[2, 1, 0], [1, 2, 0], [0, 0, 0]]


def test_confusion_by_hand() -> None:
    """Text 1: 0 missed, 1 decided. Text 2: 0 missed, 1 and 2 decided. Text 3: a hit. Text 4: missed for nothing."""
    truth = [[1, 0, 0], [1, 0, 0], [1, 0, 0], [1, 0, 0]]
    decisions = [[0, 1, 0], [0, 1, 1], [1, 0, 0], [0, 0, 0]]
    assert confusion(truth, decisions).tolist() == [[1, 1.5, 0.5], [0, 0, 0], [0, 0, 0]]


@given(truth=LABELS, decisions=LABELS)
@settings(max_examples=40, deadline=None)
def test_confusion_accounts_for_every_label_missed_for_another(truth: np.ndarray, decisions: np.ndarray) -> None:
    table = confusion(truth, decisions)
    replaced = (truth & ~decisions) & (decisions & ~truth).any(axis=1, keepdims=True)
    np.testing.assert_allclose(table.sum(axis=1) - np.diag(table), replaced.sum(axis=0))
    np.testing.assert_allclose(np.diag(table), (truth & decisions).sum(axis=0))


def test_groups_keep_their_order_and_their_own_labels() -> None:
    truth = np.array([[1, 0], [1, 0], [0, 1]], dtype=bool)
    decisions = np.array([[1, 0], [0, 0], [0, 1]], dtype=bool)
    found = by_group(truth, decisions, ["long", "short", "long"])
    assert list(found) == ["long", "short"]
    assert found["long"] == (2, 1.0, 1.0, 1.0)
    assert found["short"] == (1, 0.0, 0.0, 0.0)


def test_group_without_any_label_has_no_macro_f1() -> None:
    found = by_group(np.zeros((2, 2)), np.zeros((2, 2)), ["a", "a"])
    assert np.isnan(found["a"].macro_f1)


def test_one_group_of_all_is_the_whole() -> None:
    rng = np.random.default_rng(0)
    truth, decisions = rng.random((50, 3)) < 0.4, rng.random((50, 3)) < 0.4
    assert by_group(truth, decisions, ["all"] * 50)["all"].macro_f1 == macro_f1(truth, decisions)


def test_one_group_per_text_is_needed() -> None:
    with pytest.raises(DataError, match="3 groups for 2 texts"):
        by_group(np.ones((2, 1)), np.ones((2, 1)), ["a", "b", "c"])


def test_worst_mistakes_come_first_with_their_labels_in_order() -> None:
    truth = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1]], dtype=bool)
    scores = np.array([[0.4, 0.6, 0.1], [0.9, 0.01, 0.95], [0.1, 0.1, 0.9]])
    found = worst_mistakes(truth, scores, scores >= 0.5)
    assert [mistake.row for mistake in found] == [1, 0]
    assert found[0].missed == (1,)
    assert found[0].wrong == (2, 0)
    assert found[0].surprise == pytest.approx(-np.log([0.1, 0.01, 0.05]).sum())


def test_right_texts_are_no_mistakes_however_unsure() -> None:
    assert worst_mistakes([[1, 0]], [[0.51, 0.49]], [[1, 0]]) == []


def test_no_more_mistakes_than_asked_for() -> None:
    truth, scores = np.ones((30, 1)), np.linspace(0.01, 0.4, 30)[:, None]
    assert [m.row for m in worst_mistakes(truth, scores, scores >= 0.5, n=3)] == [0, 1, 2]


def test_certain_and_wrong_is_still_a_number() -> None:
    assert np.isfinite(worst_mistakes([[1]], [[0.0]], [[0]])[0].surprise)


def test_length_classes() -> None:
    assert length_classes([1, 5, 6, 10, 40, 41, 900]) == ["1-5", "1-5", "6-10", "6-10", "21-40", "41+", "41+"]
    assert length_classes([3], edges=(2,)) == ["3+"]
