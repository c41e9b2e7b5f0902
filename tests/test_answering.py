"""Answers: label sets, thresholds given by the caller, the k best labels, and predictions in full."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from affekt.answering import Answer, View, label_sets
from affekt.decision import Calibration, DecisionRule, logit
from affekt.errors import SettingError
from affekt.model_folder import Manifest, RuleRecord
from affekt.taxonomy import GOEMOTIONS, TAXONOMIES
from models import manifest

MODEL = manifest()
LOGITS = hnp.arrays(np.float32, st.tuples(st.integers(1, 4), st.just(28)), elements=st.floats(-8, 8, width=32))


def with_rule(name: str, rule: DecisionRule) -> Manifest:
    record = RuleRecord.of(TAXONOMIES[name].labels, rule)
    return MODEL.model_copy(update={"rules": {**MODEL.rules, name: record}})


def test_a_model_answers_in_every_label_set_that_its_labels_form() -> None:
    assert tuple(label_sets(MODEL)) == ("goemotions", "core14", "ekman", "sentiment")
    assert tuple(label_sets(manifest(("joy", "fear"), "mine"))) == ("mine",)


@given(LOGITS)
def test_own_scores_are_calibrated_logits(logits: np.ndarray) -> None:
    np.testing.assert_array_equal(
        View.of(MODEL).scores(logits), MODEL.rules["goemotions"].rule.calibration.apply(logits)
    )


@given(LOGITS)
def test_a_union_scores_at_least_as_high_as_its_members(logits: np.ndarray) -> None:
    own, ekman = View.of(MODEL).scores(logits), View.of(MODEL, "ekman").scores(logits)
    for column, (label, members) in enumerate(TAXONOMIES["ekman"].members.items()):
        highest = own[:, [GOEMOTIONS.index(member) for member in members]].max(axis=1)
        assert (ekman[:, column] >= highest - 1e-3).all(), label


def test_a_derived_label_set_has_a_calibration_and_thresholds_of_its_own() -> None:
    logits = np.linspace(-3, 1, 28, dtype=np.float32)[None]
    plain = View.of(MODEL, "sentiment").scores(logits)
    rule = DecisionRule(Calibration((0.5,) * 4, (0.25,) * 4), (0.1, 0.2, 0.3, 0.4))
    fitted = with_rule("sentiment", rule)
    np.testing.assert_allclose(
        View.of(fitted, "sentiment").scores(logits), rule.calibration.apply(logit(plain)), atol=1e-6
    )
    assert Answer.of(fitted, "sentiment").limits == (0.1, 0.2, 0.3, 0.4)
    assert Answer.of(MODEL, "sentiment").limits == (0.5,) * 4


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, (0.2, 0.4)),
        (0.3, (0.3, 0.3)),
        (1, (1.0, 1.0)),
        ((0.1, 0.9), (0.1, 0.9)),
        ([0, 1], (0.0, 1.0)),
        ({"fear": 0.7}, (0.2, 0.7)),
        ({}, (0.2, 0.4)),
    ],
)
def test_thresholds_may_be_one_for_all_or_each_or_some(given: object, expected: tuple[float, ...]) -> None:
    rule = RuleRecord.of(("joy", "fear"), DecisionRule(Calibration.identity(2), (0.2, 0.4)))
    model = Manifest(name="m", labels=("joy", "fear"), taxonomy="mine", rules={"mine": rule})
    assert Answer.of(model, thresholds=given).limits == expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"taxonomy": "plutchik"}, "does not exist"),
        ({"thresholds": 1.5}, "between 0 and 1"),
        ({"thresholds": float("nan")}, "between 0 and 1"),
        ({"thresholds": {"joyful": 0.5}}, "no label 'joyful'"),
        ({"thresholds": [0.5]}, "1 thresholds for 28 labels"),
        ({"top_k": 0}, "at least 1"),
        ({"top_k": 2, "thresholds": 0.5}, "in place of thresholds"),
    ],
)
def test_settings_that_cannot_be_are_refused_in_one_sentence(settings: dict[str, object], complaint: str) -> None:
    with pytest.raises(SettingError, match=complaint):
        Answer.of(MODEL, **settings)  # type: ignore[arg-type]


def test_a_label_set_that_this_model_cannot_form_is_refused_with_those_it_can() -> None:
    with pytest.raises(SettingError, match=r"needs labels that this model does not have.*mine"):
        View.of(manifest(("joy", "fear"), "mine"), "ekman")


@given(LOGITS, st.integers(1, 40))
def test_top_k_decides_for_the_k_best_scores(logits: np.ndarray, k: int) -> None:
    for prediction in Answer.of(MODEL, top_k=k).predictions(["a"] * len(logits), logits, [False] * len(logits)):
        scores = prediction.scores
        assert len(prediction.emotions) == min(k, 28)
        worst = min(scores[label] for label in prediction.emotions)
        assert all(score <= worst for label, score in scores.items() if label not in prediction.emotions)


@given(LOGITS)
def test_predictions_hold_every_score_and_the_decided_labels_best_first(logits: np.ndarray) -> None:
    texts = [f"text {number}" for number in range(len(logits))]
    windowed = [number % 2 == 0 for number in range(len(logits))]
    answer = Answer.of(MODEL)
    scores = answer.view.scores(logits)
    for row, prediction in enumerate(answer.predictions(texts, logits, windowed)):
        assert (prediction.text, prediction.windowed) == (texts[row], windowed[row])
        assert tuple(prediction.scores) == GOEMOTIONS
        assert list(prediction.scores.values()) == scores[row].tolist()
        passed = [label for label, limit in zip(GOEMOTIONS, answer.limits, strict=True)
                  if prediction.scores[label] >= np.float32(limit)]  # fmt: skip
        assert sorted(prediction.emotions) == sorted(passed)
        ordered = [prediction.scores[label] for label in prediction.emotions]
        assert ordered == sorted(ordered, reverse=True)


def test_the_policy_for_texts_where_nothing_passes_is_the_models() -> None:
    logits = np.full((1, 28), -9.0, dtype=np.float32)
    for policy, expected in (("empty", ()), ("neutral", ("neutral",))):
        record = MODEL.rules["goemotions"].model_copy(update={"empty": policy})
        model = MODEL.model_copy(update={"rules": {"goemotions": record}})
        (prediction,) = Answer.of(model).predictions(["a"], logits, [False])
        assert prediction.emotions == expected
