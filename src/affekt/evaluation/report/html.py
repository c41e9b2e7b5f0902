"""HTML in the smallest form that cannot forget to escape: text is escaped, :class:`Html` is not."""

from collections.abc import Iterable, Sequence
from html import escape


class Html(str):
    """Markup that is safe to put into a page as it is."""

    __slots__ = ()


Child = str | None | Iterable["Child"]


def join(children: Child) -> Html:
    """Children side by side: text escaped, markup as it is, None left out, sequences flattened."""
    if children is None:
        return Html("")
    if isinstance(children, Html):
        return children
    if isinstance(children, str):
        return Html(escape(children, quote=False))
    return Html("".join(map(join, children)))


def tag(name: str, *children: Child, **attributes: str | None) -> Html:
    """An element; ``class_`` stands for ``class``, underscores for hyphens, and None leaves an attribute out.

    >>> tag("p", "a < b", class_="quiet")
    '<p class="quiet">a &lt; b</p>'
    """
    named = ((key.rstrip("_").replace("_", "-"), value) for key, value in attributes.items() if value is not None)
    opening = "".join(f' {key}="{escape(value)}"' for key, value in named)
    return Html(f"<{name}{opening}>{join(children)}</{name}>")


def table(head: Sequence[Child], rows: Iterable[Sequence[Child]], *, numbers: int = 1, sortable: bool = True) -> Html:
    """A table whose columns from number ``numbers`` on hold figures, aligned to the right.

    Args:
        head: names of the columns.
        rows: cells.
        numbers: the first column of figures.
        sortable: whether a click on a column's name sorts by it.
    """

    def cells(kind: str, row: Sequence[Child]) -> Html:
        return join(tag(kind, cell, class_="n" if index >= numbers else None) for index, cell in enumerate(row))

    body = join(tag("tr", cells("td", row)) for row in rows)
    inner = tag(
        "table", tag("thead", tag("tr", cells("th", head))), tag("tbody", body), class_="sort" if sortable else None
    )
    return tag("div", inner, class_="wide")


def span(value: float, low: float, high: float, digits: int = 3) -> Html:
    """A figure with its interval in small print."""
    if value != value:
        return tag("span", "–", class_="quiet")
    small = tag("small", f"{low:.{digits}f}–{high:.{digits}f}", class_="quiet")
    return join([f"{value:.{digits}f} ", small])


def number(value: float, digits: int = 3) -> str:
    """A figure, or a dash where it is not defined."""
    return "–" if value != value else f"{value:.{digits}f}"
