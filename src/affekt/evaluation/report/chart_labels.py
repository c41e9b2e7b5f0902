"""Pictures with one place per label: F1 with intervals, gains over another model, thresholds."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from affekt.evaluation.match import Match
from affekt.evaluation.report.pictures import BLUE, INK, LINE, ORANGE, QUIET, WIDTH, Picture
from affekt.evaluation.results import Evaluation
from affekt.evaluation.stability import Stability

ROW = 0.3
"""Inches per label."""


def label_f1(found: Evaluation) -> Picture:
    """F1 of every label, best first, with its interval and its number of texts."""
    span = found.best.intervals.labels["f1"]
    order = np.argsort(-span.value, kind="stable")
    support = found.truth.sum(axis=0)

    def draw(figure: Any) -> None:
        axes = rows(figure, [f"{found.labels[i]}  {support[i]:,}" for i in order])
        dots(axes, span.value[order], span.low[order], span.high[order], BLUE)
        axes.axvline(found.macro_f1, color=ORANGE, linestyle="--", linewidth=1.2)
        axes.annotate(
            f"macro-F1 {found.macro_f1:.3f}", (found.macro_f1, 1), (4, 2), xycoords=("data", "axes fraction"),
            textcoords="offset points", color=ORANGE,
        )  # fmt: skip
        axes.set_xlim(0, 1)
        axes.set_xlabel(f"F1, with {found.best.intervals.level:.0%} interval")

    data = [
        {"label": found.labels[i], "texts": support[i], "f1": span.value[i], "low": span.low[i], "high": span.high[i]}
        for i in order
    ]
    return Picture("label_f1", "F1 of every label; the number beside a name is how many texts have it.", draw, data)


def thresholds(found: Evaluation, stability: Stability) -> Picture:
    """The chosen threshold of every label in the range in which the best one falls when texts are drawn again."""
    chosen = np.array(found.rule.thresholds)
    order = np.argsort(-np.nan_to_num(stability.high - stability.low, nan=9.0), kind="stable")[::-1]

    def draw(figure: Any) -> None:
        axes = rows(figure, [found.labels[i] for i in order])
        low, high = stability.low[order], stability.high[order]
        axes.hlines(np.arange(len(order)), low, high, color=BLUE, linewidth=5, alpha=0.45)
        axes.plot(stability.best[order], np.arange(len(order)), "|", color=BLUE, markersize=11, markeredgewidth=2)
        axes.plot(chosen[order], np.arange(len(order)), "o", color="none", markeredgecolor=ORANGE, markeredgewidth=2)
        right = max(0.5, float(np.nanmax([*high, *chosen])) * 1.05)
        axes.set_xlim(0, min(1.0, right))
        axes.set_xlabel("threshold on the calibrated score")
        _key(axes, [("o", ORANGE, "used"), ("|", BLUE, "best on these texts"), ("_", BLUE, "5–95 % of resamples")])

    data = [
        {"label": found.labels[i], "used": chosen[i], "best": stability.best[i], "low": stability.low[i],
         "high": stability.high[i]}
        for i in order
    ]  # fmt: skip
    caption = (
        "Thresholds over bootstrap resamples of the texts, steadiest label first. A long bar means that these texts "
        "hardly say where the threshold should be."
    )
    return Picture("thresholds", caption, draw, data)


def label_gains(match: Match) -> Picture:
    """F1 of the first model minus the second's, label by label, with paired intervals."""
    gains = match.comparison.label_f1
    labels = match.first.labels
    order = np.argsort(-gains.value, kind="stable")
    first, second = match.names

    def draw(figure: Any) -> None:
        axes = rows(figure, [labels[i] for i in order])
        clear = (gains.low[order] > 0) | (gains.high[order] < 0)
        for mask, colour in ((clear, BLUE), (~clear, QUIET)):
            at = np.flatnonzero(mask)
            dots(axes, gains.value[order][at], gains.low[order][at], gains.high[order][at], colour, at)
        axes.axvline(0, color=INK, linewidth=1)
        side = float(np.abs([gains.low, gains.high]).max()) * 1.05 or 1.0
        axes.set_xlim(-side, side)
        axes.set_xlabel("gain in F1")
        ends = ((0, "left", f"← {second} better"), (1, "right", f"{first} better →"))
        for end, align, words in ends:
            axes.text(end, 1.01, words, transform=axes.transAxes, ha=align, va="bottom")

    data = [{"label": labels[i], "gain": gains.value[i], "low": gains.low[i], "high": gains.high[i]} for i in order]
    caption = f"F1 of {first} minus F1 of {second}, with paired intervals; grey where the interval holds 0."
    return Picture("label_gains", caption, draw, data)


def rows(figure: Any, names: Sequence[str]) -> Any:
    """Axes with one row per name from top to bottom and lines to follow."""
    figure.set_size_inches(WIDTH, 1.1 + ROW * len(names))
    axes = figure.subplots()
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.hlines(range(len(names)), 0, 1, transform=axes.get_yaxis_transform(), color=LINE, linewidth=0.6, zorder=0)
    axes.grid(visible=True, axis="x", linewidth=0.6)
    return axes


def dots(axes: Any, value: Any, low: Any, high: Any, colour: str, at: Any = None) -> None:
    """Dots with intervals, one per row."""
    places = np.arange(len(value)) if at is None else at
    axes.hlines(places, low, high, color=colour, linewidth=2.2)
    axes.plot(value, places, "o", color=colour, markersize=6)


def _key(axes: Any, entries: Sequence[tuple[str, str, str]]) -> None:
    """A legend above the axes, so that it covers nothing."""
    from matplotlib.lines import Line2D

    handles = []
    for marker, colour, _ in entries:
        line = marker == "_"
        handles.append(
            Line2D(
                [], [], color=colour if line else "none", linewidth=5, alpha=0.45 if line else 1,
                marker="" if line else marker, markeredgecolor=colour, markerfacecolor="none", markersize=9,
                markeredgewidth=2,
            )
        )  # fmt: skip
    axes.legend(
        handles, [text for *_, text in entries], loc="lower left", bbox_to_anchor=(0, 1), ncols=len(entries),
        borderaxespad=0.2, handletextpad=0.5, columnspacing=1.2,
    )  # fmt: skip
