"""The shipped suite against models whose behaviour is known in advance: what it must praise and what it must blame."""

import re
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from affekt.decision import Calibration, DecisionRule
from affekt.evaluation.behaviour import Behaviour, Subject, read_suite, run_suites
from affekt.evaluation.behaviour.expand import Case, cases_of
from affekt.taxonomy import GOEMOTIONS, TAXONOMIES

SUITE = read_suite()


def subject(scores: Callable[[Sequence[str]], np.ndarray], labels: tuple[str, ...] = GOEMOTIONS) -> Subject:
    count = len(labels)
    rule = DecisionRule(Calibration.identity(count), (0.5,) * count)
    return Subject(labels, {label: frozenset({label}) for label in labels}, rule, scores)


def constant(value: float) -> Callable[[Sequence[str]], np.ndarray]:
    return lambda texts: np.full((len(texts), len(GOEMOTIONS)), value, dtype=np.float32)


@pytest.fixture(scope="module")
def silent() -> Behaviour:
    """A model that never finds anything."""
    return run_suites(subject(constant(0.1)), [SUITE])


@pytest.fixture(scope="module")
def talkative() -> Behaviour:
    """A model that finds everything everywhere."""
    return run_suites(subject(constant(0.9)), [SUITE])


def rates(found: Behaviour, *, kind: str, key: str = "") -> list[float]:
    """Pass rates of the tests of a kind that use a key."""
    tests = {t.name: t for t in SUITE.test if t.kind == kind and (not key or getattr(t, key))}
    return [rate.rate for (_, name), rate in found.by_test().items() if name in tests]


def test_a_model_that_never_changes_its_mind_passes_every_invariance(silent: Behaviour, talkative: Behaviour) -> None:
    for found in (silent, talkative):
        assert set(rates(found, kind="invariance")) == {1.0}


def test_a_silent_model_fails_wherever_an_emotion_is_expected(silent: Behaviour) -> None:
    assert set(rates(silent, kind="minimum", key="any_of")) == {0.0}
    assert set(rates(silent, kind="minimum", key="all_of")) == {0.0}
    assert set(rates(silent, kind="minimum", key="none_of")) == {1.0}


def test_a_talkative_model_fails_wherever_an_emotion_should_be_absent(talkative: Behaviour) -> None:
    assert set(rates(talkative, kind="minimum", key="none_of")) == {0.0}
    assert set(rates(talkative, kind="minimum", key="any_of")) == {1.0}


def test_a_constant_model_passes_directions_only_where_standing_still_is_allowed(silent: Behaviour) -> None:
    by_name = {name: rate.rate for (_, name), rate in silent.by_test().items()}
    for test in SUITE.test:
        if test.kind == "direction":
            assert by_name[test.name] == (1.0 if test.margin <= 0 else 0.0), test.name


def test_a_model_of_keywords_knows_words_but_not_negation() -> None:
    cues = {
        "joy": "happy|delighted|overjoyed|thrilled|glad|ecstatic|happiest",
        "sadness": "sad|heartbroken|miserable|unhappy",
    }

    def scores(texts: Sequence[str]) -> np.ndarray:
        found = np.full((len(texts), len(GOEMOTIONS)), 0.05, dtype=np.float32)
        for label, cue in cues.items():
            seen = [bool(re.search(cue, text, re.IGNORECASE)) for text in texts]
            found[seen, GOEMOTIONS.index(label)] = 0.9
        return found

    by_test = {name: rate.rate for (_, name), rate in run_suites(subject(scores), [SUITE]).by_test().items()}
    assert by_test["happiness said plainly"] == 1.0
    assert by_test["not happy is not happy"] == 0.0
    assert by_test["a negation takes happiness away"] == 0.0
    assert by_test["capitals"] == 1.0
    assert by_test["swapped or missing letters"] < 1.0


@pytest.mark.parametrize("name", ["goemotions", "core14", "ekman", "sentiment"])
def test_every_label_set_can_be_tested(name: str) -> None:
    taxonomy = TAXONOMIES[name]
    count = len(taxonomy.labels)
    rule = DecisionRule(Calibration.identity(count), (0.5,) * count)
    members = {label: frozenset(group) for label, group in taxonomy.members.items()}
    made = Subject(taxonomy.labels, members, rule, lambda texts: np.full((len(texts), count), 0.1, dtype=np.float32))
    found = run_suites(made, [SUITE], only=["vocabulary", "negation", "emoji"])
    assert found.total.cases > 400
    assert set(found.by_capability()) == {"vocabulary", "negation", "emoji"}


@pytest.fixture(scope="module")
def everything() -> list[Case]:
    return [case for test in SUITE.test for case in cases_of(test, SUITE)]


def test_cases_read_like_texts(everything: list[Case]) -> None:
    for case in everything:
        for text in (case.text, case.changed):
            if text is None or "spaces" in case.test.change:
                continue
            assert "{" not in text
            assert "  " not in text, text
            assert text.strip() == text
            assert not re.search(r"\b(very|so|really) (so|very|really)\b", text), text
            assert not re.search(r"\b(a|an) (a|an|the|my)\b", text), text


def test_changed_texts_differ_and_minimum_cases_have_none(everything: list[Case]) -> None:
    for case in everything:
        assert (case.changed is None) == (case.test.kind == "minimum")
        assert case.changed != case.text


def test_no_test_dominates_its_capability(everything: list[Case]) -> None:
    for test in SUITE.test:
        assert sum(case.test is test for case in everything) <= max(test.max, 120)


def test_other_seeds_draw_other_cases_of_large_tests_only() -> None:
    small = next(test for test in SUITE.test if test.name == "angry emoji alone")
    large = next(test for test in SUITE.test if test.name == "happiness said plainly")
    assert {c.text for c in cases_of(small, SUITE, 1)} == {c.text for c in cases_of(small, SUITE, 2)}
    assert {c.text for c in cases_of(large, SUITE, 1)} != {c.text for c in cases_of(large, SUITE, 2)}
