"""Which emotions are explained."""

import numpy as np
import pytest

from affekt.decision import Calibration, DecisionRule, EmptyPolicy
from affekt.errors import SettingError
from affekt.explanation.choice import choose

LABELS = ("joy", "fear", "neutral")


def rule(empty: EmptyPolicy = "empty") -> DecisionRule:
    return DecisionRule(Calibration.identity(3), (0.5, 0.2, 0.5), empty)


def scores(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float32)


@pytest.mark.parametrize(
    ("values", "wanted", "decided"),
    [
        ((0.6, 0.3, 0.1), [0, 1], True),
        ((0.1, 0.3, 0.7), [2, 1], True),
        ((0.3, 0.15, 0.2), [1], False),
        ((0.45, 0.05, 0.1), [0], False),
        ((0.5, 0.2, 0.5), [0, 2, 1], True),
    ],
)
def test_those_decided_or_the_nearest(values: tuple[float, ...], wanted: list[int], decided: bool) -> None:
    assert choose(LABELS, scores(*values), rule()) == (wanted, decided)


def test_the_policy_for_empty_answers_counts_as_a_decision() -> None:
    assert choose(LABELS, scores(0.3, 0.1, 0.2), rule("neutral")) == ([2], True)
    assert choose(LABELS, scores(0.3, 0.1, 0.2), rule("best")) == ([0], True)


def test_those_asked_for() -> None:
    assert choose(LABELS, scores(0.1, 0.3, 0.7), rule(), ["joy", "neutral"]) == ([2, 0], False)
    assert choose(LABELS, scores(0.1, 0.3, 0.7), rule(), ["fear"]) == ([1], True)


def test_one_that_does_not_exist() -> None:
    with pytest.raises(SettingError) as caught:
        choose(LABELS, scores(0, 0, 0), rule(), ["awe", "joy"])
    assert "'awe'" in str(caught.value)
    assert "joy, fear, neutral" in caught.value.hint
