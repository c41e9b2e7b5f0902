"""Explanations on a terminal and in HTML, for any text."""

import io
import re
from html import unescape

from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from affekt.explanation.explanation import EmotionExplanation, Explanation, weighted
from affekt.explanation.render import pieces, strength, to_html, to_page, to_terminal
from affekt.explanation.words import split_words

weights = st.floats(-9, 9, allow_nan=False)


@st.composite
def explanations(draw: st.DrawFn) -> Explanation:
    text = draw(st.text(max_size=60))
    words = split_words(text)
    values = draw(st.lists(weights, min_size=len(words), max_size=len(words)))
    emotion = EmotionExplanation("joy", 0.8, 0.5, 0.1, weighted(words, values))
    return Explanation(text, "occlusion", (emotion,))


@settings(max_examples=100, deadline=None)
@given(explanations())
def test_pieces_are_the_text_and_strengths_are_shares(found: Explanation) -> None:
    (emotion,) = found.emotions
    assert "".join(piece for piece, _ in pieces(found.text, emotion)) == found.text
    shares = [strength(word, emotion) for word in emotion.words]
    assert all(-1 <= share <= 1 for share in shares)
    if any(word.weight for word in emotion.words):
        assert max(map(abs, shares)) == 1


@settings(max_examples=100, deadline=None)
@given(explanations())
def test_html_shows_the_text_and_nothing_of_it_runs(found: Explanation) -> None:
    html = to_html(found)
    body = re.search(r'<p class="why-text">(.*)</p>', html, flags=re.DOTALL)
    assert body
    bare = re.sub(r"</?(?:mark|span)[^>]*>", "", body.group(1))
    assert "<" not in bare
    assert unescape(bare) == found.text.replace("\r\n", "\r\n")


@settings(max_examples=100, deadline=None)
@given(explanations())
def test_the_terminal_gets_no_control_characters(found: Explanation) -> None:
    stream = io.StringIO()
    Console(file=stream, force_terminal=False, width=10_000).print(to_terminal(found))
    shown = stream.getvalue()
    assert not [c for c in shown if ord(c) < 32 and c != "\n"]
    assert "\x7f" not in shown
    assert "\u202e" not in shown


def test_square_brackets_are_no_markup() -> None:
    words = split_words("[bold red]x[/]")
    emotion = EmotionExplanation("[joy]", 0.8, 0.5, 0.1, weighted(words, [1.0] * len(words)))
    stream = io.StringIO()
    Console(file=stream, width=100).print(to_terminal(Explanation("[bold red]x[/]", "occlusion", (emotion,))))
    assert "[bold red]x[/]" in stream.getvalue()
    assert "[joy]" in stream.getvalue()


def test_for_and_against_differ_in_more_than_colour() -> None:
    words = split_words("good bad")
    emotion = EmotionExplanation("joy", 0.8, 0.5, 0.1, weighted(words, [1.0, -1.0]))
    page = to_page([Explanation("good bad", "gradients", (emotion,))])
    assert 'class="for"' in page
    assert 'class="against"' in page
    assert "underline" in page
    assert "gradients" in page
    assert "prefers" in page or "color-scheme: light dark" in page
