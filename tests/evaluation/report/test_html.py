"""HTML that cannot forget to escape."""

from hypothesis import given
from hypothesis import strategies as st

from affekt.evaluation.report.html import Html, join, number, span, table, tag
from affekt.evaluation.report.page import Section, cards, page, paragraphs


def test_text_is_escaped_and_markup_is_not() -> None:
    assert tag("p", "a < b & c") == "<p>a &lt; b &amp; c</p>"
    assert tag("p", tag("b", "x"), Html("<i>y</i>"), None, ["z", ("<", ">")]) == "<p><b>x</b><i>y</i>z&lt;&gt;</p>"


def test_attributes_are_escaped_and_none_is_left_out() -> None:
    assert tag("a", "x", href='q?"<&', class_="k", aria_label="l", id=None) == (
        '<a href="q?&quot;&lt;&amp;" class="k" aria-label="l">x</a>'
    )


@given(st.text())
def test_no_text_opens_a_tag(text: str) -> None:
    assert "<" not in join([text, [text]])
    assert tag("p", text).count("<") == 2


def test_tables_put_figures_to_the_right() -> None:
    found = table(["name", "n"], [["a", "1"], ["b", "2"]])
    assert found.count('class="n"') == 3
    assert '<table class="sort">' in found
    assert 'class="sort"' not in table(["x"], [], sortable=False)


def test_figures_that_are_not_defined_are_dashes() -> None:
    assert number(float("nan")) == "–"
    assert number(0.12345, 2) == "0.12"
    assert "–" in span(float("nan"), 0, 1)
    assert span(0.5, 0.25, 0.75, 2) == '0.50 <small class="quiet">0.25–0.75</small>'


def test_a_page_holds_all_it_needs() -> None:
    made = page("A & B", paragraphs("lead"), [Section("one", "One", cards([("n", "1", "small")]))], ".x { color: red }")
    assert made.startswith("<!doctype html>")
    assert "<title>A &amp; B</title>" in made
    assert 'href="#one"' in made
    assert 'id="one"' in made
    assert ".x { color: red }" in made
    assert "src=" not in made
    assert "http" not in made
