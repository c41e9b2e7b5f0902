"""Single characters: which ones go, which ones become plain, and canonical composition in linear time."""

import re
import unicodedata
from functools import lru_cache

_QUOTES = {"'": "‘’‚‛＇", '"': "“”„‟＂"}
_SELECTORS = range(0xFE00, 0xFE10)
_INVISIBLE = (
    0xAD, 0x34F, 0x61C, 0x180E, *range(0x200B, 0x200D), 0x200E, 0x200F, *range(0x202A, 0x202F),
    *range(0x2060, 0x2070), 0xFEFF, *range(0xFFF9, 0xFFFC), 0xE0001, *range(0xE0100, 0xE01F0),
)  # fmt: skip
_BLANKS = (*range(0x1C, 0x20), 0x115F, 0x1160, 0x2800, 0x3164, 0xFFA0)
_STYLED = (range(0xFB00, 0xFB07), range(0xFF01, 0xFF5F), range(0x1D400, 0x1D800))
_ASCII_TWINS = {0x37E: ";", 0x1FEF: "`", 0x212A: "K"}

MAX_MARKS = 8
"""Combining marks kept in a row: more than any written language needs, fewer than "zalgo" text stacks."""

_LONG_RUN = re.compile(r"[^\w\s!-~]{65,}")
_RUN = re.compile(rf"[^\w\s!-~]{{{MAX_MARKS + 1},}}")


@lru_cache(maxsize=16)
def table(*, control: bool, quotes: bool, letters: bool, selectors: bool) -> dict[int, str]:
    """For :meth:`str.translate`: what single characters become.

    Args:
        control: control and invisible characters go; C1 controls are read as the Windows-1252 that they usually are.
        quotes: curly quotes become straight ones.
        letters: full-width, mathematical and ligature letters become plain ones.
        selectors: variation selectors go, so that an emoji is spelled in one way only.
    """
    result: dict[int, str] = {}
    if letters:
        result |= _ASCII_TWINS
        result |= {c: plain for r in _STYLED for c in r if (plain := unicodedata.normalize("NFKC", chr(c))) != chr(c)}
    if control:
        result |= _control()
    if selectors:
        result |= dict.fromkeys(_SELECTORS, "")
    if quotes:
        result |= {ord(curly): plain for plain, group in _QUOTES.items() for curly in group}
        result |= {c: result[ord(s)] for c, s in result.items() if len(s) == 1 and ord(s) in result}
    return result


def _control() -> dict[int, str]:
    result = {c: "" for c in (*range(0x20), *range(0x7F, 0xA0)) if not chr(c).isspace()}
    for c in range(0x80, 0xA0):
        meant = bytes([c]).decode("cp1252", "ignore")
        if meant:
            result[c] = meant
    return result | dict.fromkeys(_INVISIBLE, "") | dict.fromkeys(_BLANKS, " ")


def compose(text: str) -> str:
    """Normalization form C, with at most :data:`MAX_MARKS` combining marks in a row.

    :func:`unicodedata.normalize` is quadratic in the length of a run of marks, so very long runs are cut before it.
    """
    if unicodedata.is_normalized("NFC", text) and _RUN.search(text) is None:
        return text
    text = unicodedata.normalize("NFC", _LONG_RUN.sub(lambda run: _cut_marks(run[0], 64), text))
    return _RUN.sub(lambda run: _cut_marks(run[0], MAX_MARKS), text)


def _cut_marks(run: str, most: int) -> str:
    kept: list[str] = []
    marks = 0
    for character in run:
        marks = marks + 1 if unicodedata.combining(character) else 0
        if marks <= most:
            kept.append(character)
    return "".join(kept)
