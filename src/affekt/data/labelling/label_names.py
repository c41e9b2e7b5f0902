"""The names behind label ids: given in place, in a text file, or in JSON."""

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from affekt.data.reading.rawtext import decode, read_bytes
from affekt.errors import DataError

BESIDE = ("labels.txt", "label_names.txt", "emotions.txt", "labels.json", "id2label.json")
"""Files that hold the names when they lie beside a table."""

_NUMBERED = re.compile(r"(\d{1,9})\s*[\t,;:= ]\s*(\S.*)")


@dataclass(frozen=True)
class LabelNames:
    """Label names in order.

    Attributes:
        names: one per label.
        index: id as written in cells -> position in ``names``.
        source: where they came from, in words.
        file: where they came from, if it is a file.
    """

    names: tuple[str, ...]
    index: Mapping[str, int]
    source: str
    file: Path | None = None

    def position(self, token: str) -> int | None:
        """The position of a label given by name or id; None if there is no such label."""
        if token in self._positions:
            return self._positions[token]
        return self.index.get(token.lstrip("0") or "0") if token.isascii() and token.isdigit() else None

    @cached_property
    def _positions(self) -> dict[str, int]:
        return {name: position for position, name in enumerate(self.names)}


def read_label_names(source: str | Path | Sequence[str], first_id: int = 0) -> LabelNames:
    """Names from a sequence, from names joined by commas, or from a file.

    A file has one name per line, or lines such as ``1 anger`` or ``1: anger`` that number the names themselves, or
    JSON: a list of names, or an object from ids to names (also below ``id2label``, as in a Hugging Face
    ``config.json``).

    Args:
        source: the names or the file.
        first_id: the first name's id; only for names that are not numbered themselves.

    Raises:
        DataError: if a name is empty or repeated, or the file cannot be read.
    """
    if not isinstance(source, str | Path):
        return _numbered(list(source), first_id, "the given names")
    path = Path(source)
    if isinstance(source, str) and "," in source and not path.exists():
        return _numbered([name.strip() for name in source.split(",")], first_id, "the given names")
    return replace(_from_text(decode(read_bytes(path), path).text, path, first_id), file=path)


def find_label_names(folder: Path, first_id: int = 0) -> LabelNames | None:
    """The names in a file beside a table, if there is one."""
    for name in BESIDE:
        if (folder / name).is_file():
            return read_label_names(folder / name, first_id)
    return None


def _from_text(text: str, path: Path, first_id: int) -> LabelNames:
    source = f"'{path.name}'"
    if text.lstrip()[:1] in ("[", "{"):
        return _from_json(text, path, first_id)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    matches = [_NUMBERED.fullmatch(line) for line in lines]
    if all(matches):
        return _mapped({match[1]: match[2].strip() for match in matches if match}, source)
    return _numbered(lines, first_id, source)


def _from_json(text: str, path: Path, first_id: int) -> LabelNames:
    source = f"'{path.name}'"
    try:
        value: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"'{path}' is not valid JSON: {error}.") from None
    value = value.get("id2label", value) if isinstance(value, dict) else value
    if isinstance(value, list) and all(isinstance(name, str) for name in value):
        return _numbered(value, first_id, source)
    if isinstance(value, dict) and all(re.fullmatch(r"\d{1,9}", key) for key in value):
        return _mapped({key: str(name) for key, name in value.items()}, source)
    raise DataError(f"'{path}' holds no label names.", hint='Use ["anger", "joy"] or {"0": "anger", "1": "joy"}.')


def _mapped(names: dict[str, str], source: str) -> LabelNames:
    ordered = sorted(names.items(), key=lambda item: int(item[0]))
    index = {str(int(key)): position for position, (key, _) in enumerate(ordered)}
    return _checked(tuple(name for _, name in ordered), index, source)


def _numbered(names: list[str], first_id: int, source: str) -> LabelNames:
    index = {str(first_id + position): position for position in range(len(names))}
    return _checked(tuple(names), index, source)


def _checked(names: tuple[str, ...], index: dict[str, int], source: str) -> LabelNames:
    repeated = [name for name, times in Counter(names).items() if times > 1]
    if repeated or not names or not all(isinstance(name, str) and name.strip() for name in names):
        what = f"the name '{repeated[0]}' stands twice" if repeated else "a name is empty"
        raise DataError(f"The label names in {source} cannot be used: {what}.")
    return LabelNames(names, index, source)
