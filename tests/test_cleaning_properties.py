"""Cleaning, by property: what holds for every text and all options."""

import re
import unicodedata
from dataclasses import fields

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from affekt.cleaning import DEFAULT, MAX_GROWTH, CleaningOptions, _cleaner, _is_plain, clean, links
from affekt.cleaning.characters import MAX_MARKS
from affekt.cleaning.emojis import _CANDIDATES, _names

PIECES = (
    "&", ";", "amp", "amp;", "&amp;", "&#", "#38;", "&#38;", "&#59;", "&semi;", "&#x", "26;", "lt;", "&lt;", "&#8205;",
    "&#55357;", "&#56834;", "&#55349;", "&#56536;", "&#894;", "&#769;", "&#65039;", "&#127482;", "\uff06", "\uff1b",
    "http", "https://", "://", ":", "/", "//", "www", "www.", ".", "..", "com", ".com", "x.com", "be", "youtu.be", "/a",
    "@", "@you", "you", "a", "B", "_", "-", "+", "%", "ss", "u/", "r/", "/r/", "sub", "[", "]", "NAME", "[NAME]",
    " ", "  ", "\n", "\t", "\x00", "\x1f", "\x85", "\x92", "\u00a0", "\u200b", "\u200d", "\u2028",
    "\u2800", "\u3164", "<",
    "\ufe0f", "\ufe0e", "\ud83d", "\ude02", "\U000e0067", "\U000e007f", "\u20e3", "1", "#", "*", "!", "?", "'", '"',
    "😂", "❤", "☺", "👨", "👩", "👧", "🏽", "🇺", "🇸", "🏴", "♀", "☠", "🔥", "©", "™", "→", "\U0001fbff", "é", "e",
    "\u0301", "\u0323", "\u0338", "\u0315", "=", "\u1100", "\u1161", "\u11a8", "\u037e", "\u212a", "\ufb03", "𝓘", "ß",
    "’", "“", "…", "\ufffd", ")", "(", "*", "~", "\\",
)  # fmt: skip
OPTIONS = st.builds(CleaningOptions, **{f.name: st.booleans() for f in fields(CleaningOptions)})
ANYTHING = st.text(st.characters(exclude_categories=()), max_size=40)
NASTY = st.lists(st.sampled_from(PIECES) | st.characters(exclude_categories=()), max_size=30).map("".join)
TEXTS = ANYTHING | NASTY


@given(TEXTS, OPTIONS | st.just(DEFAULT))
@example("&am&#8205;p;", DEFAULT)
@example("&#55349;&#56536;", DEFAULT)
@example("\u2192\ufe0f\u0338", DEFAULT)
@example("\U0001f1fa\u200d\U0001f1f8", DEFAULT)
@settings(max_examples=600, deadline=None)
def test_idempotent(text: str, options: CleaningOptions) -> None:
    once = clean(text, options)
    assert clean(once, options) == once


@given(TEXTS, st.builds(dict, **{name: st.booleans() for name in ("urls", "users", "names", "mentions")}))
@settings(max_examples=400, deadline=None)
def test_links_are_the_same_word_by_word_and_in_the_whole_text(text: str, wanted: dict[str, bool]) -> None:
    remove = links.remover(**wanted)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(links, "_sub_in_words", lambda text, _, pattern, replace: pattern.sub(replace, text))
        whole = remove(text)
    assert remove(text) == whole


@given(TEXTS, OPTIONS)
@settings(max_examples=200, deadline=None)
def test_length_is_bounded(text: str, options: CleaningOptions) -> None:
    assert len(clean(text, options)) <= MAX_GROWTH * len(text)


@given(TEXTS, OPTIONS)
@settings(max_examples=200, deadline=None)
def test_result_can_be_encoded(text: str, options: CleaningOptions) -> None:
    clean(text, options).encode("utf-8")


@given(TEXTS)
@settings(max_examples=300, deadline=None)
def test_result_is_tidy(text: str) -> None:
    result = clean(text)
    assert result == " ".join(result.split())
    assert not any(unicodedata.category(c) in {"Cc", "Cs"} for c in result)
    assert not re.search("[\u200b-\u200f\u2060\ufeff\ufe0f]", result)
    assert unicodedata.is_normalized("NFC", result)
    assert "://" not in result or not re.search(r"https?://\w", result)


@given(st.lists(st.sampled_from([p for p in PIECES if p.isascii()]) | st.characters(codec="ascii")).map("".join))
@example("www.123")
@settings(max_examples=300, deadline=None)
def test_the_short_cut_for_plain_text_gives_what_the_long_way_gives(text: str) -> None:
    if _is_plain(text):
        assert clean(text) == _cleaner(DEFAULT)(text)


@given(st.text(st.characters(categories=("L", "N"), max_codepoint=0x24F), min_size=1), st.sampled_from("😂❤☺👍🇺😡"))
@settings(max_examples=100, deadline=None)
def test_words_and_feelings_survive(word: str, emoji: str) -> None:
    result = clean(f"{word} {emoji} {word}").split()
    assert result[0] == result[-1] == unicodedata.normalize("NFC", word)
    assert len(result) == 3


@given(st.integers(0, 200), st.lists(st.sampled_from("\u0300\u0315\u0316\u0338\u0344"), min_size=1, max_size=5))
@settings(max_examples=100, deadline=None)
def test_marks_are_bounded(times: int, marks: list[str]) -> None:
    result = clean("a" + "".join(marks) * times)
    assert sum(map(bool, map(unicodedata.combining, result))) <= MAX_MARKS
    assert clean(result) == result


def test_every_emoji_is_looked_for() -> None:
    assert [sequence for sequence in _names() if _CANDIDATES.fullmatch(sequence) is None] == []


HOSTILE = {
    "joined emoji": "\U0001f602\u200d", "family": "\U0001f468\u200d\U0001f469\u200d",
    "tags": "\U0001f3f4\U000e0067", "joiners": "\u200d", "keycaps": "1\u20e3",
    "half flags": "🇦", "dotted domain": "a.",
    "domains": "a.com.", "hyphens": "a-", "ports": "a.b:8", "slashes": "x.com/!", "less than": "<",
    "ampersands": "&", "empty entities": "&;", "nested entities": "amp;", "entities": "&amp;",
    "surrogate entities": "&#55357;&#56834;", "at": "@", "users": "@a", "addresses": "a@", "fediverse": "@a@b.c",
    "colons": ":", "schemes": "http://", "scheme and marks": "http://!", "hosts": "www.", "mentions": "/u/",
    "blanks": " ", "lines": "\n", "nul": "\x00", "marks": "\u0315\u0300", "surrogates": "\ud83d",
    "crossed surrogates": "\ude02\ud83d", "styled": "𝓘", "brackets": "[", "placeholders": "[NAME]",
    "jamo": "\u1100\u1161",
    "dots": ".", "percent": "a.a@", "unknown": "\u2fff",
}  # fmt: skip


@pytest.mark.parametrize("piece", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("around", [("", ""), ("x", "x"), ("&", ";"), ("http://", " "), ("é", "!")])
def test_long_hostile_texts_end_at_all(piece: str, around: tuple[str, str]) -> None:
    """A quadratic stage would need minutes here; how long it does take is measured in benchmarks/cleaning.py."""
    text = around[0] + piece * (20_000 // len(piece)) + around[1]
    options = CleaningOptions(reddit_names=True, reddit_mentions=True)
    once = clean(text, options)
    assert len(once) <= MAX_GROWTH * len(text)
    assert clean(once, options) == once
