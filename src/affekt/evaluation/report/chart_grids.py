"""Label-by-label grids: labels together, true and predicted, and labels mistaken for each other."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from affekt.evaluation.breakdown import confusion, cooccurrence
from affekt.evaluation.report.pictures import BLUE, INK, LINE, WIDTH, Picture
from affekt.evaluation.results import Evaluation
from affekt.tuning.arrays import Float

DEEP = 0.8
"""Depth of colour from which on numbers are white."""
MOST = 40
"""Labels that a grid can show; of larger sets, the most frequent are shown."""


def together(found: Evaluation) -> tuple[Picture, Picture]:
    """Of the texts with one label, the share that also has another: true, and as decided."""
    shown = _frequent(found)
    names = [found.labels[i] for i in shown]
    shares = [_shares(cooccurrence(part[:, shown])) for part in (found.truth, found.best.decisions)]
    top = max(float(np.nanmax([np.nan_to_num(s).max() for s in shares])), 0.01)
    words = (("together_true", "as labelled"), ("together_predicted", "as the model decides"))
    first, second = (
        Picture(
            name,
            f"Labels together, {what}: of the texts with the row's label, how many in 100 also have the column's.",
            lambda figure, share=share, what=what: grid(figure, share, names, what, top),  # type: ignore[misc]
            {"labels": names, "share": share},
        )
        for (name, what), share in zip(words, shares, strict=True)
    )
    return first, second


def furthest(found: Evaluation, count: int = 12) -> list[tuple[str, str, float, float]]:
    """Pairs of labels whose share together differs most between the labelling and the decisions, given their number.

    Returns:
        The label, the other label, and of the texts with the first the share that has the other, true and as decided.
    """
    true, decided = (np.nan_to_num(_shares(cooccurrence(part))) for part in (found.truth, found.best.decisions))
    weight = np.sqrt(found.truth.sum(axis=0) * found.best.decisions.any(axis=0))
    apart = np.abs(true - decided) * weight[:, None]
    order = np.argsort(-apart, axis=None, kind="stable")[:count]
    pairs = [divmod(int(place), len(found.labels)) for place in order]
    return [
        (found.labels[a], found.labels[b], float(true[a, b]), float(decided[a, b])) for a, b in pairs if apart[a, b]
    ]


def mistaken(found: Evaluation) -> Picture:
    """Of the texts in which a label was true, the share in which another was wrongly decided instead of it."""
    shown = _frequent(found)
    names = [found.labels[i] for i in shown]
    counts = confusion(found.truth, found.best.decisions)[np.ix_(shown, shown)]
    support = found.truth.sum(axis=0)[shown]
    shares = counts / np.maximum(support[:, None], 1)
    hits = np.diag(shares).copy()
    np.fill_diagonal(shares, np.nan)

    def draw(figure: Any) -> None:
        rows = [f"{name}  {hit:.0%}" for name, hit in zip(names, hits, strict=True)]
        grid(
            figure, shares, names, "missed (row) for (column)", max(float(np.nanmax(shares, initial=0.01)), 0.01), rows
        )

    caption = (
        "Which labels are mistaken for which: of 100 texts with the row's label, in how many it was missed and the "
        "column's was wrongly decided (shared out where several were). Beside each name, how often it was found."
    )
    return Picture("mistaken", caption, draw, {"labels": names, "share": shares, "found": hits, "counts": counts})


def _frequent(found: Evaluation) -> Any:
    """Columns of the labels to show, in their own order."""
    order = np.argsort(-found.truth.sum(axis=0), kind="stable")[:MOST]
    return np.sort(order)


def _shares(counts: Float) -> Float:
    shares: Float = counts / np.maximum(np.diag(counts)[:, None], 1)
    np.fill_diagonal(shares, np.nan)
    return shares


def grid(
    figure: Any, shares: Float, names: Sequence[str], title: str, top: float, rows: Sequence[str] | None = None
) -> None:
    """Shares as squares of one colour, deeper for more, with the number in 100 where it is at least 1.

    Args:
        figure: an empty figure.
        shares: (labels, labels) in [0, 1]; NaN is left blank.
        names: of the columns.
        title: above the grid.
        top: the share that gets the full colour.
        rows: names of the rows, if they differ.
    """
    count = len(names)
    figure.set_size_inches(WIDTH, max(3.2, min(WIDTH, 2.2 + 0.27 * count)))
    axes = figure.subplots()
    colours = np.zeros((count, count, 4))
    colours[..., :3] = [int(BLUE[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    depth = np.clip(np.nan_to_num(shares) / top, 0, 1) ** 0.7
    colours[..., 3] = depth
    axes.imshow(colours, interpolation="nearest", aspect="auto")
    size = 11 if count <= 20 else 10
    axes.set_xticks(range(count), names, rotation=90, fontsize=size + 0.5)
    axes.set_yticks(range(count), rows or names, fontsize=size + 0.5)
    axes.tick_params(length=0, labelcolor=INK)
    axes.set_xticks(np.arange(count + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(count + 1) - 0.5, minor=True)
    axes.grid(visible=True, which="minor", color=LINE, linewidth=0.5)
    axes.tick_params(which="minor", length=0)
    axes.set_title(title, loc="left")
    for row, column in zip(*np.nonzero(np.nan_to_num(shares) >= 0.01), strict=True):
        colour = "#fefefe" if depth[row, column] > DEEP else INK
        text = f"{100 * shares[row, column]:.0f}"
        axes.text(column, row, text, ha="center", va="center", fontsize=size, color=colour)
    for side in axes.spines.values():
        side.set_visible(False)
