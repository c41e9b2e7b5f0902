"""Reading the fairness templates: sentences in which only who they are about changes."""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from affekt.evaluation.behaviour.suite import SUITES, read_toml, validated

Person = tuple[str, ...]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Attribute(_Frozen):
    """One way in which people differ.

    Attributes:
        name: shown to people.
        slots: what one entry of a group fills in, in order.
        templates: sentences with these slots and, where it fits, ``{feeling}``.
        groups: group -> its entries, each one word or one word per slot.
        parallel: whether entries of the groups belong together by position (the same meaning, said differently).
    """

    name: str
    slots: tuple[str, ...] = ("person",)
    templates: tuple[str, ...] = Field(min_length=1)
    groups: Mapping[str, tuple[Person, ...]] = Field(min_length=2)
    parallel: bool = False

    @field_validator("groups", mode="before")
    @classmethod
    def _one_word_is_one_slot(cls, groups: Any) -> Any:
        if not isinstance(groups, Mapping):
            return groups
        return {name: [(e,) if isinstance(e, str) else e for e in entries] for name, entries in groups.items()}

    @model_validator(mode="after")
    def _fits(self) -> "Attribute":
        if any(len(entry) != len(self.slots) for entries in self.groups.values() for entry in entries):
            raise ValueError(f"every entry of a group needs {len(self.slots)} words, one per slot")
        if not all(self.groups.values()):
            raise ValueError("a group has no entries")
        if self.parallel and len({len(entries) for entries in self.groups.values()}) > 1:
            raise ValueError("parallel groups need the same number of entries")
        return self


class Identity(_Frozen):
    """Words for people, and the plainest sentences to see what they do by being there.

    Attributes:
        frames: sentences with ``{word}``.
        reference: words that say little about anybody, for comparison.
        words: kind -> words.
    """

    frames: tuple[str, ...] = Field(min_length=1)
    reference: tuple[str, ...] = Field(min_length=1)
    words: Mapping[str, tuple[str, ...]] = Field(min_length=1)


class FairnessSuite(_Frozen):
    """A file of fairness templates.

    Attributes:
        name: shown to people.
        feelings: what ``{feeling}`` becomes.
        attribute: the ways in which people differ.
        identity: identity words alone.
    """

    name: str
    feelings: tuple[str, ...] = ()
    attribute: tuple[Attribute, ...] = Field(min_length=1)
    identity: Identity | None = None

    @model_validator(mode="after")
    def _has_feelings(self) -> "FairnessSuite":
        if not self.feelings and any("{feeling}" in text for item in self.attribute for text in item.templates):
            raise ValueError("templates use {feeling}, but there are no feelings")
        return self


def read_fairness_suite(path: Path | None = None) -> FairnessSuite:
    """The templates of a file; those that ship by default.

    Raises:
        DataError: naming the file, the entry and what is wrong with it.
    """
    path = path or SUITES / "fairness.toml"
    raw = read_toml(path)
    raw.setdefault("name", path.stem)
    return validated(FairnessSuite, raw, path)


@dataclass(frozen=True)
class Unit:
    """Sentences that differ in nothing but the group.

    Attributes:
        place: the template with its feeling filled in.
        texts: group -> its sentences (one per entry).
    """

    place: str
    texts: Mapping[str, tuple[str, ...]]


def units(attribute: Attribute, feelings: tuple[str, ...]) -> Iterator[Unit]:
    """Every template with every feeling (and, for parallel groups, every position)."""
    for template in attribute.templates:
        for feeling in feelings if "{feeling}" in template else ("",):
            place = template.replace("{feeling}", feeling)
            if not attribute.parallel:
                yield Unit(place, _filled(place, attribute, attribute.groups))
                continue
            for position in range(len(next(iter(attribute.groups.values())))):
                entries = {group: (people[position],) for group, people in attribute.groups.items()}
                filled = _filled(place, attribute, entries)
                yield Unit(next(iter(itertools.chain.from_iterable(filled.values()))), filled)


def _filled(place: str, attribute: Attribute, groups: Mapping[str, tuple[Person, ...]]) -> dict[str, tuple[str, ...]]:
    return {group: tuple(_fill(place, attribute.slots, entry) for entry in people) for group, people in groups.items()}


def _fill(place: str, slots: tuple[str, ...], entry: Person) -> str:
    for slot, word in zip(slots, entry, strict=True):
        place = place.replace(f"{{{slot}}}", word)
    return place[:1].upper() + place[1:]
