"""Reading a suite of behavioural tests (Ribeiro et al. 2020, CheckList) from a TOML file that people write."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from affekt.errors import DataError
from affekt.evaluation.behaviour.changes import CHANGES

SUITES = Path(__file__).parent / "suites"
"""Where the suites that ship with affekt are."""

Model = TypeVar("Model", bound=BaseModel)
Kind = Literal["minimum", "invariance", "direction"]


def _known_change(name: str) -> str:
    if name not in CHANGES:
        raise ValueError(f"there is no change '{name}'; known: {', '.join(CHANGES)}")
    return name


Templates = tuple[str, ...]
Change = Annotated[str, AfterValidator(_known_change)]


class Test(BaseModel):
    """One expectation and the templates that it is checked on.

    Attributes:
        name: what it checks.
        capability: the row of the table that it counts for.
        kind: ``minimum`` (the answer itself), ``invariance`` (a change must not matter), ``direction`` (a change must
            move a score one way).
        texts: templates; ``{word}`` is filled from the suite's word lists.
        changed: for invariance and direction, the templates after the change: one per text, or any number for one text.
        change: instead of ``changed``, names of built-in changes, each applied to every text.
        any_of: minimum: at least one of these labels or groups is decided.
        all_of: minimum: of each of these labels or groups, something is decided.
        none_of: minimum: nothing of these labels or groups is decided.
        up: direction: the highest score among these labels or groups rises by ``margin`` or more.
        down: direction: it falls by ``margin`` or more.
        margin: in scores; negative allows a move the wrong way of that size.
        tolerance: invariance: a decision that flips is forgiven if its score moved less than this.
        max: cases to make at most; a fixed sample is drawn when there would be more.
    """

    __test__ = False  # not a test class of pytest
    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    capability: str
    kind: Kind
    texts: Templates = Field(min_length=1)
    changed: Templates = ()
    change: tuple[Change, ...] = ()
    any_of: tuple[str, ...] = ()
    all_of: tuple[str, ...] = ()
    none_of: tuple[str, ...] = ()
    up: tuple[str, ...] = ()
    down: tuple[str, ...] = ()
    margin: float = Field(default=0.0, ge=-1, le=1)
    tolerance: float = Field(default=0.1, ge=0, le=1)
    max: int = Field(default=60, ge=1)

    @model_validator(mode="after")
    def _fits_its_kind(self) -> "Test":
        minimum = bool(self.any_of or self.all_of or self.none_of)
        direction = bool(self.up or self.down)
        if minimum != (self.kind == "minimum"):
            raise ValueError("any_of, all_of and none_of belong to kind 'minimum', which needs one of them")
        if direction != (self.kind == "direction"):
            raise ValueError("up and down belong to kind 'direction', which needs one of them")
        if (self.kind == "minimum") == bool(self.changed or self.change):
            raise ValueError("kinds 'invariance' and 'direction' need 'changed' or 'change', kind 'minimum' neither")
        if self.changed and self.change:
            raise ValueError("give 'changed' or 'change', not both")
        if self.changed and len(self.texts) not in (1, len(self.changed)):
            raise ValueError("'changed' needs one entry per text, or a single text")
        return self

    def pairs(self) -> tuple[tuple[str, str | None], ...]:
        """Every text with what it is compared with; None for kind ``minimum``."""
        if self.kind == "minimum":
            return tuple((text, None) for text in self.texts)
        if self.changed:
            texts = self.texts * len(self.changed) if len(self.texts) == 1 else self.texts
            return tuple(zip(texts, self.changed, strict=True))
        return tuple((text, text) for text in self.texts)


class Suite(BaseModel):
    """A file of tests.

    Attributes:
        name: shown to people.
        words: what ``{word}`` in a template may become.
        groups: names for sets of labels; GoEmotions' names, which also stand for the labels of smaller sets.
        test: the tests.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    words: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    groups: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    test: tuple[Test, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _names_are_unique(self) -> "Suite":
        names = [test.name for test in self.test]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two tests are called '{twice[0]}'")
        return self

    def labels_of(self, names: tuple[str, ...]) -> frozenset[str]:
        """Labels behind a list of labels and groups."""
        return frozenset(label for name in names for label in self.groups.get(name, (name,)))


def read_suite(path: Path | None = None, *, base: Suite | None = None) -> Suite:
    """The suite of a file; the one that ships by default.

    Args:
        path: a TOML file.
        base: a suite whose words and groups the file may use as its own.

    Raises:
        DataError: naming the file, the test and what is wrong with it.
    """
    path = path or SUITES / "english.toml"
    raw = read_toml(path)
    raw.setdefault("name", path.stem)
    if base is not None:
        raw["words"] = {**base.words, **raw.get("words", {})}
        raw["groups"] = {**base.groups, **raw.get("groups", {})}
    return validated(Suite, raw, path)


def read_toml(path: Path) -> dict[str, Any]:
    """The tables of a TOML file.

    Raises:
        DataError: if it cannot be read.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise DataError(f"'{path}' cannot be read: {error}.", hint="See docs/behaviour.md for the format.") from error


def validated(model: type[Model], raw: Mapping[str, Any], path: Path) -> Model:
    """The file's tables as ``model``.

    Raises:
        DataError: naming the entry and what is wrong with it.
    """
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        place = _place(raw, first["loc"])
        message = first["msg"].removeprefix("Value error, ")
        raise DataError(f"'{path}', {place}: {message}.", hint="See docs/behaviour.md for the format.") from error


def _place(raw: Mapping[str, Any], location: tuple[int | str, ...]) -> str:
    """Where in the file, as people would say it: test 'negation', any_of."""
    parts: list[str] = []
    here: Any = raw
    for step in location:
        try:
            here = here[step]
        except (KeyError, IndexError, TypeError):
            here = None
        if isinstance(step, int):
            name = here.get("name") if isinstance(here, Mapping) else None
            parts[-1:] = [f"{parts[-1] if parts else 'entry'} {name!r}" if name else f"{parts[-1]} {step + 1}"]
        else:
            parts.append(step)
    return ", ".join(parts) or "the file"
