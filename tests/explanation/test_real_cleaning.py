"""Words of the original text in what the real cleaning makes of it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affekt.cleaning import CleaningOptions, clean
from affekt.explanation.alignment import locate
from affekt.explanation.words import split_words

OPTIONS = CleaningOptions()


def one(text: str) -> str:
    return clean(text, OPTIONS)


def placed(text: str) -> dict[str, str]:
    """Word -> its piece of the cleaned text (of equal words, the last)."""
    words = split_words(text)
    cleaned = one(text)
    return {w.text: cleaned[a:b] for w, (a, b) in zip(words, locate(words, cleaned, one), strict=True)}


@pytest.mark.parametrize(
    ("text", "word", "piece"),
    [
        ("so funny 😂 today", "😂", ":face_with_tears_of_joy:"),
        ("so funny 😂 today", "today", "today"),
        ("haha😂yes", "yes", "yes"),
        ("👩‍👩‍👧‍👦 family", "family", "family"),
        ("go 🇫🇷 go", "🇫🇷", ":France:"),
        ("he said &amp; left", "left", "left"),
        ("“quoted” words", "words", "words"),
        ("white   space\t here", "here", "here"),
        ("well‑meant advice", "advice", "advice"),
        ("it's fine", "it's", "it's"),
    ],
)
def test_words_are_found_again(text: str, word: str, piece: str) -> None:
    assert placed(text)[word].strip() == piece


@pytest.mark.parametrize(
    "text", ["see https://example.com/x?y=1 now", "@somebody hello there", "www.example.org is down"]
)
def test_links_and_mentions_take_their_place_or_vanish(text: str) -> None:
    found = placed(text)
    words = split_words(text)
    assert found[words[-1].text].strip() == words[-1].text
    cleaned = one(text)
    assert sum(len(piece.strip()) for piece in found.values()) >= len(cleaned.replace(" ", "")) - 2


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                "happy",
                "not",
                "😂",
                "❤️",
                "👍🏽",
                "!!!",
                "https://a.b/c",
                "@you",
                "&lt;3",
                "it’s",
                "[NAME]",
                "\u00a0",
                "x",
            ]
        ),
        max_size=12,
    )
)
def test_places_are_in_order_and_do_not_overlap(tokens: list[str]) -> None:
    text = " ".join(tokens)
    words, cleaned = split_words(text), one(text)
    previous = 0
    for start, end in locate(words, cleaned, one):
        assert previous <= start <= end <= len(cleaned)
        previous = end


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=60))
def test_any_text_can_be_placed(text: str) -> None:
    words, cleaned = split_words(text), one(text)
    spans = locate(words, cleaned, one)
    assert len(spans) == len(words)
    covered = sum(len(cleaned[a:b].replace(" ", "")) for a, b in spans)
    assert covered <= len(cleaned.replace(" ", ""))
    if words:
        assert covered == len(cleaned.replace(" ", "")) or not cleaned.isascii() or covered > 0


def test_a_long_text_is_placed_in_linear_time() -> None:
    text = "so happy 😂 today, " * 3000
    words, cleaned = split_words(text), one(text)
    spans = locate(words, cleaned, one)
    assert cleaned[slice(*spans[2])] == ":face_with_tears_of_joy:"
    assert cleaned[slice(*spans[-5])].strip() == "so"
