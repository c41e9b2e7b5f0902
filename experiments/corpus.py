"""The texts that the experiments learn from, score and are measured on; made once and kept in the work folder."""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from affekt.data import Dataset, ReadOptions, kfold, load_dataset
from affekt.files import atomic_file
from affekt.taxonomy import TAXONOMIES
from affekt.training.distilling.teachers import FOLDS, fold_numbers
from affekt.training.distilling.unlabelled import Pool, make_pool

DERIVED = 3.0
"""Texts made from each training text, for teachers to label."""

EMOTIONS = "anger anticipation disgust fear joy sadness surprise trust".split()
"""XED's labels, counted from 1."""

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Place:
    """Where things lie.

    Attributes:
        data: GoEmotions' ``train.tsv``, ``dev.tsv`` and ``labels.txt``, and ``aux/`` with XED and BRIGHTER.
        encoders: a folder for each pretrained encoder.
        work: logits, claims and models of the experiments.
    """

    data: Path
    encoders: Path
    work: Path

    def encoder(self, name: str) -> str:
        """The folder of an encoder, made by the experiments or given.

        Raises:
            SystemExit: if it is in none of the places.
        """
        places = (self.work / "encoders" / name, self.work / "models" / name, self.encoders / name)
        for folder in places:
            if folder.is_dir():
                return str(folder)
        raise SystemExit(f"There is no encoder '{name}' in {', '.join(map(str, places))}: an earlier stage makes it.")


@dataclass(frozen=True)
class Corpus:
    """GoEmotions and what is added to it.

    Attributes:
        place: where it comes from.
    """

    place: Place

    @classmethod
    def at(cls, asked: Any) -> "Corpus":
        """The corpus in the folders ``data``, ``encoders`` and ``work`` of a command line."""
        return cls(Place(asked.data, asked.encoders, asked.work))

    @cached_property
    def train(self) -> Dataset:
        """The official training texts."""
        return self._goemotions("train")

    @cached_property
    def dev(self) -> Dataset:
        """The official dev texts."""
        return self._goemotions("dev")

    def _goemotions(self, part: str) -> Dataset:
        names = ReadOptions(label_names=self.place.data / "labels.txt")
        return load_dataset(self.place.data / f"{part}.tsv", options=names)

    @cached_property
    def folds(self) -> list[tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]]:
        """Rows learned and rows left out, five times."""
        numbers = np.array(self._kept("folds", lambda: fold_numbers(kfold(self.train, FOLDS, 0)).tolist()))
        return [(np.flatnonzero(numbers != fold), np.flatnonzero(numbers == fold)) for fold in range(FOLDS)]

    @cached_property
    def pool(self) -> Pool:
        """Texts that only teachers label: made from training texts, and those of XED and BRIGHTER."""
        kept = self._kept("pool", self._make_pool)
        return Pool(tuple(kept["texts"]), np.array(kept["folds"], dtype=np.intp))

    def _make_pool(self) -> dict[str, list[object]]:
        others = self.several.texts[len(self.train) :]
        pool = make_pool(self.train.texts, fold_numbers(self.folds), derived=DERIVED, others=others)
        return {"texts": list(pool.texts), "folds": pool.folds.tolist()}

    @cached_property
    def several(self) -> Dataset:
        """The training texts and those of XED and BRIGHTER, each with labels of its own; the rest is unknown."""
        xed = [line.split("\t") for line in (self.place.data / "aux" / "xed_en.tsv").read_text("utf-8").splitlines()]
        xed_targets = np.zeros((len(xed), len(EMOTIONS)), dtype=np.float32)
        for row, (_, ids) in enumerate(xed):
            xed_targets[row, [int(number) - 1 for number in ids.split(",")]] = 1.0
        names = tuple(f"xed: {name}" for name in EMOTIONS)
        brighter = load_dataset(self.place.data / "aux" / "brighter_eng_train.csv")
        own = Dataset(brighter.texts, tuple(f"brighter: {name}" for name in brighter.labels), brighter.targets)
        return beside(beside(self.train, Dataset([text for text, _ in xed], names, xed_targets)), own)

    def core14(self, data: Dataset) -> Dataset:
        """The texts with at least one of the fourteen labels, and these labels alone."""
        few = data.with_labels(TAXONOMIES["core14"].labels)
        return few.subset(np.flatnonzero(few.positives.any(axis=1)))

    def _kept(self, name: str, make: object) -> object:
        path = self.place.work / f"{name}.json"
        if not path.is_file():
            path.parent.mkdir(parents=True, exist_ok=True)
            with atomic_file(path) as temporary:
                temporary.write_text(json.dumps(make()), encoding="utf-8")
        return json.loads(path.read_text(encoding="utf-8"))


def beside(first: Dataset, second: Dataset) -> Dataset:
    """Two sets under each other whose labels are not the same: a set's labels are unknown for the other's texts."""
    targets = np.full((len(first) + len(second), len(first.labels) + len(second.labels)), np.nan, dtype=np.float32)
    targets[: len(first), : len(first.labels)] = first.targets
    targets[len(first) :, len(first.labels) :] = second.targets
    return Dataset((*first.texts, *second.texts), (*first.labels, *second.labels), targets, name=first.name)
