"""Built-in changes to a text that should not matter, or should matter one way; each is a pure function."""

import random
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

Changer = Callable[[str, random.Random], str]

_CONTRACTIONS = {
    "I am": "I'm", "I have": "I've", "I will": "I'll", "it is": "it's", "It is": "It's", "is not": "isn't",
    "are not": "aren't", "was not": "wasn't", "do not": "don't", "did not": "didn't", "cannot": "can't",
    "They are": "They're", "You are": "You're", "we are": "we're", "We are": "We're", "that is": "that's",
}  # fmt: skip


def typo(text: str, generator: random.Random) -> str:
    """Two inner letters of one word of at least five letters change places."""
    places = [match.span() for match in re.finditer(r"[A-Za-z]{5,}", text)]
    if not places:
        return text
    start, end = generator.choice(places)
    at = generator.randrange(start + 1, end - 2)
    return text[:at] + text[at + 1] + text[at] + text[at + 2 :]


def missing_letter(text: str, generator: random.Random) -> str:
    """One inner letter of one word of at least five letters is missing."""
    places = [match.span() for match in re.finditer(r"[A-Za-z]{5,}", text)]
    if not places:
        return text
    start, end = generator.choice(places)
    at = generator.randrange(start + 1, end - 1)
    return text[:at] + text[at + 1 :]


def _contract(text: str) -> str:
    for long, short in _CONTRACTIONS.items():
        text = re.sub(rf"\b{long}\b", short, text)
    return text


def _same(change: Callable[[str], str]) -> Changer:
    return lambda text, _: change(text)


CHANGES: Mapping[str, Changer] = MappingProxyType(
    {
        "typo": typo,
        "missing_letter": missing_letter,
        "upper": _same(str.upper),
        "lower": _same(str.lower),
        "no_stop": _same(lambda text: text.rstrip(".")),
        "exclaim": _same(lambda text: text.rstrip(".!") + "!"),
        "ellipsis": _same(lambda text: text.rstrip(".") + "..."),
        "spaces": _same(lambda text: "  " + text.replace(" ", "  ") + " "),
        "curly": _same(lambda text: text.replace("'", "’")),
        "contract": _same(_contract),
        "quote": _same(lambda text: f'"{text}"'),
        "url": _same(lambda text: f"{text} https://example.com/a/123?b=4"),
        "user": _same(lambda text: f"@somebody {text}"),
        "day": _same(lambda text: f"It is Tuesday. {text}"),
    }
)
"""Name -> change."""
