"""Emoji to their English words, in linear time; the names are those of the ``emoji`` package."""

import re
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

MAX_NAME_GROWTH = 42
"""Longest name, in characters per code point of the emoji; a longer one would break the bound and is left alone."""

_STAY_TEXT = "©®™"
_SELECTORS = re.compile("[\ufe00-\ufe0f]")
_JOINERS = frozenset(map(chr, (0x200D, *range(0xE0020, 0xE0080))))
"""The zero-width joiner, and the tags that spell the flags of England, Scotland and Wales."""
_JOINER_RUN = re.compile("[\u200d\U000e0020-\U000e007f]+")
_CANDIDATES = re.compile(
    "[0-9#*]\u20e3|[\u200d\u203c-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001ffff\U000e0020-\U000e007f]+"
)
"""Where emoji may be. Few and coarse ranges: `re` is slow for sets of many characters."""


@dataclass(frozen=True, slots=True)
class _Node:
    """A place in the tree of emoji: the name of the one that ends here, and the code points that may follow."""

    name: str
    after: "dict[str, _Node]"


@dataclass(frozen=True)
class _Table:
    """The emoji as a tree of code points, and the ones that a joiner may follow."""

    tree: dict[str, _Node]
    joinable: frozenset[str]


def to_words(text: str) -> str:
    """Replace each emoji by its name, as in `` :red_heart: ``, set off by blanks.

    Variation selectors must be gone. The longest known sequence wins; joiners behind an emoji go; an emoji that is not
    known, such as one newer than the table, stays as it is.
    """
    return _CANDIDATES.sub(lambda run: _spell(run[0], _table().tree), text)


def drop_stray_joiners(text: str) -> str:
    """Without zero-width joiners and tags that do not follow an emoji, where they may be hiding anything."""

    def keep(run: re.Match[str]) -> str:
        return run[0] if run.start() and text[run.start() - 1] in _table().joinable else ""

    return _JOINER_RUN.sub(keep, text)


def is_stray(character: str, before: str) -> bool:
    """Whether ``character`` is a joiner or tag that does not follow an emoji."""
    return character in _JOINERS and before not in _JOINERS and before not in _table().joinable


def _spell(run: str, tree: dict[str, _Node]) -> str:
    words: list[str] = []
    position, size = 0, len(run)
    while position < size:
        name, end = _longest(run, position, tree)
        if not name:
            words.append(run[position])
            position += 1
            continue
        words.append(f" {name} ")
        while end < size and run[end] in _JOINERS:
            end += 1
        position = end
    return "".join(words)


def _longest(run: str, start: int, tree: dict[str, _Node]) -> tuple[str, int]:
    """Name and end of the longest emoji that begins at ``start``; no name if none does."""
    name, end = "", start
    for position in range(start, len(run)):
        node = tree.get(run[position])
        if node is None:
            break
        if node.name:
            name, end = node.name, position + 1
        tree = node.after
        if not tree:
            break
    return name, end


@cache
def _table() -> _Table:
    names = _names()
    joinable = {before for sequence in names for before, joiner in pairwise(sequence) if joiner in _JOINERS}
    return _Table(_tree(names), frozenset(joinable & set(names)))


def _tree(names: dict[str, str]) -> dict[str, _Node]:
    tree: dict[str, _Node] = {}
    for sequence in sorted(names, key=len):
        branch = tree
        for character in sequence[:-1]:
            branch = branch.setdefault(character, _Node("", {})).after
        branch[sequence[-1]] = _Node(names[sequence], {})
    return tree


def _names() -> dict[str, str]:
    """Emoji without variation selectors -> English name between colons, with straight quotes."""
    from emoji import EMOJI_DATA

    names = {_SELECTORS.sub("", sequence): data["en"].replace("’", "'") for sequence, data in EMOJI_DATA.items()}
    return {
        sequence: name
        for sequence, name in names.items()
        if sequence not in _STAY_TEXT and len(name) <= MAX_NAME_GROWTH * len(sequence)
    }
