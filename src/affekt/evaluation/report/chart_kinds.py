"""F1 on different kinds of text: by length, and by how many labels a text has."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from affekt.evaluation.bootstrap import Interval, bootstrap_intervals
from affekt.evaluation.breakdown import length_classes
from affekt.evaluation.report.pictures import BLUE, ORANGE, WIDTH, Picture
from affekt.evaluation.results import Evaluation

METRICS = (("micro_f1", "micro-F1", BLUE, "o"), ("samples_f1", "F1 per text, averaged", ORANGE, "s"))
RESAMPLES = 300
MOST_LABELS = 5
Kinds = Mapping[str, tuple[int, Mapping[str, Interval]]]


def by_kind(found: Evaluation, texts: Sequence[str]) -> Picture:
    """F1 by words per text and by labels per text, with intervals.

    Args:
        found: the evaluation.
        texts: those it was measured on, in the same order.
    """
    words = np.array([len(text.split()) for text in texts])
    count = found.truth.sum(axis=1)
    names = np.array(
        [str(number) if number < MOST_LABELS else f"{MOST_LABELS}+" for number in range(1 + int(count.max()))]
    )
    lengths, numbers = _measured(found, np.array(length_classes(np.maximum(words, 1)))), _measured(found, names[count])
    sides = (("words per text", _ordered(lengths)), ("labels per text", _ordered(numbers)))

    def draw(figure: Any) -> None:
        figure.set_size_inches(WIDTH, 4.6)
        for axes, (name, kinds) in zip(figure.subplots(1, 2, sharey=True), sides, strict=True):
            for offset, (metric, label, colour, marker) in zip((-0.12, 0.12), METRICS, strict=True):
                spans = [span[metric] for _, span in kinds.values()]
                at = np.arange(len(kinds)) + offset
                axes.vlines(at, [s.low for s in spans], [s.high for s in spans], color=colour, linewidth=2.2)
                axes.plot(at, [s.value for s in spans], marker, color=colour, label=label, markersize=7)
            axes.set_xticks(range(len(kinds)), [f"{kind}\n{texts:,}" for kind, (texts, _) in kinds.items()])
            axes.set(xlabel=name, ylim=(0, 1), xlim=(-0.5, len(kinds) - 0.5))
            axes.grid(visible=True, axis="y", linewidth=0.6)
        figure.axes[0].set_ylabel("F1")
        handles, labels = figure.axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=2)

    data = {
        name: [
            {"kind": kind, "texts": texts, **{m: [s[m].value, s[m].low, s[m].high] for m, *_ in METRICS}}
            for kind, (texts, s) in kinds.items()
        ]
        for name, kinds in sides
    }
    caption = "F1 on short and long texts, and on texts with few and many labels; below each kind, its number of texts."
    return Picture("by_kind", caption, draw, data)


def _measured(found: Evaluation, kinds: Any) -> Kinds:
    measured = {}
    for kind in np.unique(kinds):
        rows = kinds == kind
        spans = bootstrap_intervals(found.truth[rows], found.best.decisions[rows], resamples=RESAMPLES).overall
        measured[str(kind)] = (int(rows.sum()), spans)
    return measured


def _ordered(kinds: Kinds) -> Kinds:
    """From small to large: ``1-5`` before ``11-20``."""
    return dict(sorted(kinds.items(), key=lambda item: int(item[0].rstrip("+").split("-")[0])))
