"""The texts that a model got most wrong, with what it saw in them."""

from collections.abc import Callable, Sequence

from affekt.evaluation.breakdown import Mistake, worst_mistakes
from affekt.evaluation.report.html import Child, Html, join, tag
from affekt.evaluation.results import Evaluation
from affekt.explanation import Explanation
from affekt.explanation.render import to_html

Explain = Callable[[str, Sequence[str]], Explanation]
"""A text and the emotions to explain in it."""

SHOWN = 15
EXPLAINED = 2
LONGEST = 600


def mistakes(found: Evaluation, texts: Sequence[str], explain: Explain | None = None, shown: int = SHOWN) -> Html:
    """One block per text: what was missed, what was wrongly decided, and which words made it so.

    Args:
        found: the evaluation.
        texts: those it was measured on.
        explain: explains emotions in a text; without it, no explanations are shown.
        shown: how many texts.
    """
    worst = worst_mistakes(found.truth, found.scores, found.best.decisions, shown)
    return join(_case(mistake, found, texts[mistake.row], explain) for mistake in worst)


def _case(mistake: Mistake, found: Evaluation, text: str, explain: Explain | None) -> Html:
    row = mistake.row
    right = [i for i in range(len(found.labels)) if found.truth[row, i] and i not in mistake.missed]
    short = text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
    tags = [
        *(_tag(found, row, i, "missed") for i in mistake.missed),
        *(_tag(found, row, i, "wrong") for i in mistake.wrong),
        *(_tag(found, row, i, "found") for i in right),
    ]
    why: Child = None
    if explain is not None:
        asked = [found.labels[i] for i in (*mistake.wrong[:1], *mistake.missed[:1])][:EXPLAINED]
        why = tag("details", tag("summary", "Which words made it so"), Html(to_html(explain(short, asked))))
    return tag("div", tag("blockquote", short), tag("p", tags), why, class_="case")


def _tag(found: Evaluation, row: int, column: int, kind: str) -> Html:
    words = {"missed": "missed", "wrong": "wrongly decided", "found": "found"}
    score = f"{found.labels[column]} {found.scores[row, column]:.2f} {words[kind]}"
    return tag("span", score, class_=f"tag {kind}")
