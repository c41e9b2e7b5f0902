"""From templates to cases."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from affekt.errors import DataError
from affekt.evaluation.behaviour import Suite, read_suite
from affekt.evaluation.behaviour.changes import CHANGES
from affekt.evaluation.behaviour.expand import _shares, cases_of, fill, slots
from affekt.evaluation.behaviour.suite import Test

WORDS = {"happy": ("happy", "glad"), "name": ("Ann", "Bob", "Cy")}


def suite(**settings: object) -> Suite:
    values = {"name": "t", "capability": "c", "kind": "minimum", "texts": ("I am {happy}.",), "any_of": ("joy",)}
    return Suite(name="s", words=WORDS, test=(Test(**{**values, **settings}),))


def texts(made: Suite, seed: int = 0) -> list[str]:
    return [case.text for case in cases_of(made.test[0], made, seed)]


def test_every_way_to_fill_in_the_words() -> None:
    assert sorted(texts(suite())) == ["I am glad.", "I am happy."]


def test_the_same_word_list_twice_gives_different_words() -> None:
    found = texts(suite(texts=("{name} met {name#2}.",)))
    assert len(found) == 6
    assert all(text[0] != text.split()[2][0] for text in found)


def test_the_same_slot_twice_gives_the_same_word() -> None:
    assert sorted(texts(suite(texts=("{name} and {name}",)))) == ["Ann and Ann", "Bob and Bob", "Cy and Cy"]


def test_at_most_max_and_every_template_gets_its_share() -> None:
    found = texts(suite(texts=("plain", "{name} is {happy}", "{name#2} was {happy}"), max=5))
    assert len(found) == 5
    assert "plain" in found
    assert sum("is" in text for text in found) == 2


def test_the_same_seed_gives_the_same_cases() -> None:
    made = suite(texts=("{name} is {happy}",), max=3)
    assert texts(made, 1) == texts(made, 1)
    assert {tuple(texts(made, seed)) for seed in range(8)} != {tuple(texts(made, 0))}


def test_both_sides_of_a_change_are_filled_alike() -> None:
    made = suite(kind="invariance", any_of=(), texts=("{name} is {happy}.",), changed=("{name} is {happy}!",))
    for case in cases_of(made.test[0], made):
        assert case.changed == case.text.replace(".", "!")


def test_one_text_against_many() -> None:
    made = suite(kind="direction", any_of=(), texts=("a",), changed=("b", "c"), up=("joy",))
    assert [(c.text, c.changed) for c in cases_of(made.test[0], made)] == [("a", "b"), ("a", "c")]


def test_a_change_that_changes_nothing_makes_no_case() -> None:
    made = suite(kind="invariance", any_of=(), texts=("ok", "OK now"), change=("upper",))
    assert [(c.text, c.changed) for c in cases_of(made.test[0], made)] == [("ok", "OK"), ("OK now", "OK NOW")]
    assert not list(cases_of(suite(kind="invariance", any_of=(), texts=("OK",), change=("upper",)).test[0], made))


def test_unknown_words_are_named() -> None:
    with pytest.raises(DataError, match=r"'t' fills in \{hat\}"):
        texts(suite(texts=("a {hat}",)))


def test_fill_and_slots() -> None:
    assert slots(["{Name} met {name#2} and {name}", "{happy}"]) == ["name", "name#2", "happy"]
    assert fill("{Happy}, {name#2}!", {"happy": "so glad", "name#2": "Bob"}) == "So glad, Bob!"


@given(st.integers(0, 60), st.lists(st.integers(0, 20), min_size=1, max_size=6))
def test_shares_use_up_what_there_is(total: int, ways: list[int]) -> None:
    found = _shares(total, ways)
    assert sum(found) == min(total, sum(ways))
    assert all(share <= way for share, way in zip(found, ways, strict=True))


@pytest.mark.parametrize("name", list(CHANGES))
@given(text=st.text(max_size=40), seed=st.integers(0, 99))
def test_changes_are_pure_and_never_fail(name: str, text: str, seed: int) -> None:
    first = CHANGES[name](text, random.Random(seed))
    assert first == CHANGES[name](text, random.Random(seed))


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("upper", "So it is", "SO IT IS"),
        ("no_stop", "Fine.", "Fine"),
        ("exclaim", "Fine.", "Fine!"),
        ("curly", "I'm", "I’m"),
        ("contract", "I am sure it is not", "I'm sure it's not"),
        ("quote", "yes", '"yes"'),
        ("user", "hi", "@somebody hi"),
        ("ellipsis", "ok.", "ok..."),
    ],
)
def test_changes_by_hand(name: str, before: str, after: str) -> None:
    assert CHANGES[name](before, random.Random(0)) == after


def test_typos_keep_the_ends_of_words() -> None:
    for seed in range(50):
        swapped = CHANGES["typo"]("wonderful day", random.Random(seed))
        assert sorted(swapped) == sorted("wonderful day")
        assert (swapped[0], swapped[8:]) == ("w", "l day")
        shorter = CHANGES["missing_letter"]("wonderful day", random.Random(seed))
        assert len(shorter) == len("wonderful day") - 1
        assert shorter[0] == "w"
        assert shorter.endswith("l day")


def test_the_shipped_suite_makes_enough_cases() -> None:
    shipped = read_suite()
    made = [case for test in shipped.test for case in cases_of(test, shipped)]
    assert len(made) >= 1500
    assert not [case for case in made if "{" in case.text or "{" in (case.changed or "")]
    per_test = {case.test.name for case in made}
    assert per_test == {test.name for test in shipped.test}
    assert len({(case.test.name, case.text, case.changed) for case in made}) == len(made)
