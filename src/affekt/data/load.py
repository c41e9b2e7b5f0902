"""From a file to a Dataset (first version: the GoEmotions layout)."""

import csv
from pathlib import Path

import numpy as np

from affekt.data.dataset import Dataset


def load_dataset(
    path: str | Path,
    *,
    text: str | None = None,  # noqa: ARG001
    labels: str | list[str] | None = None,  # noqa: ARG001
    layout: str = "auto",  # noqa: ARG001
    label_names: str | Path | list[str] | None = None,  # noqa: ARG001
    unlabelled: str = "keep",  # noqa: ARG001
) -> Dataset:
    """Read ``text<TAB>ids<TAB>comment id`` with ``labels.txt`` beside it."""
    path = Path(path)
    names = (path.parent / "labels.txt").read_text(encoding="utf-8").split()
    with open(path, encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, delimiter="\t"))
    targets = np.zeros((len(rows), len(names)), dtype=np.float32)
    for number, row in enumerate(rows):
        targets[number, [int(i) for i in row[1].split(",")]] = 1
    return Dataset(tuple(r[0] for r in rows), tuple(names), targets, tuple(r[2] for r in rows), path.stem)
