"""URLs, mentions and placeholders: each becomes a blank, so that what stands on either side does not run together.

The text is read once from left to right, in tokens that never look back, and a token that stays ends where its own
characters end. What is removed therefore cannot change what its neighbours are, and a second reading finds nothing new.
"""

import re
from collections.abc import Callable
from functools import lru_cache

_PLACEHOLDER = re.compile(r"\[(?:NAME|RELIGION)\]")
_REST = r"""[^\s<>"\\\[\]{}|^`]*[^\s<>"\\\[\]{}|^`.,!?;:'()*_~…]"""
"""What a URL may go on with; it does not end in punctuation."""
_SCHEME = re.compile(rf"(?:https?|ftp)://{_REST}", re.IGNORECASE)

_LOCAL = r"\w[\w+%-]*+(?:\.[\w+%-]++)*+"
_HOST = r"\w[\w-]*+(?:\.\w[\w-]*+)++"
_TOKEN = rf"""
    (?P<email> {_LOCAL}@{_HOST} )
  | (?P<host> {_HOST} ) (?!@) (?P<rest> (?::[0-9]++)?+ (?:[/?\#](?:{_REST})?)?+ )
  | (?P<word> {_LOCAL}(?:@[\w.+%@-]*+)?+ )
  | (?P<user> @\w++(?:@{_HOST})?+ )
"""
_MENTION = r"(?P<mention> /?[ur]/[\w-]{2,}+ ) |"

_BARE = """
    com org net edu gov mil info biz io co uk de fr eu ca au nz jp ru nl ch cn kr br tv xyz onion
"""
_MORE = """
    ac ae ai am app ar art at audio be bg blog cafe cat cc cl cloud club cz dev dk es fi fm fun gg gl gle gr gs hk
    hr hu id ie il im in is it kz la life link live lt ly me media mobi mx my name news no nu one online page ph pics
    pl pm press pt ro rocks rs sa se sh shop si site sk so social space store st su team tech th tk to top tr tube
    tw ua us video vn wiki win work world ws wtf za zone
"""

BARE = frozenset(_BARE.split())
"""Top-level domains that make ``name.tld`` a URL by itself: none that a sentence may begin with after a lost blank."""

WITH_PATH = BARE | frozenset(_MORE.split())
"""Top-level domains that make a URL of ``name.tld/path`` or ``name.tld:80``."""

_SECOND_LEVEL = frozenset({"ac", "co", "com", "edu", "gov", "net", "org"})
_LEET = re.compile(r"@ss(?:es|hats?|holes?)?", re.IGNORECASE)

_Replace = Callable[[re.Match[str]], str]
_Search = Callable[[str, int], re.Match[str] | None]


@lru_cache(maxsize=16)
def remover(*, urls: bool, users: bool, names: bool, mentions: bool) -> Callable[[str], str]:
    """The function that removes from a text what is asked for.

    Args:
        urls: URLs with a scheme, ``www.`` hosts and bare domains.
        users: ``@name``.
        names: the placeholders ``[NAME]`` and ``[RELIGION]``.
        mentions: ``u/name`` and ``r/sub``.
    """
    pattern = re.compile((_MENTION if mentions else "") + _TOKEN, re.VERBOSE)
    marks = [mark for mark, wanted in ((r"\.\w", urls), ("@", users), ("/", mentions)) if wanted]
    marked = re.compile("|".join(marks)).search if marks else None

    def replace(token: re.Match[str]) -> str:
        kind = token.lastgroup
        gone = (
            (urls and kind == "rest" and is_url(token["host"], token["rest"]))
            or (users and kind == "user" and _LEET.fullmatch(token[0]) is None)
            or kind == "mention"
        )
        return " " if gone else token[0]

    def remove(text: str) -> str:
        if names:
            text = _PLACEHOLDER.sub(" ", text)
        if urls and "://" in text:
            text = _SCHEME.sub(" ", text)
        return text if marked is None else _sub_in_words(text, marked, pattern, replace)

    return remove


def _sub_in_words(text: str, marked: _Search, pattern: re.Pattern[str], replace: _Replace) -> str:
    """``pattern.sub(replace, text)``, for which only the words are read that have a mark of what may go.

    No token reaches over a blank or looks at what is before it, so that each word can be read alone.
    """
    done = 0
    parts: list[str] = []
    while (mark := marked(text, done)) is not None:
        position = mark.start()
        start = text.rfind(" ", done, position) + 1 or done
        stop = text.find(" ", position)
        stop = len(text) if stop < 0 else stop
        parts += (text[done:start], pattern.sub(replace, text[start:stop]))
        done = stop
    return "".join(parts) + text[done:] if parts else text


def is_url(host: str, rest: str) -> bool:
    """Whether a dotted name is a web address and not, say, the end of a sentence whose blank was lost ("ok.But").

    Args:
        host: at least two labels joined by dots.
        rest: port, path and query behind it, may be empty.
    """
    name, _, last = host.rpartition(".")
    if host[:4].lower() == "www.":
        return last[0].isalpha()
    if not last.islower() and not host.isupper():
        return False
    last = last.lower()
    if rest:
        return last in WITH_PATH
    return last in BARE or (last in WITH_PATH and len(last) == 2 and name.lower().rpartition(".")[2] in _SECOND_LEVEL)
