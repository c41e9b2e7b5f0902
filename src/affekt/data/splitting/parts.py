"""Writing parts of a table to files of its own format: the rows as they stand in it."""

import shutil
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from affekt.data.duplicates import IntArray
from affekt.data.load import Loaded
from affekt.errors import DataError


def part_path(table: Path, part: str, folder: Path) -> Path:
    """Where a part goes: ``comments.csv.gz`` and ``dev`` give ``comments.dev.csv.gz`` in ``folder``."""
    suffixes = table.suffixes[-2:] if table.suffix.lower() == ".gz" else table.suffixes[-1:]
    ending = "".join(suffixes)
    return folder / f"{table.name.removesuffix(ending)}.{part}{ending}"


def write_parts(loaded: Loaded, parts: Mapping[str, IntArray], folder: Path, *, force: bool = False) -> list[Path]:
    """Write each part's rows, in the order of the table; rows that belong to no text are left out.

    A file of label names that the table needs is copied along.

    Args:
        loaded: the table and its dataset.
        parts: name -> indices into the dataset.
        folder: where to write; made if missing.
        force: replace files that exist.

    Returns:
        The parts' paths, in order.

    Raises:
        DataError: if a file exists and ``force`` is not given, or cannot be written.
    """
    source = loaded.table.path
    paths = [part_path(source, part, folder) for part in parts]
    existing = [path for path in paths if path.exists()]
    if existing and not force:
        raise DataError(
            f"'{existing[0]}' exists already.", hint="Write elsewhere with --out, or replace it with --force."
        )
    try:
        for path, texts in zip(paths, parts.values(), strict=True):
            inside = np.zeros(len(loaded.dataset) + 1, dtype=bool)
            inside[texts] = True
            loaded.table.source.write(np.flatnonzero(inside[loaded.text_of]).tolist(), path)
        _copy_names(loaded, folder)
    except OSError as error:
        raise DataError(f"'{folder}' cannot be written to: {error.strerror or error}.") from None
    return paths


def _copy_names(loaded: Loaded, folder: Path) -> None:
    names = loaded.layout.names.file if loaded.layout.names else None
    if names is None or names.resolve().parent != loaded.table.path.resolve().parent:
        return
    if not (folder / names.name).exists():
        shutil.copyfile(names, folder / names.name)
