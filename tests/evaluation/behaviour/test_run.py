"""Judging cases and counting them."""

import pytest

from affekt.errors import SettingError
from affekt.evaluation.behaviour import Subject, Suite, read_suite, run_suites
from affekt.evaluation.behaviour.run import Behaviour, Outcome
from affekt.evaluation.behaviour.suite import Test
from affekt.taxonomy import TAXONOMIES


def run(subject: Subject, **settings: object) -> Behaviour:
    values = {"name": "t", "capability": "c", "kind": "minimum", "texts": ("x",)}
    test = Test(**{**values, **settings})
    return run_suites(subject, [Suite(name="s", groups={"bad": ("sadness", "anger")}, test=(test,))])


def only(found: Behaviour) -> Outcome:
    (outcome,) = found.outcomes
    return outcome


@pytest.mark.parametrize(
    ("text", "expected", "problem"),
    [
        ("so happy", {"any_of": ("joy",)}, ""),
        ("a table", {"any_of": ("joy",)}, "joy (0.12) was not decided"),
        ("a table", {"any_of": ("bad",)}, "sadness or its like (0.12) was not decided"),
        ("happy and sad", {"all_of": ("joy", "bad")}, ""),
        ("happy", {"all_of": ("joy", "bad")}, "sadness or its like (0.12) was not decided"),
        ("happy", {"none_of": ("bad",)}, ""),
        ("so sad", {"none_of": ("bad",)}, "sadness (0.88) was decided"),
        ("happy sad", {"any_of": ("joy",), "none_of": ("bad",)}, "sadness (0.88) was decided"),
    ],
)
def test_minimum(subject: Subject, text: str, expected: dict[str, object], problem: str) -> None:
    outcome = only(run(subject, texts=(text,), **expected))
    assert outcome.problem == problem
    assert outcome.passed == (not problem)
    assert outcome.after is None


@pytest.mark.parametrize(
    ("before", "after", "problem"),
    [
        ("so happy", "So happy!", ""),
        ("so happy", "so glad", "the answer changed: joy 0.88 → 0.12"),
        ("mad", "MAD", ""),
        ("table", "MAD", "the answer changed: anger 0.12 → 1.00"),
    ],
)
def test_invariance(subject: Subject, before: str, after: str, problem: str) -> None:
    assert only(run(subject, kind="invariance", texts=(before,), changed=(after,))).problem == problem


def test_invariance_forgives_small_moves(subject: Subject) -> None:
    found = run(subject, kind="invariance", texts=("happy",), changed=("glad",), tolerance=0.9)
    assert only(found).passed


@pytest.mark.parametrize(
    ("before", "after", "up", "down", "margin", "problem"),
    [
        ("mad", "MAD", ("anger",), (), 0.0, ""),
        ("mad", "MAD", ("anger",), (), 0.5, "anger did not rise by 0.50: 0.88 → 1.00"),
        ("happy", "not happy", (), ("joy",), 0.1, "joy did not fall by 0.10: 0.88 → 0.88"),
        ("happy", "table", (), ("joy",), 0.1, ""),
        ("happy", "very happy", ("joy",), (), -0.05, ""),
        ("happy", "glad", ("joy",), (), 0.0, "joy did not rise: 0.88 → 0.12"),
        ("sad", "mad", ("bad",), (), 0.0, ""),
    ],
)
def test_direction(
    subject: Subject, before: str, after: str, up: tuple[str], down: tuple[str], margin: float, problem: str
) -> None:
    found = run(subject, kind="direction", texts=(before,), changed=(after,), up=up, down=down, margin=margin)
    assert only(found).problem == problem


def test_tests_about_labels_that_are_not_there_are_skipped(subject: Subject) -> None:
    found = run(subject, any_of=("pride",))
    assert found.skipped == ("t",)
    assert found.total.cases == 0
    assert not run(subject, all_of=("joy", "pride")).outcomes
    assert not run(subject, kind="direction", texts=("a",), changed=("b",), up=("pride",)).outcomes


def test_smaller_label_sets_stand_for_the_labels_they_unite(subject: Subject) -> None:
    ekman = TAXONOMIES["ekman"]
    members = {label: frozenset(group) for label, group in ekman.members.items()}
    coarse = Subject(ekman.labels, members, subject.rule, subject.scores)
    assert [ekman.labels[i] for i in coarse.touching(["gratitude"])] == ["joy"]
    assert coarse.within(["gratitude"]) == []
    assert [ekman.labels[i] for i in coarse.within(["fear", "nervousness", "anger"])] == ["fear"]
    assert [ekman.labels[i] for i in coarse.within(["nervousness"])] == []


def test_rates_and_failures(subject: Subject) -> None:
    tests = (
        Test(name="a", capability="x", kind="minimum", texts=("happy", "table", "box"), any_of=("joy",)),
        Test(name="b", capability="y", kind="invariance", texts=("happy",), change=("upper", "quote")),
        Test(name="c", capability="x", kind="direction", texts=("mad",), changed=("MAD",), up=("anger",)),
    )
    found = run_suites(subject, [Suite(name="s", test=tests)])
    assert {n: (r.cases, r.passed) for n, r in found.by_capability().items()} == {"x": (4, 2), "y": (2, 2)}
    assert found.by_test()["x", "a"].rate == pytest.approx(1 / 3)
    assert found.by_kind()["x"]["direction"].passed == 1
    assert len(found.failures()) == 2
    assert len(found.failures(per_test=1)) == 1
    data = found.to_dict()
    assert data["cases"] == 6
    assert data["passed"] == 4
    assert len(data["failures"]) == 2


def test_capabilities_may_be_chosen(subject: Subject) -> None:
    shipped = read_suite()
    found = run_suites(subject, [shipped], only=["negation"])
    assert set(found.by_capability()) == {"negation"}
    with pytest.raises(SettingError, match="'dancing'"):
        run_suites(subject, [shipped], only=["dancing"])


def test_each_text_is_scored_once(subject: Subject) -> None:
    seen: list[str] = []

    def count(texts: list[str]):
        seen.extend(texts)
        return subject.scores(texts)

    counting = Subject(subject.labels, subject.members, subject.rule, count)
    run(counting, kind="invariance", texts=("a", "b"), change=("upper", "quote"))
    assert sorted(seen) == ['"a"', '"b"', "A", "B", "a", "b"]
