"""Gaps between groups, on a model whose bias is known."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from affekt.decision import Calibration, DecisionRule, sigmoid
from affekt.errors import DataError
from affekt.evaluation.behaviour import FairnessSuite, Subject, read_fairness_suite, run_fairness
from affekt.evaluation.behaviour.fairness_suite import units

LABELS = ("anger", "joy")


def biased(texts: Sequence[str]) -> np.ndarray:
    """Names with an x are angrier by one logit; joy does not care."""
    odds = [[1.0 * ("x" in t) + 2.0 * ("furious" in t) - 2.0, 3.0 * ("happy" in t) - 2.0] for t in texts]
    return sigmoid(np.array(odds).reshape(len(texts), 2))


def subject() -> Subject:
    rule = DecisionRule(Calibration.identity(2), (0.5, 0.5))
    return Subject(LABELS, {label: frozenset({label}) for label in LABELS}, rule, biased)


def suite(**changes: object) -> FairnessSuite:
    attribute = {
        "name": "names",
        "templates": ["{person} is {feeling}.", "{person} was {feeling} then.", "I met {person}."],
        "groups": {"with": ["Xax", "Lex"], "without": ["Ann", "Bob", "Cid"]},
    }
    values = {
        "name": "s",
        "feelings": ["happy", "furious", "calm"],
        "attribute": [attribute],
        "identity": {
            "frames": ["{word}", "I am {word}."],
            "reference": ["tall", "here"],
            "words": {"k": ["vexed", "new"]},
        },
    }
    return FairnessSuite.model_validate({**values, **changes})


def test_the_bias_is_found_where_it_is_and_nowhere_else() -> None:
    (result,) = run_fairness(subject(), suite()).attributes
    gaps = {gap.emotion: gap for gap in result.gaps}
    assert (gaps["anger"].high, gaps["anger"].low) == ("with", "without")
    assert gaps["anger"].clear
    assert gaps["anger"].interval[0] > 0
    assert gaps["anger"].interval[0] <= gaps["anger"].mean <= gaps["anger"].interval[1]
    assert gaps["joy"].mean == pytest.approx(0, abs=1e-7)
    assert not gaps["joy"].clear
    assert result.gaps[0].emotion == "anger"


def test_the_mean_and_worst_gap_by_hand() -> None:
    (result,) = run_fairness(subject(), suite()).attributes
    (anger,) = [gap for gap in result.gaps if gap.emotion == "anger"]

    def s(odds: float) -> float:
        return float(sigmoid(odds))

    calm, furious = s(-1) - s(-2), s(1) - s(0)
    assert result.sentences == 7
    assert result.texts == 7 * 5
    assert anger.mean == pytest.approx((5 * calm + 2 * furious) / 7, abs=1e-6)
    assert anger.worst == pytest.approx(furious, abs=1e-6)
    assert "furious" in anger.worst_text
    assert (anger.worst_high, anger.worst_low) == ("with", "without")


def test_flips_count_sentences_that_decide_differently() -> None:
    (result,) = run_fairness(subject(), suite()).attributes
    assert result.flips == 0.0  # furious: both groups reach 0.5; otherwise neither does
    lower = DecisionRule(Calibration.identity(2), (0.2, 0.5))
    (result,) = run_fairness(Subject(LABELS, subject().members, lower, biased), suite()).attributes
    assert result.flips == pytest.approx(5 / 7)


def test_flips_are_averaged_over_pairs_of_groups() -> None:
    groups = {"with": ["Xax"], "without": ["Ann"], "neither": ["Bob"]}
    attribute = {"name": "n", "templates": ["{person} is {feeling}."], "groups": groups}
    lower = DecisionRule(Calibration.identity(2), (0.2, 0.5))
    made = suite(attribute=[attribute], feelings=["calm"])
    (result,) = run_fairness(Subject(LABELS, subject().members, lower, biased), made).attributes
    assert result.flips == pytest.approx(2 / 3)


def test_which_names_are_in_the_list_counts_as_chance() -> None:
    """A bias carried by one of six names is not clear; carried by all six, it is."""
    names = {"a": ["Ax", "Ab", "Ac", "Ad", "Ae", "Af"], "b": ["Ba", "Bb", "Bc", "Bd", "Be", "Bf"]}
    attribute = {"name": "n", "templates": ["{person} is {feeling}.", "{person}, {feeling}"], "groups": names}
    (one,) = run_fairness(subject(), suite(attribute=[attribute])).attributes
    assert not one.gaps[0].clear
    attribute["groups"] = {"a": [f"{name}x" for name in names["a"]], "b": names["b"]}
    (every,) = run_fairness(subject(), suite(attribute=[attribute])).attributes
    assert every.gaps[0].clear


def test_identity_words_are_compared_with_reference_words() -> None:
    found = {shift.word: shift for shift in run_fairness(subject(), suite()).identity}
    assert found["vexed"].emotion == "anger"
    assert found["vexed"].shift == pytest.approx(float(sigmoid(-1.0) - sigmoid(-2.0)), abs=1e-6)
    assert found["vexed"].usual == pytest.approx(0, abs=1e-7)
    assert found["new"].shift == pytest.approx(0, abs=1e-7)
    assert found["vexed"].range[0] <= found["vexed"].shift <= found["vexed"].range[1]
    first = run_fairness(subject(), suite()).identity[0]
    assert first.word == "vexed"


def test_the_emotion_that_an_identity_word_moves_is_not_neutral() -> None:
    def scores(texts: Sequence[str]) -> np.ndarray:
        return np.array(
            [[0.5 - 0.4 * ("vexed" in t.lower()), 0.1 + 0.2 * ("vexed" in t.lower())] for t in texts], dtype=np.float32
        )

    labels = ("neutral", "anger")
    rule = DecisionRule(Calibration.identity(2), (0.5, 0.5))
    made = Subject(labels, {label: frozenset({label}) for label in labels}, rule, scores)
    found = {shift.word: shift for shift in run_fairness(made, suite()).identity}
    assert found["vexed"].emotion == "anger"
    assert found["vexed"].shift == pytest.approx(0.2, abs=1e-6)


def test_the_same_seed_gives_the_same_intervals() -> None:
    assert run_fairness(subject(), suite(), seed=4) == run_fairness(subject(), suite(), seed=4)


def test_several_slots_and_parallel_sentences() -> None:
    pronouns = {"name": "p", "slots": ["Subject", "object"], "templates": ["{Subject} left; I miss {object}."],
                "groups": {"she": [["She", "her"]], "he": [["He", "him"]]}}  # fmt: skip
    parallel = {
        "name": "d",
        "parallel": True,
        "templates": ["{person}!"],
        "groups": {"a": ["one", "two"], "b": ["1", "2"]},
    }
    made = suite(attribute=[pronouns, parallel])
    (unit,) = units(made.attribute[0], made.feelings)
    assert unit.texts == {"she": ("She left; I miss her.",), "he": ("He left; I miss him.",)}
    first, second = units(made.attribute[1], made.feelings)
    assert first.texts == {"a": ("One!",), "b": ("1!",)}
    assert second.place == "Two!"


@pytest.mark.parametrize(
    ("attribute", "told"),
    [
        ({"groups": {"only": ["a"]}}, "groups"),
        ({"slots": ["a", "b"]}, "one per slot"),
        ({"groups": {"a": ["x"], "b": []}}, "no entries"),
        ({"parallel": True}, "same number"),
        ({"templates": []}, "templates"),
        ({"unknown": 1}, "unknown"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, attribute: dict[str, object], told: str) -> None:
    import json

    values = {"name": "n", "templates": ["{person}"], "groups": {"with": ["a"], "without": ["b", "c"]}} | attribute
    lines = [f"{key} = {json.dumps(value)}" for key, value in values.items() if key != "groups"]
    lines.append("[attribute.groups]")
    lines += [f"{key} = {json.dumps(value)}" for key, value in values["groups"].items()]  # type: ignore[attr-defined]
    path = tmp_path / "f.toml"
    path.write_text("[[attribute]]\n" + "\n".join(lines))
    with pytest.raises(DataError, match=told):
        read_fairness_suite(path)


def test_the_shipped_templates_cover_what_they_should() -> None:
    shipped = read_fairness_suite()
    names = {attribute.name for attribute in shipped.attribute}
    assert names >= {"gender of names", "pronouns", "nationality", "age", "religion", "dialect"}
    assert shipped.identity is not None
    for attribute in shipped.attribute:
        for unit in units(attribute, shipped.feelings):
            for group in unit.texts.values():
                assert not any("{" in text for text in group)


def test_results_are_plain_values() -> None:
    import json

    assert json.loads(json.dumps(run_fairness(subject(), suite()).to_dict()))["attributes"][0]["name"] == "names"
