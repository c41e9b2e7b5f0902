"""Small multiples, one panel per label: precision against recall, and scores against what happened."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from affekt.decision import sigmoid
from affekt.evaluation.metrics import Reliability, precision_recall, reliability
from affekt.evaluation.report.pictures import BLUE, INK, LINE, ORANGE, QUIET, WIDTH, Picture
from affekt.evaluation.results import Evaluation
from affekt.evaluation.significance import wilson

COLUMNS = 4
POINTS = 150
BINS = 10
LOW = 0.05
"""Below this rate, numbers stand to the right of their points, not below them, where the axis is."""
FEW = 10
"""Bins with fewer texts than this are not drawn: their rate is chance."""


def precision_recall_curves(found: Evaluation) -> Picture:
    """One curve per label, with the decisions that the headline counts as a ring."""
    spans = found.best.intervals.labels
    curves = {}
    for column, label in enumerate(found.labels):
        _, precision, recall = precision_recall(found.truth[:, column], found.logits[:, column])
        keep = _thin(recall)
        curves[label] = {
            "recall": recall[keep],
            "precision": precision[keep],
            "average_precision": found.average_precision[column],
            "chosen": [spans["recall"].value[column], spans["precision"].value[column]],
            "rate": float(found.truth[:, column].mean()),
        }

    def draw(figure: Any) -> None:
        for label, axes in panels(figure, found.labels):
            curve = curves[label]
            axes.axhline(curve["rate"], color=QUIET, linewidth=0.8, linestyle=":")
            axes.plot(curve["recall"], curve["precision"], color=BLUE, linewidth=1.8)
            axes.plot(
                *curve["chosen"],
                "o",
                color="none",
                markeredgecolor=ORANGE,
                markeredgewidth=2,
                markersize=8,
                clip_on=False,
            )
            shown = "–" if math.isnan(curve["average_precision"]) else f"{curve['average_precision']:.2f}"
            axes.set_title(f"{label}  {shown}", loc="left", pad=3)
        figure.supxlabel("recall", fontsize=12)
        figure.supylabel("precision", fontsize=12)

    caption = (
        "Precision against recall; the number is the average precision, the ring is where the decisions behind the "
        "headline stand (off the curve where each fold had a threshold of its own), the dotted line is what guessing "
        "gives."
    )
    return Picture("precision_recall", caption, draw, curves)


def reliability_diagrams(found: Evaluation) -> Picture:
    """Mean score against the rate of the label, before and after calibration."""
    before, after = (reliability(found.truth, s, BINS) for s in (sigmoid(found.logits), found.scores))

    def draw(figure: Any) -> None:
        for column, (label, axes) in enumerate(panels(figure, found.labels, top=1.24)):
            axes.plot([0, 1], [0, 1], color=LINE, linewidth=1)
            if found.calibration_matters:
                _reliable(axes, before, column, ORANGE, "x", "--")
            _sure(axes, after, column)
            _reliable(axes, after, column, BLUE, "o", "-")
            axes.set_title(label, loc="left", pad=3)
            first = f"{found.ece_raw[column]:.3f} → " if found.calibration_matters else ""
            axes.text(0.02, 1.08, f"{first}{found.ece[column]:.3f}", color=QUIET, fontsize=10)
        figure.supxlabel("mean score of the bin", fontsize=12)
        figure.supylabel("share that has the label", fontsize=12)

    data = {
        label: {
            name: {"texts": d.texts[:, i], "mean_score": d.mean_score[:, i], "rate": d.rate[:, i]}
            for name, d in (("before", before), ("after", after))
        }
        for i, label in enumerate(found.labels)
    }
    shown, when = (
        ("orange crosses before calibration, blue dots after it", " before and after")
        if found.calibration_matters
        else ("scores as the model gives them", "")
    )
    caption = (
        f"Reliability: {shown}, with 95 % intervals; on the diagonal, a score means what it says. The numbers are the "
        f"expected calibration error{when}. Bins with fewer than {FEW} texts are left out."
    )
    return Picture("reliability", caption, draw, data)


def pooled_reliability(found: Evaluation) -> Picture:
    """The same with all labels thrown together, and how many scores stand behind each point."""
    flat = found.truth.reshape(-1, 1)
    before, after = (reliability(flat, s.reshape(-1, 1), BINS) for s in (sigmoid(found.logits), found.scores))

    def draw(figure: Any) -> None:
        figure.set_size_inches(WIDTH, 5.4)
        axes = figure.subplots()
        axes.plot([0, 1], [0, 1], color=LINE, linewidth=1)
        if found.calibration_matters:
            _reliable(axes, before, 0, ORANGE, "x", "--", label="before calibration")
        _reliable(axes, after, 0, BLUE, "o", "-", label="after calibration" if found.calibration_matters else "scores")
        for score, rate, texts in zip(after.mean_score[:, 0], after.rate[:, 0], after.texts[:, 0], strict=True):
            if texts >= FEW:
                beside = (12, 0) if rate < LOW else (7, -14)
                axes.annotate(
                    f"{texts:,.0f}", (score, rate), beside, textcoords="offset points", color=QUIET, fontsize=10.5
                )
        axes.set(xlim=(0, 1.04), ylim=(0, 1.02), xlabel="mean score of the bin", ylabel="share that has the label")
        axes.legend(loc="upper left")

    data = {
        name: {"texts": d.texts[:, 0], "mean_score": d.mean_score[:, 0], "rate": d.rate[:, 0]}
        for name, d in (("before", before), ("after", after))
    }
    caption = "All labels together; the small numbers count the scores behind each blue point."
    return Picture("reliability_pooled", caption, draw, data)


def _reliable(axes: Any, found: Reliability, column: int, colour: str, marker: str, line: str, label: str = "") -> None:
    enough = found.texts[:, column] >= FEW
    axes.plot(
        found.mean_score[enough, column], found.rate[enough, column], marker=marker, linestyle=line, color=colour,
        linewidth=1.4, markersize=5, markeredgewidth=1.5, label=label,
    )  # fmt: skip


def _sure(axes: Any, found: Reliability, column: int) -> None:
    """Upright lines through the dots: Wilson's interval of the rate."""
    enough = found.texts[:, column] >= FEW
    low, high = wilson(found.rate[enough, column], found.texts[enough, column])
    axes.vlines(found.mean_score[enough, column], low, high, color=BLUE, linewidth=1, alpha=0.5)


def panels(figure: Any, labels: tuple[str, ...], top: float = 1.02) -> Iterator[tuple[str, Any]]:
    """Axes from 0 to 1, one per label, numbers only at the edges; ``top`` is where the upright axis ends."""
    columns = min(COLUMNS, len(labels))
    count = math.ceil(len(labels) / columns)
    figure.set_size_inches(WIDTH, 0.5 + 2.15 * count)
    grid = figure.subplots(count, columns, sharex=True, sharey=True, squeeze=False).ravel()
    for axes in grid[len(labels) :]:
        axes.set_visible(False)
    for number, (label, axes) in enumerate(zip(labels, grid, strict=False)):
        axes.set(xlim=(0, 1), ylim=(0, top), xticks=[0, 0.5, 1], yticks=[0, 0.5, 1])
        axes.set_xticklabels(["0", ".5", "1"])
        axes.set_yticklabels(["0", ".5", "1"])
        axes.tick_params(colors=INK, length=2, labelbottom=number >= len(labels) - columns)
        axes.grid(visible=True, linewidth=0.5)
        yield label, axes


def _thin(recall: Any) -> Any:
    """Indices of at most :data:`POINTS` points of a curve, even over recall, ends included."""
    if len(recall) <= POINTS:
        return np.arange(len(recall))
    wanted = np.linspace(recall[0], recall[-1], POINTS)
    return np.unique(np.clip(np.searchsorted(recall, wanted), 0, len(recall) - 1))
