"""Which format and compression a file name means, and which files a path, a folder or a pattern stands for."""

import glob
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from affekt.errors import DataError, SettingError

Kind = Literal["csv", "tsv", "jsonl", "parquet"]
Compression = Literal["", "gz", "zst"]

_KINDS: dict[str, Kind] = {
    ".csv": "csv", ".tsv": "tsv", ".tab": "tsv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl",
    ".parquet": "parquet", ".pq": "parquet",
}  # fmt: skip
_COMPRESSIONS: dict[str, Compression] = {".gz": "gz", ".zst": "zst", ".zstd": "zst"}
_STATE = ".affekt"
KNOWN = "csv, tsv, jsonl (each also .gz or .zst) and parquet"


@dataclass(frozen=True)
class Format:
    """A file format.

    Attributes:
        kind: how rows are laid out.
        compression: around the whole file; empty for none, and always for Parquet, which compresses inside.
    """

    kind: Kind
    compression: Compression = ""

    @property
    def suffix(self) -> str:
        """The ending that says it, ``.csv.gz`` for instance."""
        return f".{self.kind}" + (f".{self.compression}" if self.compression else "")


def format_of(path: Path) -> Format | None:
    """The format that a file's name means, None if it means none."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    compression = _COMPRESSIONS.get(suffixes[-1], "") if suffixes else ""
    rest = suffixes[:-1] if compression else suffixes
    kind = _KINDS.get(rest[-1]) if rest else None
    if kind is None or (kind == "parquet" and compression):
        return None
    return Format(kind, compression)


def format_named(name: str) -> Format:
    """The format called ``name``, such as ``parquet`` or ``csv.gz``.

    Raises:
        SettingError: if there is none.
    """
    found = format_of(Path(f"x.{name}"))
    if found is None:
        raise SettingError(f"There is no format '{name}'.", hint=f"Known: {KNOWN}.")
    return found


def state_beside(out: Path) -> Path:
    """The folder beside an output file that holds everything about the job that writes it."""
    return out.with_name(f"{out.name}{_STATE}")


def expand(inputs: Sequence[str | Path], out: Path | None = None) -> list[Path]:
    """The files that paths, folders and patterns stand for: sorted within each, in the order given, each once.

    Names that begin with a dot or an underscore are left out of folders, as Spark and Hive do, and so is what a job
    keeps beside its output. An output may lie in a folder of inputs: it is no input of the job that writes it.

    Args:
        inputs: what was given.
        out: the output of the job.

    Raises:
        DataError: if one stands for nothing, or for files of several formats.
    """
    files = list(dict.fromkeys(path for given in inputs for path in _apart(_expand_one(str(given)), out)))
    kinds = {_known(path).kind for path in files}
    if len(kinds) > 1:
        raise DataError(
            f"The input holds files of several formats: {', '.join(sorted(kinds))}.", hint="Give one format at a time."
        )
    return files


def _expand_one(given: str) -> list[Path]:
    path = Path(given)
    if path.is_dir():
        found = _visible(path, path.rglob("*"))
        if not found:
            raise DataError(f"The folder '{given}' holds no file to read.", hint=f"Known formats: {KNOWN}.")
        return found
    if path.exists():
        return [path]
    found = sorted(Path(name) for name in glob.glob(given, recursive=True) if Path(name).is_file())  # noqa: PTH207
    if not found:
        raise DataError(f"There is no file '{given}'.", hint="Check the path, and quote patterns for the shell.")
    return found


def _apart(files: list[Path], out: Path | None) -> list[Path]:
    """The files without those that the job wrote itself, unless they are all there is."""
    if out is None or len(files) < 2:
        return files
    own = {out.resolve(), state_beside(out.resolve())}
    return [path for path in files if own.isdisjoint((found := path.resolve(), *found.parents))] or files


def _visible(folder: Path, paths: Iterable[Path]) -> list[Path]:
    return sorted(
        path
        for path in paths
        if path.is_file()
        and format_of(path)
        and not any(part.startswith((".", "_")) or part.endswith(_STATE) for part in path.relative_to(folder).parts)
    )


def _known(path: Path) -> Format:
    found = format_of(path)
    if found is None:
        raise DataError(f"The name of '{path}' does not say its format.", hint=f"Known formats: {KNOWN}.")
    return found
