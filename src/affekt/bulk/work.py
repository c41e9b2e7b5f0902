"""A job, resolved: what is read, which of it goes out, and where to; known before the first row is read."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from affekt.bulk.fingerprint import fingerprint
from affekt.bulk.options import JobOptions
from affekt.bulk.reading.formats import KNOWN, Format, expand, format_named, format_of, state_beside
from affekt.bulk.reading.inputs import Input, open_input
from affekt.bulk.reading.selection import Selection
from affekt.bulk.scoring import Scorer
from affekt.bulk.writing.columns import added_names
from affekt.errors import SettingError


@dataclass(frozen=True)
class Target:
    """Where the output goes.

    Attributes:
        out: the file, or the folder of shards.
        folder: whether it is a folder.
        format: of the file, or of each shard.
    """

    out: Path
    folder: bool
    format: Format

    @property
    def state(self) -> Path:
        """The folder that holds everything about the job but its output."""
        return self.out / "_affekt" if self.folder else state_beside(self.out)

    @property
    def parts(self) -> Path:
        """The folder of the shards."""
        return self.out if self.folder else self.state / "parts"

    @classmethod
    def of(cls, out: Path, given: str | None, read: Format) -> "Target":
        """What ``out`` means: a file if its name says a format, otherwise a folder.

        Args:
            out: the output.
            given: the format that was asked for.
            read: the input's format, which a folder's shards have by default.

        Raises:
            SettingError: if the name and the format that was asked for differ, or the format is not known.
        """
        named = None if out.is_dir() else format_of(out)
        asked = format_named(given) if given else None
        if named and out.suffix == ".json":
            raise SettingError(f"'{out}' would hold one object per line.", hint="Name it .jsonl.")
        if named is None and not out.is_dir() and out.suffix:
            raise SettingError(
                f"The name of '{out}' does not say a format.", hint=f"Known: {KNOWN}; a name without a dot is a folder."
            )
        if named and asked and named != asked:
            raise SettingError(f"'{out}' is not the name of a {asked.suffix} file.", hint="Leave the format out.")
        return cls(out, named is None, named or asked or read)


@dataclass(frozen=True)
class Work:
    """A job, resolved.

    Attributes:
        source: what is read.
        selection: which rows and columns of it go out.
        options: as given.
        target: where the output goes.
        fingerprint: what the job is made of.
    """

    source: Input
    selection: Selection
    options: JobOptions
    target: Target
    fingerprint: dict[str, Any]

    @classmethod
    def plan(cls, inputs: Sequence[str | Path], out: Path, options: JobOptions, scorer: Scorer) -> "Work":
        """Look at the input and resolve what is left open.

        Raises:
            DataError: if the input cannot be read or has no such columns.
            SettingError: if the options do not fit together.
        """
        files = expand(inputs, out)
        target = Target.of(out, options.format, format_of(files[0]) or Format("csv"))
        _check_apart(files, target)
        source = open_input(files, options, keep_lines=target.format.kind == "jsonl")
        selection = Selection.of(source, options, added_names(scorer.labels, options.scores, options.prefix))
        resolved = options.defining() | {
            "text": selection.text,
            "columns": list(selection.columns if selection.chosen is None else selection.chosen),
            "format": target.format.suffix,
            "schema": [f"{field.name}: {field.type}" for field in source.schema],
            "dialect": str(source.dialect) if source.dialect else None,
            "labels": list(scorer.labels),
        }
        return cls(source, selection, options, target, fingerprint(source.files, scorer.identity, resolved))


def _check_apart(files: Sequence[Path], target: Target) -> None:
    """Refuse to write over what is read."""
    out = target.out.resolve()
    for path in files:
        found = path.resolve()
        if found == out or (target.folder and out in found.parents):
            raise SettingError(f"The output '{target.out}' holds the input '{path}'.", hint="Write somewhere else.")
