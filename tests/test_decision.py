"""Scores and decisions: the logistic function, calibration, thresholds, and the policy where nothing passes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from affekt.decision import Calibration, DecisionRule, EmptyPolicy, decide, logit, sigmoid
from affekt.errors import SettingError

SCORES = hnp.arrays(np.float32, (7, 3), elements=st.floats(0, 1, width=32))
THRESHOLDS = st.tuples(*[st.floats(0, 1, width=32)] * 3)
POLICIES: tuple[EmptyPolicy, ...] = ("empty", "best", "neutral")


@given(st.floats(-(2.0**100), 2.0**100, width=32))
def test_sigmoid_is_a_score_and_never_overflows(value: float) -> None:
    score = sigmoid(np.float32(value))
    assert score.dtype == np.float32
    assert 0.0 <= float(score) <= 1.0
    assert float(sigmoid(np.float32(-value))) == pytest.approx(1.0 - float(score), abs=1e-6)


def test_sigmoid_by_hand() -> None:
    np.testing.assert_allclose(sigmoid([0.0, np.log(3.0), -np.log(3.0)]), [0.5, 0.75, 0.25], rtol=1e-6)


@given(st.floats(-8, 8))
def test_logit_undoes_sigmoid(value: float) -> None:
    assert float(logit(sigmoid(value))) == pytest.approx(value, abs=1e-3)


def test_logit_of_certainty_is_finite() -> None:
    assert np.isfinite(logit([0.0, 1.0])).all()


@given(hnp.arrays(np.float32, (5, 2), elements=st.floats(-30, 30, width=32)))
def test_identity_calibration_is_the_sigmoid(logits: np.ndarray) -> None:
    np.testing.assert_array_equal(Calibration.identity(2).apply(logits), sigmoid(logits))


def test_calibration_by_hand() -> None:
    scores = Calibration((2.0, 0.5), (0.0, 1.0)).apply([[np.log(3.0) / 2, -2.0]])
    np.testing.assert_allclose(scores, [[0.75, 0.5]], rtol=1e-6)
    assert scores.dtype == np.float32


@given(scores=SCORES, thresholds=THRESHOLDS)
def test_decisions_are_scores_that_reach_their_threshold(scores: np.ndarray, thresholds: tuple[float, ...]) -> None:
    decided = decide(scores, thresholds)
    for text, label in np.ndindex(scores.shape):
        assert decided[text, label] == (scores[text, label] >= np.float32(thresholds[label]))


@given(scores=SCORES, thresholds=THRESHOLDS, policy=st.sampled_from(POLICIES))
def test_policies_touch_only_texts_where_nothing_passes(
    scores: np.ndarray, thresholds: tuple[float, ...], policy: EmptyPolicy
) -> None:
    plain, decided = decide(scores, thresholds), decide(scores, thresholds, policy, neutral=2)
    something = plain.any(axis=1)
    np.testing.assert_array_equal(decided[something], plain[something])
    assert (decided[~something].sum(axis=1) == (0 if policy == "empty" else 1)).all()


@given(scores=SCORES, thresholds=THRESHOLDS)
def test_higher_thresholds_never_decide_more(scores: np.ndarray, thresholds: tuple[float, ...]) -> None:
    higher = tuple(min(1.0, t + 0.1) for t in thresholds)
    assert (decide(scores, higher) <= decide(scores, thresholds)).all()


def test_best_is_nearest_to_its_own_threshold() -> None:
    scores = [[0.46, 0.09], [0.30, 0.09]]
    assert decide(scores, (0.5, 0.1), "best").tolist() == [[True, False], [False, True]]


def test_best_survives_thresholds_of_zero_and_scores_of_zero() -> None:
    assert decide([[0.0, 0.0]], (1.0, 0.5), "best").sum() == 1
    assert decide([[0.0]], (0.0,), "best").tolist() == [[True]]


def test_neutral_is_given_where_there_is_one_and_best_where_there_is_none() -> None:
    assert decide([[0.4, 0.1]], (0.5, 0.5), "neutral", neutral=1).tolist() == [[False, True]]
    assert decide([[0.4, 0.1]], (0.5, 0.5), "neutral").tolist() == [[True, False]]


def test_no_texts_no_decisions() -> None:
    for policy in POLICIES:
        assert decide(np.empty((0, 2)), (0.5, 0.5), policy).shape == (0, 2)


@pytest.mark.parametrize("thresholds", [(0.5,), (0.5, 0.5), (0.5,) * 4])
def test_one_threshold_per_label_is_needed(thresholds: tuple[float, ...]) -> None:
    """One threshold would otherwise be spread over all labels without a word."""
    with pytest.raises(SettingError, match="one threshold per label"):
        decide(np.zeros((4, 3)), thresholds)


def test_a_rule_is_its_parts() -> None:
    rule = DecisionRule(Calibration((2.0, 1.0), (-1.0, 0.5)), (0.6, 0.2), "neutral")
    logits = np.random.default_rng(0).standard_normal((50, 2)) - 1
    expected = decide(rule.calibration.apply(logits), rule.thresholds, "neutral", 1)
    np.testing.assert_array_equal(rule.decide(logits, neutral=1), expected)
    assert rule.decide(logits, neutral=1).any(axis=1).all()


def test_default_rule_is_one_half() -> None:
    logits = np.array([[0.01, -0.01], [0.0, 5.0]])
    assert DecisionRule.default(2).decide(logits).tolist() == [[True, False], [True, True]]


def test_best_stays_best_where_there_is_a_neutral_label() -> None:
    assert decide([[0.3, 0.2, 0.1]], (0.5, 0.5, 0.5), "best", neutral=2).tolist() == [[True, False, False]]


@pytest.mark.parametrize("shape", [(2,), (1, 3), (3, 1, 2)])
def test_scores_of_another_shape_than_texts_by_labels_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(SettingError, match="need one threshold per label"):
        decide(np.zeros(shape), (0.5, 0.5))


def test_what_decides_cannot_be_changed_once_made() -> None:
    rule = DecisionRule.default(1)
    with pytest.raises(AttributeError):
        rule.thresholds = (0.1,)  # type: ignore[misc]
    with pytest.raises(AttributeError):
        rule.calibration.slope = (0.1,)  # type: ignore[misc]
