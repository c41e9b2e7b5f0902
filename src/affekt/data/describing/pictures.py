"""Pictures of a dataset's statistics (extra ``report``): readable at 28 labels, safe for colour-blind eyes."""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from affekt.data.describing.stats import Statistics
from affekt.errors import MissingExtraError
from affekt.files import atomic_file

BLUE = "#0072B2"
"""Of Okabe and Ito's colour-blind safe set."""

MOST_BARS = 100
MOST_CELLS = 40
_DPI = 150
_LONGEST = 30
Picture = Callable[[Statistics, Any], None]


def draw(statistics: Statistics, folder: Path) -> list[Path]:
    """Write ``counts``, ``per_text``, ``together`` and ``lengths`` as PNG files into ``folder``; return their paths.

    Raises:
        MissingExtraError: if matplotlib is not installed.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingExtraError("Drawing pictures", "report") from None
    paths = []
    for name, picture in _pictures(statistics).items():
        figure = Figure(layout="constrained", dpi=_DPI)
        FigureCanvasAgg(figure)
        picture(statistics, figure)
        path = folder / f"{name}.png"
        with atomic_file(path) as temporary, warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Glyph")
            figure.savefig(temporary, format="png")
        paths.append(path)
    return paths


def _pictures(statistics: Statistics) -> dict[str, Picture]:
    if not statistics.labels:
        return {"lengths": _lengths}
    return {"counts": _counts, "per_text": _per_text, "together": _together, "lengths": _lengths}


def _counts(statistics: Statistics, figure: Any) -> None:
    """Texts per label, most frequent first; a linear axis, so that imbalance looks as it is."""
    order = np.argsort(-statistics.counts, kind="stable")[:MOST_BARS]
    figure.set_size_inches(8, 1.4 + 0.27 * len(order))
    axes = figure.subplots()
    bars = axes.barh(range(len(order)), statistics.counts[order], color=BLUE, tick_label=_plain(statistics, order))
    texts = [f"{statistics.counts[i]:,} ({_percent(float(statistics.shares[i]))})" for i in order]
    axes.bar_label(bars, texts, padding=4, fontsize=8)
    axes.set_xlim(0, max(1, int(statistics.counts.max())) * 1.18)
    axes.set_ylim(len(order) - 0.4, -0.6)
    axes.xaxis.set_major_formatter(_thousands)
    axes.set_xlabel(f"texts with the label, of {statistics.texts:,}")
    _finish(axes, statistics, "texts per label" + _of_all(len(order), len(statistics.labels)))


def _per_text(statistics: Statistics, figure: Any) -> None:
    numbers, texts = list(statistics.per_text), list(statistics.per_text.values())
    figure.set_size_inches(max(5.0, 2 + 0.75 * len(numbers)), 4)
    axes = figure.subplots()
    bars = axes.bar([str(number) for number in numbers], texts, color=BLUE)
    axes.bar_label(bars, [f"{n:,}\n{_percent(n / statistics.texts)}" for n in texts], fontsize=8, padding=2)
    axes.margins(y=0.15)
    axes.yaxis.set_major_formatter(_thousands)
    axes.set_xlabel("labels per text")
    axes.set_ylabel("texts")
    _finish(axes, statistics, f"{statistics.cardinality:.2f} labels per text")


def _together(statistics: Statistics, figure: Any) -> None:
    """Of the texts with the row's label, the share that also has the column's."""
    order = np.sort(np.argsort(-statistics.counts, kind="stable")[:MOST_CELLS])
    names = _plain(statistics, order)
    side = 2.4 + 0.33 * len(order) + 0.08 * max(map(len, names))
    figure.set_size_inches(side + 0.9, side)
    axes = figure.subplots()
    share = statistics.together[np.ix_(order, order)] / np.maximum(statistics.counts[order, None], 1)
    shown = np.where(np.eye(len(order), dtype=bool), np.nan, share)
    top = max(float(np.nan_to_num(shown).max()), 0.01)
    image = axes.imshow(shown, cmap=_blues(), vmin=0, vmax=top)
    axes.set_xticks(range(len(order)), names, rotation=90)
    axes.set_yticks(range(len(order)), names)
    axes.set_xlabel("… also have this label (%)")
    axes.set_ylabel("Of the texts with this label …")
    for row, column in zip(*np.nonzero(np.nan_to_num(shown) >= 0.005), strict=True):
        colour = "white" if shown[row, column] > 0.6 * top else "black"
        text = f"{100 * shown[row, column]:.0f}"
        axes.text(column, row, text, ha="center", va="center", fontsize=7, color=colour)
    figure.colorbar(image, ax=axes, shrink=0.7, format=lambda value, _: f"{value:.0%}")
    _finish(axes, statistics, "labels together" + _of_all(len(order), len(statistics.labels)))


def _blues() -> Any:
    import matplotlib as mpl

    return mpl.colormaps["Blues"].with_extremes(bad="#bbbbbb")


def _lengths(statistics: Statistics, figure: Any) -> None:
    figure.set_size_inches(7, 4)
    axes = figure.subplots()
    percentiles = statistics.percentiles()
    right = max(percentiles[99] * 1.25, 4)
    beyond = int((statistics.lengths > right).sum())
    width = max(1, round(right / 50))
    axes.hist(statistics.lengths, bins=np.arange(0, right + width, width) - 0.5, color=BLUE)
    for percent, style in ((50, "-"), (95, "--"), (99, ":")):
        label = f"{percent} % of texts: up to {percentiles[percent]}"
        axes.axvline(percentiles[percent], color="black", linestyle=style, linewidth=1.3, label=label)
    axes.legend(loc="upper right", framealpha=1)
    axes.set_xlim(-0.5, right)
    axes.yaxis.set_major_formatter(_thousands)
    axes.set_xlabel(
        f"{statistics.unit} per text"
        + (f" ({beyond:,} texts are longer, up to {percentiles[100]:,})" if beyond else "")
    )
    axes.set_ylabel("texts")
    _finish(axes, statistics, f"{statistics.lengths.mean():.1f} {statistics.unit} per text")


def _plain(statistics: Statistics, order: Any) -> list[str]:
    """Label names as they are (a dollar sign is no formula), long ones cut."""
    return [_cut(statistics.labels[i]) for i in order]


def _cut(name: str) -> str:
    return (name if len(name) <= _LONGEST else name[: _LONGEST - 1] + "…").replace("$", r"\$")


def _percent(share: float) -> str:
    return "<0.1%" if 0 < share < 0.001 else f"{share:.1%}"


def _thousands(value: float, _: int) -> str:
    return f"{value:,.0f}" if value == round(value) else ""


def _of_all(shown: int, labels: int) -> str:
    return f" (the {shown} most frequent of {labels} labels)" if shown < labels else ""


def _finish(axes: Any, statistics: Statistics, title: str) -> None:
    axes.figure.suptitle(f"{_cut(statistics.name)}: {title}", fontsize=11)
    axes.spines[["top", "right"]].set_visible(False)
