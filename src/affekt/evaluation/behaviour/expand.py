"""From templates to cases: every way to fill in the words, or a fixed sample of the ways."""

import itertools
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from affekt.errors import DataError
from affekt.evaluation.behaviour.changes import CHANGES
from affekt.evaluation.behaviour.suite import Suite, Test

_SLOT = re.compile(r"\{(\w+)(#\d+)?\}")


@dataclass(frozen=True, slots=True)
class Case:
    """One text, or a text and its changed form, with what is expected.

    Attributes:
        test: the test that it belongs to.
        text: before the change.
        changed: after it; None for kind ``minimum``.
    """

    test: Test
    text: str
    changed: str | None = None


def cases_of(test: Test, suite: Suite, seed: int = 0) -> Iterator[Case]:
    """Every case of a test, the same for the same seed.

    Raises:
        DataError: if a template names words that the suite does not have.
    """
    words = suite.words
    generator = random.Random(f"{seed}/{test.name}")  # noqa: S311 - a sample, not a secret
    pairs = [(text, changed, change) for text, changed in test.pairs() for change in (test.change or (None,))]
    quota = _shares(test.max, [_ways((text, changed or ""), words, test.name) for text, changed, _ in pairs])
    for (text, changed, change), count in zip(pairs, quota, strict=True):
        for filling in fillings((text, changed or ""), words, count, generator, test.name):
            before = fill(text, filling)
            after = None if changed is None else fill(changed, filling)
            if change is not None:
                after = CHANGES[change](before, generator)
            if after != before:
                yield Case(test, before, after)


def _shares(total: int, ways: Sequence[int]) -> list[int]:
    """How many cases each template gets: equal shares, and what one cannot use goes to the others."""
    shares = [0] * len(ways)
    left = min(total, sum(ways))
    while left:
        open_ones = [index for index, way in enumerate(ways) if shares[index] < way]
        step = max(1, left // len(open_ones))
        for index in open_ones:
            extra = min(step, ways[index] - shares[index], left)
            shares[index] += extra
            left -= extra
    return shares


def slots(templates: Sequence[str]) -> list[str]:
    """The slots of some templates in order of appearance, each once: ``name``, ``name#2``, ..."""
    found = (match.group(1).lower() + (match.group(2) or "") for text in templates for match in _SLOT.finditer(text))
    return list(dict.fromkeys(found))


def _ways(templates: Sequence[str], words: Mapping[str, tuple[str, ...]], place: str) -> int:
    product = 1
    for slot in slots(templates):
        product *= len(_choices(slot, words, place))
    return product


def _choices(slot: str, words: Mapping[str, tuple[str, ...]], place: str) -> tuple[str, ...]:
    name = slot.partition("#")[0]
    if not words.get(name):
        raise DataError(f"Test '{place}' fills in {{{name}}}, but the suite has no words '{name}'.")
    return words[name]


def fillings(
    templates: Sequence[str], words: Mapping[str, tuple[str, ...]], count: int, generator: random.Random, place: str
) -> Iterator[dict[str, str]]:
    """Different ways to fill in the slots, at most ``count``; slots of the same word list get different words.

    Args:
        templates: texts whose slots are filled together.
        words: word lists.
        count: how many ways.
        generator: what draws the sample.
        place: the test's name, for messages.

    Raises:
        DataError: if a slot has no word list.
    """
    names = slots(templates)
    choices = [_choices(name, words, place) for name in names]
    total = _ways(templates, words, place)
    numbers = range(total) if total <= 4 * count else generator.sample(range(total), 4 * count)
    order = list(numbers)
    generator.shuffle(order)
    found = (_way(number, names, choices) for number in order)
    yield from itertools.islice(filter(_distinct, found), count)


def _way(number: int, names: Sequence[str], choices: Sequence[Sequence[str]]) -> dict[str, str]:
    """One of the ways to fill in the slots, by its number (the digits of a number in mixed bases)."""
    filling = {}
    rest = number
    for name, choice in zip(names, choices, strict=True):
        rest, at = divmod(rest, len(choice))
        filling[name] = choice[at]
    return filling


def _distinct(filling: Mapping[str, str]) -> bool:
    used = [(name.partition("#")[0], word) for name, word in filling.items()]
    return len(set(used)) == len(used)


def fill(template: str, filling: Mapping[str, str]) -> str:
    """The template with its slots filled; ``{Name}`` gives the word of ``{name}`` a capital."""

    def replace(match: re.Match[str]) -> str:
        word = filling[match.group(1).lower() + (match.group(2) or "")]
        return word[:1].upper() + word[1:] if match.group(1)[0].isupper() else word

    return _SLOT.sub(replace, template)
