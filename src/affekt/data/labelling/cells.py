"""What one cell says: a text, a 0/1 flag or score, or a set of labels."""

import json
import math
import re
from collections.abc import Hashable, Sequence
from typing import Any

from affekt.data.reading.rawtext import readable

SEPARATORS = ",;|"
"""What may join labels in a cell."""

MISSING = frozenset({"", "nan", "na", "n/a", "null", "none", "<na>"})
FLAG_WORDS = {"true": 1.0, "false": 0.0, "yes": 1.0, "no": 0.0}
_BRACKETS = {"[": "]", "(": ")", "{": "}"}
_QUOTED = re.compile(r"""'([^']*)'|"([^"]*)\"""")
_QUOTES = "'\"‘’“” \t"


def is_blank(value: Any) -> bool:
    """Whether a cell holds nothing: None, NaN, or white space."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return True
    return isinstance(value, str) and not value.strip()


def as_text(value: Any) -> str:
    """A cell as a text; numbers and lists as JSON, nothing as the empty string."""
    if isinstance(value, str):
        return readable(value)
    if is_blank(value):
        return ""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return readable(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str))


def as_flag(value: Any) -> float | None:
    """A 0/1 cell: its value in [0, 1], NaN for a missing one, None for what is neither."""
    if value is None:
        return math.nan
    if isinstance(value, bool | int | float):
        return _in_unit(value)
    if not isinstance(value, str):
        return None
    word = value.strip().lower()
    if word in MISSING:
        return math.nan
    if word in FLAG_WORDS:
        return FLAG_WORDS[word]
    try:
        return _in_unit(float(word))
    except ValueError:
        return None


def _in_unit(value: float) -> float | None:
    return float(value) if 0 <= value <= 1 or value != value else None


def cell_keys(values: Sequence[Any]) -> Sequence[Hashable]:
    """Cells as something that equal cells share and a dictionary takes: themselves, or their spelling."""
    if any(isinstance(value, list | dict) for value in values):
        return [repr(value) if isinstance(value, list | dict) else value for value in values]
    return values


def as_labels(value: Any, separators: str) -> tuple[str, ...] | None:
    """The labels (names, or ids as digits) that a cell lists, in its order, repeats kept; None if it is no list.

    Args:
        value: a list, a number, or a string: a JSON or Python list, or labels joined by any of ``separators``.
        separators: characters that join labels.
    """
    if is_blank(value):
        return ()
    if isinstance(value, list | tuple):
        return _tokens(list(value))
    if not isinstance(value, str):
        return _tokens([value])
    text = readable(value).strip()
    if text[0] in _BRACKETS and text[-1] == _BRACKETS[text[0]]:
        return _bracketed(text, separators)
    return _split(text, separators)


def _bracketed(text: str, separators: str) -> tuple[str, ...] | None:
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError):
        inner = text[1:-1]
        quoted = _QUOTED.findall(inner)
        if quoted and not any(separator in inner for separator in separators):
            return _tokens([first or second for first, second in quoted])
        return _split(inner, separators)
    return _tokens(parsed) if isinstance(parsed, list) else None


def _split(text: str, separators: str) -> tuple[str, ...]:
    if not any(separator in text for separator in separators) and re.fullmatch(r"[\d\s]*", text):
        return tuple(text.split())
    parts = re.split(f"[{re.escape(separators)}]", text) if separators else [text]
    stripped = (part.strip(_QUOTES) for part in parts)
    return tuple(_as_id(part) for part in stripped if part)


def _tokens(values: list[Any]) -> tuple[str, ...] | None:
    tokens = []
    for value in values:
        if isinstance(value, bool | list | dict | bytes):
            return None
        if not is_blank(value):
            tokens.append(_as_id(as_text(value).strip()))
    return tuple(tokens)


def _as_id(token: str) -> str:
    return token[:-2] if token.endswith(".0") and token[:-2].isdigit() else token


def is_id(token: str) -> bool:
    """Whether a label is given by number."""
    return token.isascii() and token.isdigit()
