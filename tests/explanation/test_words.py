"""Words of a text as people see them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from affekt.explanation.words import Word, keep, split_words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("I'm not happy.", ["I'm", "not", "happy", "."]),
        ("so-so well‑done", ["so-so", "well", "‑", "done"]),
        ("love it!!! ❤️", ["love", "it", "!!!", "❤️"]),
        ("👩‍👩‍👧‍👦👍🏽", ["👩‍👩‍👧‍👦", "👍🏽"]),
        ("🇫🇷🇩🇪 1️⃣", ["🇫🇷", "🇩🇪", "1️⃣"]),
        ("see https://a.b/c?d=e, ok", ["see", "https://a.b/c?d=e,", "ok"]),
        ("@someone [NAME] &amp; co", ["@someone", "[NAME]", "&amp;", "co"]),
        ("nice :) <3 :-( x", ["nice", ":)", "<3", ":-(", "x"]),
        ("", []),
        (" \n\t ", []),
        ("naïve café", ["naïve", "café"]),
        ("what?!...", ["what", "?!..."]),
    ],
)
def test_words_are_what_people_see(text: str, words: list[str]) -> None:
    assert [word.text for word in split_words(text)] == words


@given(st.text(max_size=80))
def test_offsets_point_into_the_original_and_only_space_lies_between(text: str) -> None:
    previous = 0
    for word in split_words(text):
        assert text[word.start : word.end] == word.text
        assert word.start >= previous
        assert not text[previous : word.start].strip()
        previous = word.end
    assert not text[previous:].strip()


def test_long_emoji_chains_take_linear_time() -> None:
    assert len(split_words("👩‍" * 20_000)) <= 2


def test_keep_leaves_words_out_with_the_space_before_them() -> None:
    text = "I am  not happy!"
    words = split_words(text)
    assert keep(text, words, [True] * 5) == text
    assert keep(text, words, [True, True, False, True, True]) == "I am happy!"
    assert keep(text, words, [False, False, False, True, False]) == "happy"
    assert keep(text, words, [False] * 5) == ""


def test_word_is_a_value() -> None:
    assert Word("a", 0, 1) == Word("a", 0, 1)
