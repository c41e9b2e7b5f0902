"""Pictures of a data set: how often each label is given, how many per text, which come together, how long texts are."""

from typing import Any

import numpy as np

from affekt.data.describing.stats import Statistics
from affekt.evaluation.report.chart_grids import MOST, grid
from affekt.evaluation.report.chart_labels import rows
from affekt.evaluation.report.pictures import BLUE, INK, ORANGE, WIDTH, Picture

MOST_BARS = 80


def counts(found: Statistics) -> Picture:
    """Texts of each label, most frequent first, on a linear axis, so that imbalance looks as it is."""
    order = found.order()[:MOST_BARS]

    def draw(figure: Any) -> None:
        axes = rows(figure, [found.labels[i] for i in order])
        axes.barh(range(len(order)), found.counts[order], color=BLUE, height=0.62)
        for place, label in enumerate(order):
            words = f"{found.counts[label]:,} ({found.shares[label]:.1%})"
            at = (float(found.counts[label]), place)
            axes.annotate(words, at, (5, 0), textcoords="offset points", va="center", fontsize=10.5)
        axes.set_xlim(0, max(1, int(found.counts.max())) * 1.2)
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        axes.set_xlabel(f"texts with the label, of {found.texts:,}")

    data = [{"label": found.labels[i], "texts": found.counts[i], "share": found.shares[i]} for i in order]
    return Picture("label_counts", "How many texts have each label.", draw, data)


def per_text(found: Statistics) -> Picture:
    """How many texts have no label, one, two and so on."""

    def draw(figure: Any) -> None:
        figure.set_size_inches(WIDTH, 3.6)
        axes = figure.subplots()
        names = [str(number) for number in found.per_text]
        bars = axes.bar(names, list(found.per_text.values()), color=BLUE, width=0.65)
        words = [f"{texts:,}\n{texts / found.texts:.1%}" for texts in found.per_text.values()]
        axes.bar_label(bars, words, fontsize=11, padding=2, color=INK)
        axes.margins(y=0.2)
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        axes.set(xlabel="labels per text", ylabel="texts")

    caption = (
        f"Labels per text: {found.cardinality:.2f} on average, {len(found.combinations):,} different combinations."
    )
    return Picture("labels_per_text", caption, draw, found.per_text)


def together(found: Statistics) -> Picture:
    """Of the texts with one label, the share that also has another."""
    shown = np.sort(np.array(found.order()[:MOST], dtype=np.intp))
    names = [found.labels[i] for i in shown]
    shares = found.together[np.ix_(shown, shown)] / np.maximum(found.counts[shown, None], 1)
    np.fill_diagonal(shares, np.nan)
    top = max(float(np.nan_to_num(shares).max(initial=0.0)), 0.01)
    caption = "Labels together: of the texts with the row's label, how many in 100 also have the column's."
    return Picture("together", caption, lambda f: grid(f, shares, names, "", top), {"labels": names, "share": shares})


def lengths(found: Statistics) -> Picture:
    """How long the texts are, the longest one in a hundred left out of the picture."""
    percentiles = found.percentiles()
    right = max(percentiles[99] * 1.15, 4)
    width = max(1, round(right / 60))
    edges = np.arange(0, right + width, width) - 0.5
    bars = np.histogram(found.lengths, edges)[0]

    def draw(figure: Any) -> None:
        figure.set_size_inches(WIDTH, 3.8)
        axes = figure.subplots()
        axes.bar(edges[:-1], bars, width=width * 0.92, align="edge", color=BLUE)
        for percent, line in ((50, "-"), (95, "--"), (99, ":")):
            label = f"{percent} %: up to {percentiles[percent]}"
            axes.axvline(percentiles[percent], color=ORANGE, linestyle=line, linewidth=1.8, label=label)
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, columnspacing=1.2)
        axes.set_xlim(-0.5, right)
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        axes.set(xlabel=f"{found.unit} per text", ylabel="texts")

    beyond = int((found.lengths > right).sum())
    more = f" {beyond:,} texts are longer than shown, up to {percentiles[100]:,} {found.unit}." if beyond else ""
    caption = f"Lengths in {found.unit}: {found.lengths.mean():.1f} on average.{more}"
    return Picture("lengths", caption, draw, {"edges": edges, "texts": bars, "percentiles": percentiles})
