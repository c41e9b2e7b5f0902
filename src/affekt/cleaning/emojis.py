"""Emoji to their English words, in linear time; the names are those of the ``emoji`` package."""

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

MAX_NAME_GROWTH = 42
"""Longest name, in characters per code point of the emoji; a longer one would break the bound and is left alone."""

_STAY_TEXT = "©®™"
_SELECTORS = re.compile("[\ufe00-\ufe0f]")
_ZERO_WIDTH_JOINER = "\u200d"
_TAGS = "\U000e0020-\U000e007f"
_KEYCAP = "\u20e3"
_MAYBE = re.compile("[\u203c-\U0010ffff]").search
"""Finds the first character that may begin an emoji; without one, the table need not be loaded."""
_JOINER = re.compile(f"[{_ZERO_WIDTH_JOINER}{_TAGS}]")
_NAME = ""
"""Key under which a node of the tree keeps the name of the emoji that ends there."""


@dataclass(frozen=True)
class _Table:
    """The emoji as a tree of code points, and the patterns to find them by."""

    tree: dict[str, Any]
    run: re.Pattern[str]
    stray: re.Pattern[str]
    joinable: frozenset[str]


def to_words(text: str) -> str:
    """Replace each emoji by its name, as in `` :red_heart: ``, set off by blanks.

    Variation selectors must be gone. The longest known sequence wins; joiners behind an emoji go; an emoji that is not
    known, such as one newer than the table, stays as it is.
    """
    if _MAYBE(text) is None:
        return text
    table = _table()
    return table.run.sub(lambda run: _spell(run[0], table.tree), text)


def drop_stray_joiners(text: str) -> str:
    """Without zero-width joiners and tags that do not follow an emoji, where they may be hiding anything."""
    return _table().stray.sub("", text) if _JOINER.search(text) else text


def is_stray(character: str, before: str) -> bool:
    """Whether ``character`` is a joiner or tag that does not follow an emoji."""
    if _JOINER.match(character) is None:
        return False
    return not before or (before not in _table().joinable and _JOINER.match(before) is None)


def _spell(run: str, tree: dict[str, Any]) -> str:
    words: list[str] = []
    position = 0
    while position < len(run):
        name, end = _longest(run, position, tree)
        if name:
            while end < len(run) and _JOINER.match(run[end]):
                end += 1
        words.append(f" {name} " if name else run[position])
        position = end if name else position + 1
    return "".join(words)


def _longest(run: str, start: int, tree: dict[str, Any]) -> tuple[str, int]:
    """Name and end of the longest emoji that begins at ``start``; no name if none does."""
    name, end = "", start
    node: dict[str, Any] | None = tree
    for position in range(start, len(run)):
        node = node.get(run[position]) if node else None
        if node is None:
            break
        if _NAME in node:
            name, end = node[_NAME], position + 1
    return name, end


@cache
def _table() -> _Table:
    names = _names()
    tree: dict[str, Any] = {}
    for sequence, name in names.items():
        node = tree
        for character in sequence:
            node = node.setdefault(character, {})
        node[_NAME] = name
    characters = {c for sequence in names for c in sequence if not c.isascii()} - set(_ZERO_WIDTH_JOINER)
    joinable = {a for sequence in names for a, b in zip(sequence, sequence[1:], strict=False) if _JOINER.match(b)}
    joinable = {c for c in joinable if c in names}
    members = "".join(sorted(characters)) + _ZERO_WIDTH_JOINER + _TAGS
    left = "".join(sorted(joinable))
    return _Table(
        tree=tree,
        run=re.compile(f"(?:[0-9#*]{_KEYCAP}|[{members}])+"),
        stray=re.compile(f"(?<![{left}{_ZERO_WIDTH_JOINER}{_TAGS}])[{_ZERO_WIDTH_JOINER}{_TAGS}]+"),
        joinable=frozenset(joinable),
    )


def _names() -> dict[str, str]:
    """Emoji without variation selectors -> English name between colons, with straight quotes."""
    from emoji import EMOJI_DATA

    names = {_SELECTORS.sub("", sequence): data["en"].replace("’", "'") for sequence, data in EMOJI_DATA.items()}
    return {
        sequence: name
        for sequence, name in names.items()
        if sequence not in _STAY_TEXT and len(name) <= MAX_NAME_GROWTH * len(sequence)
    }
