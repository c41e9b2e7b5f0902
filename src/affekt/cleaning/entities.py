"""HTML entities, decoded until none is left, in one pass over the text."""

import re
from collections.abc import Mapping
from functools import cache, lru_cache

from affekt.cleaning import emojis

_EDGES = re.compile("([&;])")
_NUMBER = re.compile(r"#(?:([0-9]{1,7})|[xX]([0-9a-fA-F]{1,6}))")
_LONGEST = 36


def decode(text: str, table: Mapping[int, str], *, joiners: bool) -> str:
    """The text with every ``&name;``, ``&#10;`` and ``&#xA;`` decoded, also those that decoding brings about.

    ``&amp;amp;lt;`` becomes ``<``, because a second cleaning would find ``&lt;`` otherwise. The semicolon is required.
    Entities of surrogate pairs, as broken exports write them, become their character.

    Args:
        text: any text.
        table: what single characters become, applied to each decoded one.
        joiners: drop decoded joiners that do not follow an emoji.
    """
    out: list[str] = []
    starts: list[int] = []
    for piece in _EDGES.split(text):
        if piece == "&":
            starts.append(len(out))
            out.append(piece)
        elif piece == ";":
            _close(out, starts, table, joiners=joiners)
        else:
            out.extend(piece)
    return "".join(out)


def _close(out: list[str], starts: list[int], table: Mapping[int, str], *, joiners: bool) -> None:
    """Take in a semicolon, and go on as long as what it decodes to is a semicolon that ends another entity."""
    while starts and len(out) - starts[-1] < _LONGEST:
        value = _value("".join(out[starts[-1] + 1 :]))
        if value is None:
            break
        del out[starts.pop() :]
        value = value.translate(table)
        if value != ";":
            _push(out, starts, value, table, joiners=joiners)
            return
    out.append(";")
    starts.clear()


def _push(out: list[str], starts: list[int], value: str, table: Mapping[int, str], *, joiners: bool) -> None:
    for character in value:
        if joiners and emojis.is_stray(character, out[-1] if out else ""):
            continue
        if "\udc00" <= character <= "\udfff" and out and "\ud800" <= out[-1] <= "\udbff":
            pair = 0x10000 + ((ord(out.pop()) & 0x3FF) << 10) + (ord(character) & 0x3FF)
            _push(out, starts, chr(pair).translate(table), table, joiners=joiners)
            continue
        if character == "&":
            starts.append(len(out))
        out.append(character)


@lru_cache(maxsize=1024)
def _value(name: str) -> str | None:
    """What ``&name;`` stands for, or None if there is no such entity."""
    number = _NUMBER.fullmatch(name)
    if number is None:
        return _names().get(f"{name};")
    code = int(number[1]) if number[1] else int(number[2], 16)
    return chr(code) if 0 < code < 0x110000 else "\ufffd"


@cache
def _names() -> dict[str, str]:
    from html.entities import html5

    return html5
