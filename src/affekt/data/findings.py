"""What reading and checking a table found: one sentence each, with the places it was found at."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from affekt.errors import DataError
from affekt.printable import printable

Severity = Literal["error", "warning", "note"]
Unit = Literal["line", "row"]
"""What places are counted in: lines of a text file, or rows where a file has no lines (Parquet)."""
SHOWN = 5


@dataclass(frozen=True)
class Finding:
    """One kind of trouble (or plain fact) and where it is.

    Attributes:
        code: a stable name for programs, such as ``ragged-rows``.
        severity: ``error`` makes the table unusable as it is; ``warning`` and ``note`` do not.
        message: one sentence.
        hint: the way out; may be empty.
        count: how many rows, labels or groups are concerned.
        lines: where, numbered from 1 in ``unit``, ascending; all of them.
        unit: ``line``, as an editor numbers them, or ``row`` (Parquet).
    """

    code: str
    severity: Severity
    message: str
    hint: str = ""
    count: int = 0
    lines: tuple[int, ...] = ()
    unit: Unit = "line"

    def __post_init__(self) -> None:
        """Messages quote column names, labels and cells, which may hold anything."""
        object.__setattr__(self, "message", printable(self.message))

    def where(self, shown: int = SHOWN) -> str:
        """The first places: "lines 3, 8, 9 and 4 more"; empty when there are none."""
        return places(self.lines, shown, self.unit)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self) | {"lines": list(self.lines)}


def places(lines: Sequence[int], shown: int = SHOWN, unit: Unit = "line") -> str:
    """As in "lines 3, 8, 9 and 4 more"; empty for no lines."""
    if not lines:
        return ""
    first = ", ".join(f"{line}" for line in lines[:shown])
    more = f" and {len(lines) - shown:,} more" if len(lines) > shown else ""
    return f"{unit}{'s' * (len(lines) > 1)} {first}{more}"


def raise_errors(findings: Sequence[Finding], name: str) -> None:
    """Stop at the first finding that makes a table unusable.

    Raises:
        DataError: with that finding's sentence and hint.
    """
    errors = [finding for finding in findings if finding.severity == "error"]
    if errors:
        first = errors[0]
        place = f" ({first.where(3)})" if first.lines else ""
        raise DataError(
            f"'{name}': {first.message.rstrip('.')}{place}.",
            hint=first.hint or "'affekt data check' lists every problem.",
        )
