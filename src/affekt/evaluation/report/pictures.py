"""Pictures, drawn once: SVG inside the page, in the reader's colours, and PNG and JSON beside it (extra ``report``)."""

import io
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from affekt.errors import MissingExtraError
from affekt.evaluation.report.html import Html, join, tag
from affekt.files import atomic_file

INK, QUIET, LINE, PAPER = "#1a1b1c", "#5f6266", "#d5d7da", "#ffffff"
BLUE, ORANGE = "#0072b2", "#d55e00"
"""Of Okabe and Ito's colour-blind safe set."""
_VARIABLES = {INK: "--ink", QUIET: "--quiet", LINE: "--line", PAPER: "--paper", BLUE: "--blue", ORANGE: "--orange"}
"""Colours that the page's styles replace, so that the figures follow it from light to dark."""
WIDTH = 9.0
"""Inches of a full-width figure; with 12-point letters it can be read at half its size."""
_DPI = 150

_STYLE: dict[Any, Any] = {
    "font.size": 12, "axes.titlesize": 12, "axes.labelsize": 12, "xtick.labelsize": 11, "ytick.labelsize": 11,
    "text.color": INK, "axes.labelcolor": INK, "axes.titlecolor": INK, "xtick.color": QUIET, "ytick.color": INK,
    "axes.edgecolor": LINE, "grid.color": LINE, "axes.spines.top": False, "axes.spines.right": False,
    "figure.facecolor": PAPER, "axes.facecolor": "none", "legend.frameon": False, "svg.fonttype": "none",
    "axes.axisbelow": True, "text.parse_math": False, "axes.unicode_minus": False,
}  # fmt: skip


@dataclass(frozen=True)
class Picture:
    """A figure, its words and its numbers.

    Attributes:
        name: of its files.
        caption: one or two sentences below it: what is shown and how to read it.
        draw: puts it on an empty matplotlib figure.
        data: the numbers behind it, ready for JSON.
    """

    name: str
    caption: str
    draw: Callable[[Any], None]
    data: Any


def render(picture: Picture, folder: Path) -> Html:
    """Write ``name.png`` and ``name.json`` into a folder, and give the figure for the page.

    Raises:
        MissingExtraError: if matplotlib is not installed.
    """
    try:
        import matplotlib as mpl
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError("Drawing reports", "report") from error
    with mpl.rc_context({**_STYLE, "svg.hashsalt": picture.name}):
        figure = Figure(figsize=(WIDTH, 4.0), layout="constrained")
        FigureCanvasAgg(figure)
        picture.draw(figure)
        figure.draw_without_rendering()
        figure.set_layout_engine("none")
        with atomic_file(folder / f"{picture.name}.png") as temporary:
            figure.savefig(temporary, format="png", dpi=_DPI, metadata={"Software": None})
        vector = io.StringIO()
        figure.savefig(vector, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    with atomic_file(folder / f"{picture.name}.json") as temporary:
        temporary.write_text(json.dumps(plain(picture.data), ensure_ascii=False), encoding="utf-8")
    alternative = f"{picture.caption} The numbers are in {picture.name}.json."
    inside = tag("div", Html(themed(vector.getvalue(), picture.name)), role="img", aria_label=alternative)
    return tag("figure", join([inside, tag("figcaption", picture.caption)]), id=f"figure-{picture.name}")


def themed(svg: str, name: str) -> str:
    """An SVG document as an element of a page: its colours as variables, its names unlike those of other figures."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'<svg [^>]*?viewBox="([^"]*)"[^>]*>', r'<svg viewBox="\1" aria-hidden="true">', svg, count=1)
    svg = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{name}-", svg)
    for colour, variable in _VARIABLES.items():
        svg = svg.replace(colour, f"var({variable})")
    return re.sub(r"font: (?:\w+ )*?([\d.]+px) [^;\"]*", r"font-size: \1", svg)


def plain(value: Any) -> Any:
    """Arrays as lists, NaN as None, numbers rounded to six places."""
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float | np.floating):
        return None if value != value else round(float(value), 6)
    return value.item() if isinstance(value, np.generic) else value
