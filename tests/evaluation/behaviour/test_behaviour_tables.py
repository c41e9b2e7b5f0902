"""Behaviour and fairness as people see them in a terminal."""

import io
from dataclasses import replace

import pytest
from rich.console import Console

from affekt.evaluation.behaviour import Subject, Suite, run_suites
from affekt.evaluation.behaviour.fairness import AttributeResult, Fairness, Gap, IdentityShift
from affekt.evaluation.behaviour.run import Behaviour
from affekt.evaluation.behaviour.suite import Test
from affekt.evaluation.behaviour.tables import behaviour_table, fairness_table


def shown(renderable: object, width: int = 110) -> str:
    stream = io.StringIO()
    Console(file=stream, width=width, highlight=False).print(renderable)
    return stream.getvalue()


@pytest.fixture
def found(subject: Subject) -> Behaviour:
    tests = (
        Test(
            name="[red]plain[/]",
            capability="words",
            kind="minimum",
            texts=("happy", "a [bold]table[/]"),
            any_of=("joy",),
        ),
        Test(name="loud", capability="words", kind="invariance", texts=("happy",), change=("upper",)),
        Test(name="more", capability="force", kind="direction", texts=("happy",), changed=("glad",), up=("joy",)),
        Test(name="absent", capability="force", kind="minimum", texts=("x",), any_of=("awe",)),
    )
    return run_suites(subject, [Suite(name="s", test=tests)])


def test_rates_per_capability_and_kind(found: Behaviour) -> None:
    lines = shown(behaviour_table(found)).splitlines()
    assert lines[0].split() == ["capability", "cases", "passed", "minimum", "invariance", "direction"]
    assert lines[1].split() == ["words", "3", "67%", "50%", "100%"]
    assert lines[2].split() == ["force", "1", "0%", "0%"]
    assert lines[3].split() == ["all", "4", "50%"]


def test_failures_show_texts_as_they_are(found: Behaviour) -> None:
    text = shown(behaviour_table(found))
    assert "[red]plain[/]" in text
    assert "a [bold]table[/]" in text
    assert "1 of 2 passed" in text
    assert "joy did not rise: 0.88 → 0.12" in text
    assert "lacks the emotions: absent" in text


def test_failures_may_be_left_out(found: Behaviour) -> None:
    text = shown(behaviour_table(found, 0))
    assert "Failures" not in text
    assert "words" in text


def gap(emotion: str, mean: float, *, clear: bool, worst: float = 0.2) -> Gap:
    return Gap(
        emotion, "high", "low", mean, (mean - 0.01, mean + 0.01), clear, worst, "high", "low", "{person} is here."
    )


def test_fairness_shows_the_largest_gap_and_whether_it_is_clear() -> None:
    attributes = (
        AttributeResult(
            "names", ("high", "low"), 10, 40, (gap("anger", 0.05, clear=True), gap("joy", 0.01, clear=False)), 0.1
        ),
        AttributeResult("age", ("high", "low"), 10, 40, (gap("fear", 0.02, clear=False, worst=0.3),), 0.0),
    )
    identity = (
        IdentityShift("k", "word", "anger", 0.12, (0.1, 0.2), 0.05, ("anger",)),
        IdentityShift("k", "other", "joy", -0.01, (-0.02, 0.0), 0.05, ()),
    )
    text = shown(fairness_table(Fairness(attributes, identity)), 140)
    rows = {tuple(line.split()[:2]): line for line in text.splitlines() if "[" in line}
    assert "0.050 [0.040, 0.060]" in rows["names", "anger"]
    assert "high, low" in rows["names", "anger"]
    assert " clear " in rows["names", "anger"]
    assert "clear" not in rows["age", "fear"]
    assert "0.300" in rows["age", "fear"]
    assert "names 10%, age 0%" in text
    assert "word: anger +0.120 (usual 0.050)" in text
    assert "other: joy -0.010 (usual 0.050) (no more than a reference word)" in text


def test_fairness_without_identity_words() -> None:
    attributes = (AttributeResult("names", ("a", "b"), 1, 2, (gap("anger", 0.0, clear=False),), 0.0),)
    assert "Identity" not in shown(fairness_table(Fairness(attributes, ())))


def test_fairness_takes_one_line_a_gap() -> None:
    """Names of groups read as words, and nothing wraps."""
    longest = replace(gap("embarrassment", -0.149, clear=True), high="african_american", low="slavic")
    attributes = (AttributeResult("gender of names", ("a", "b"), 1, 2, (longest, longest), 0.0),)
    lines = shown(fairness_table(Fairness(attributes, ())), 100).splitlines()
    assert sum("african american, slavic" in line for line in lines) == 2
