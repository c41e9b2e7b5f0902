"""Explanations for people: coloured words in a terminal, a page with hover; blue speaks for, orange against."""

from collections.abc import Iterator
from html import escape
from typing import TYPE_CHECKING

from affekt.explanation.explanation import EmotionExplanation, Explanation, WordWeight
from affekt.printable import printable

if TYPE_CHECKING:
    from rich.console import Group

FOR = (0, 90, 181)
AGAINST = (220, 106, 30)
"""A blue and an orange that people with any colour vision tell apart."""
FAINT = 0.08
"""Words below this share of the strongest weight stay uncoloured."""


def strength(word: WordWeight, emotion: EmotionExplanation) -> float:
    """Weight as a share of the emotion's strongest, in [-1, 1]; 0 if it is too faint to show."""
    top = max((abs(other.weight) for other in emotion.words), default=0.0)
    share = word.weight / top if top > 0 else 0.0
    return share if abs(share) >= FAINT else 0.0


def _against(emotion: EmotionExplanation) -> str:
    below = "below its " if emotion.score < emotion.threshold else ""
    return f"{below}threshold {emotion.threshold:.2f}"


def pieces(text: str, emotion: EmotionExplanation) -> Iterator[tuple[str, WordWeight | None]]:
    """The text from start to end, in words and what lies between them."""
    previous = 0
    for word in emotion.words:
        if word.start > previous:
            yield text[previous : word.start], None
        yield text[word.start : word.end], word
        previous = word.end
    if previous < len(text):
        yield text[previous:], None


def to_terminal(explanation: Explanation) -> "Group":
    """A rich renderable: per emotion its score, the coloured text and the strongest words with their weights."""
    from rich.console import Group
    from rich.text import Text

    parts = []
    if not (explanation.decided or explanation.asked):
        parts.append(Text("No emotion was decided; the nearest:", style="italic"))
    for emotion in explanation.emotions:
        head = Text.assemble((emotion.emotion, "bold"), f"  {emotion.score:.2f} ({_against(emotion)})")
        body = Text("  ")
        for piece, word in pieces(explanation.text, emotion):
            body.append(printable(piece), style=_style(strength(word, emotion)) if word else "")
        foot = Text("  ")
        for word in emotion.strongest():
            foot.append(f"{printable(word.text)} {word.weight:+.2f}   ", style="dim")
        parts += [head, body, foot]
    return Group(*parts)


def _style(share: float) -> str:
    if share == 0.0:
        return ""
    red, green, blue = (round(255 + (part - 255) * abs(share)) for part in (FOR if share > 0 else AGAINST))
    ink = "white" if abs(share) > 0.55 else "black"
    return f"{ink} on rgb({red},{green},{blue})"


def to_html(explanation: Explanation) -> str:
    """A fragment of HTML: one block per emotion, each word a ``<mark>`` with its weight on hover."""
    blocks = []
    if not (explanation.decided or explanation.asked):
        blocks.append("<p><em>No emotion was decided; the nearest:</em></p>")
    for emotion in explanation.emotions:
        words = "".join(
            escape(piece) if word is None else _mark(piece, word, strength(word, emotion))
            for piece, word in pieces(explanation.text, emotion)
        )
        blocks.append(
            f'<div class="why"><p class="why-head"><b>{escape(emotion.emotion)}</b> {emotion.score:.2f} '
            f'<span class="quiet">{_against(emotion)}</span></p><p class="why-text">{words}</p></div>'
        )
    return "\n".join(blocks)


def _mark(piece: str, word: WordWeight, share: float) -> str:
    if share == 0.0:
        return f'<span title="{word.weight:+.2f}">{escape(piece)}</span>'
    kind = "for" if share > 0 else "against"
    return f'<mark class="{kind}" style="--w:{abs(share):.2f}" title="{word.weight:+.2f}">{escape(piece)}</mark>'


CSS = f"""
.why mark {{ color: inherit; border-radius: .2em; padding: 0 .1em; }}
.why mark.for {{ background: rgb({FOR[0]} {FOR[1]} {FOR[2]} / calc(var(--w) * .55)); }}
.why mark.against {{ background: rgb({AGAINST[0]} {AGAINST[1]} {AGAINST[2]} / calc(var(--w) * .7));
  text-decoration: underline dotted; text-underline-offset: .2em; }}
.why-head {{ margin: .6em 0 0; }} .why-text {{ margin: .1em 0 .6em; line-height: 1.7; white-space: pre-wrap; }}
"""
"""Styles of the fragment; the print rule keeps the colours."""

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Why these emotions</title><style>
:root {{ color-scheme: light dark; }}
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 44rem; margin: 2rem auto; padding: 0 1rem; }}
mark {{ print-color-adjust: exact; -webkit-print-color-adjust: exact; }}
.quiet {{ opacity: .7; }}
{css}</style></head><body>
<h1>Why these emotions</h1>
<p class="quiet">Blue words speak for the emotion, orange underlined ones against it; hover for the weight in log-odds.
Method: {method}.</p>
{body}
</body></html>
"""


def to_page(explanations: list[Explanation]) -> str:
    """A whole page that needs no network."""
    method = ", ".join(dict.fromkeys(item.method for item in explanations))
    return _PAGE.format(css=CSS, method=escape(method), body="\n<hr>\n".join(map(to_html, explanations)))
