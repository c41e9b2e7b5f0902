"""Reading suites: what people write, and what they are told when it is wrong."""

from pathlib import Path

import pytest

from affekt.errors import DataError
from affekt.evaluation.behaviour import read_suite
from affekt.evaluation.behaviour.suite import Suite

GOOD = """
[words]
happy = ["happy", "glad"]
[groups]
joyful = ["joy", "excitement"]
[[test]]
name = "plain"
capability = "vocabulary"
kind = "minimum"
texts = ["I am {happy}."]
any_of = ["joyful"]
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_becomes_a_suite(tmp_path: Path) -> None:
    suite = read_suite(write(tmp_path, GOOD))
    assert suite.name == "mine"
    assert suite.test[0].max == 60
    assert suite.labels_of(("joyful", "love")) == {"joy", "excitement", "love"}


def test_a_file_may_use_the_words_and_groups_of_another(tmp_path: Path) -> None:
    text = '[[test]]\nname="a"\ncapability="b"\nkind="minimum"\ntexts=["I am {sad}."]\nany_of=["sorrow"]\n'
    suite = read_suite(write(tmp_path, text), base=read_suite())
    assert "sad" in suite.words
    assert "grief" in suite.labels_of(("sorrow",))


def broken(**changes: str) -> str:
    lines = {
        "name": '"plain"',
        "capability": '"c"',
        "kind": '"minimum"',
        "texts": '["x"]',
        "any_of": '["joy"]',
    } | changes
    return "[[test]]\n" + "\n".join(f"{key} = {value}" for key, value in lines.items() if value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("not toml", "cannot be read"),
        (broken(kind='"wish"'), "test 'plain', kind"),
        (broken(any_of=""), "need"),
        (broken(kind='"invariance"', any_of="", changed=""), "need 'changed' or 'change'"),
        (broken(kind='"invariance"', any_of="", change='["shout"]'), "there is no change 'shout'"),
        (broken(kind='"invariance"', any_of="", change='["upper"]', changed='["y"]'), "not both"),
        (broken(kind='"invariance"', any_of="", texts='["a", "b"]', changed='["y"]'), "one entry per text"),
        (broken(kind='"direction"', any_of="", changed='["y"]'), "up and down"),
        (broken(kind='"direction"', any_of="", changed='["y"]', up='["joy"]', margin="2"), "margin"),
        (broken(texts="[]"), "texts"),
        (broken(max="0"), "max"),
        (broken(typo='"x"'), "typo"),
        (broken() + "\n" + broken(), "two tests are called 'plain'"),
        ("name = 'x'", "test"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(DataError) as caught:
        read_suite(write(tmp_path, text))
    assert told in str(caught.value)
    assert "mine.toml" in str(caught.value)
    assert "docs/behaviour.md" in caught.value.hint


def test_a_missing_file_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        read_suite(tmp_path / "nothing.toml")


@pytest.fixture(scope="module")
def shipped() -> Suite:
    return read_suite()


def test_the_shipped_suite_covers_what_it_should(shipped: Suite) -> None:
    assert {test.capability for test in shipped.test} >= {
        "vocabulary", "negation", "intensifiers", "mixed emotions", "whose emotion", "tense", "questions", "emoji",
        "slang", "typos", "capitals and punctuation", "links and names",
    }  # fmt: skip
    assert {test.kind for test in shipped.test} == {"minimum", "invariance", "direction"}


def test_the_shipped_suite_names_only_known_labels(shipped: Suite) -> None:
    from affekt.taxonomy import GOEMOTIONS

    for test in shipped.test:
        for names in (test.any_of, test.all_of, test.none_of, test.up, test.down):
            assert shipped.labels_of(names) <= set(GOEMOTIONS), test.name
