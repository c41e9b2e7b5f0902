"""One page that holds everything it needs: text, tables, figures, styles; it opens from disk and prints."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from affekt.evaluation.report.html import Child, Html, join, tag

_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Section:
    """A part of a page.

    Attributes:
        anchor: its name in the address.
        title: heading.
        body: what it says.
    """

    anchor: str
    title: str
    body: Child


def page(title: str, lead: Child, sections: Sequence[Section], css: str = "") -> str:
    """The whole page.

    Args:
        title: heading and window title.
        lead: what stands before the first section.
        sections: the parts, listed at the top.
        css: further styles.
    """
    styles = (_HERE / "page.css").read_text(encoding="utf-8") + css
    script = (_HERE / "page.js").read_text(encoding="utf-8")
    listed = tag("nav", tag("ul", [tag("li", tag("a", s.title, href=f"#{s.anchor}")) for s in sections]))
    parts = [tag("section", tag("h2", s.title), s.body, id=s.anchor) for s in sections]
    head = [
        Html('<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'),
        tag("title", title),
        tag("style", Html(styles)),
    ]
    body = [tag("header", tag("h1", title), lead), listed, tag("main", parts), tag("script", Html(script))]
    return f"<!doctype html>\n{tag('html', tag('head', head), tag('body', body), lang='en')}\n"


def cards(figures: Sequence[tuple[str, str, Child]]) -> Html:
    """Large figures side by side: name, value, small print."""
    return tag(
        "div",
        [
            tag("div", name, tag("b", value), tag("small", small), class_="figure-card")
            for name, value, small in figures
        ],
        class_="figures",
    )


def paragraphs(*texts: Child) -> Html:
    """One ``<p>`` each."""
    return join(tag("p", text) for text in texts)
