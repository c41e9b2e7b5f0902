"""What a run learns from: the training texts, a dev set, and what a teacher and the caller say about single texts."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from affekt.data import Dataset, ReadOptions, load_dataset, split
from affekt.errors import DataError
from affekt.training.losses.label_counts import LabelCounts

Floats = npt.NDArray[np.float32]
DEV_SHARE = 0.1


@dataclass(frozen=True)
class ScoredTexts:
    """Texts without gold labels, and what a teacher says about them.

    Attributes:
        texts: the texts.
        scores: (texts, labels) in [0, 1].

    Raises:
        DataError: if the two do not match.
    """

    texts: tuple[str, ...]
    scores: Floats

    def __post_init__(self) -> None:
        """Check that there is a row for every text."""
        if self.scores.ndim != 2 or len(self.scores) != len(self.texts):
            raise DataError(f"There are {len(self.texts)} texts and scores of shape {self.scores.shape} for them.")


@dataclass(frozen=True)
class Inputs:
    """The sets of a run, with one order of labels.

    Attributes:
        train: the texts to learn from.
        dev: the texts that choose the best epoch and fit the rules; None to take the last epoch and fixed rules.
        teacher: (texts, labels) scores in [0, 1] for the training texts; NaN where there is none.
        weights: (texts,) of the training texts, at least 0; None for 1 each.
        pool: how many of the training texts, the last ones, have a teacher's scores alone.
        table: what the caller gave, where the training set is a part of it or holds more; None if it is that set.
    """

    train: Dataset
    dev: Dataset | None
    teacher: Floats | None = None
    weights: Floats | None = None
    pool: int = 0
    table: Dataset | None = None

    @property
    def labelled(self) -> Dataset:
        """The training texts without those of the pool."""
        return self.train.subset(range(len(self.train) - self.pool)) if self.pool else self.train

    def targets(self, teacher_weight: float) -> Floats:
        """(texts, labels) gold mixed with the teacher's scores; where one of the two is unknown, the other alone."""
        gold = np.asarray(self.train.targets, dtype=np.float32)
        if self.teacher is None:
            return gold
        mixed = (1.0 - teacher_weight) * gold + teacher_weight * self.teacher
        mixed = np.where(np.isnan(gold), self.teacher, mixed)
        return np.where(np.isnan(self.teacher), gold, mixed).astype(np.float32)

    def parts(self) -> list[str]:
        """Digests of everything."""
        arrays = [hashlib.sha256(a.tobytes()).hexdigest() for a in (self.teacher, self.weights) if a is not None]
        return [*(part.fingerprint() for part in (self.train, self.dev) if part is not None), *arrays]


def gather(
    data: Dataset | str | Path,
    dev: Dataset | str | Path | None,
    *,
    seed: int,
    options: ReadOptions | None = None,
    teacher: Floats | None = None,
    weights: Floats | None = None,
    dev_share: float = DEV_SHARE,
    also: Sequence[Dataset | str | Path] = (),
    also_weight: float = 1.0,
    scored: ScoredTexts | None = None,
) -> Inputs:
    """Read what is not read yet, split off a dev set where none is given, and check that all of it fits together.

    Args:
        data: a set or a table.
        dev: likewise; None splits ``dev_share`` off, stratified.
        seed: of the split.
        options: how to read tables.
        teacher: for the texts of ``data``, in order.
        weights: likewise.
        dev_share: 0 for no dev set.
        also: further sets to learn from, for the labels that they have in common with ``data``.
        also_weight: of each of their texts.
        scored: texts that only a teacher labels.

    Raises:
        DataError: if a set is empty, has no labels, or something does not match.
    """
    inputs = _gather(data, dev, seed, options, teacher, weights, dev_share)
    for more in also:
        inputs = with_corpus(inputs, _read(more, ReadOptions()), also_weight)
    return inputs if scored is None else with_pool(inputs, scored)


def with_pool(inputs: Inputs, scored: ScoredTexts) -> Inputs:
    """Add texts that only a teacher labels.

    Args:
        inputs: whose labels count.
        scored: the texts.

    Raises:
        DataError: if the scores are for other labels.
    """
    train, count = inputs.train, len(scored.texts)
    if scored.scores.shape[1] != len(train.labels):
        raise DataError(f"The scores are for {scored.scores.shape[1]} labels, and there are {len(train.labels)}.")
    nothing = np.full((count, len(train.labels)), np.nan, dtype=np.float32)
    own = inputs.teacher if inputs.teacher is not None else np.full(train.targets.shape, np.nan, dtype=np.float32)
    weights = inputs.weights
    return Inputs(
        Dataset((*train.texts, *scored.texts), train.labels, np.concatenate([train.targets, nothing]), name=train.name),
        inputs.dev,
        np.concatenate([own, scored.scores.astype(np.float32)]),
        None if weights is None else np.concatenate([weights, np.ones(count, dtype=np.float32)]),
        inputs.pool + count,
        inputs.table,
    )


def with_corpus(inputs: Inputs, corpus: Dataset, weight: float = 1.0) -> Inputs:
    """Add the texts of another corpus to the training set; labels that it does not have are unknown for them.

    Args:
        inputs: whose labels count.
        corpus: its own further labels are left out.
        weight: of each of its texts.

    Raises:
        DataError: if the two have no label in common.
    """
    train = inputs.train
    common = [label for label in train.labels if label in corpus.labels]
    if not common:
        raise DataError(f"'{corpus.name}' has no label in common with '{train.name}': {', '.join(corpus.labels)}.")
    targets = np.full((len(corpus), len(train.labels)), np.nan, dtype=np.float32)
    targets[:, [train.labels.index(label) for label in common]] = corpus.with_labels(common).targets
    both = Dataset(
        (*train.texts, *corpus.texts), train.labels, np.concatenate([train.targets, targets]),
        name=f"{train.name} + {corpus.name}",
    )  # fmt: skip
    own = inputs.weights if inputs.weights is not None else np.ones(len(train), dtype=np.float32)
    weights = np.concatenate([own, np.full(len(corpus), weight, dtype=np.float32)])
    nothing = np.full(targets.shape, np.nan, dtype=np.float32)
    teacher = None if inputs.teacher is None else np.concatenate([inputs.teacher, nothing])
    return Inputs(both, inputs.dev, teacher, weights, table=inputs.table or train)


def _gather(
    data: Dataset | str | Path,
    dev: Dataset | str | Path | None,
    seed: int,
    options: ReadOptions | None,
    teacher: Floats | None,
    weights: Floats | None,
    dev_share: float,
) -> Inputs:
    train = _read(data, options)
    _check(train, teacher, weights)
    if dev is not None:
        held = _read(dev, options)
        return Inputs(train, _same_labels(held, train.labels), teacher, weights)
    if not dev_share:
        return Inputs(train, None, teacher, weights)
    rows, held_rows = split(train, dev_share, seed)
    scores, kept = (None if array is None else array[rows] for array in (teacher, weights))
    taken = [replace(train.subset(r), name=f"{train.name} ({n})") for r, n in ((rows, "train"), (held_rows, "dev"))]
    return Inputs(taken[0], taken[1], scores, kept, table=train)


def _read(data: Dataset | str | Path, options: ReadOptions | None) -> Dataset:
    if isinstance(data, Dataset):
        return data
    return load_dataset(data, options=options or ReadOptions())


def _check(train: Dataset, teacher: Floats | None, weights: Floats | None) -> None:
    if not len(train):
        raise DataError(f"'{train.name}' has no texts to learn from.")
    if not train.labels:
        raise DataError(f"'{train.name}' has no labels to learn.", hint="Name their column with --labels.")
    if teacher is not None and teacher.shape != train.targets.shape:
        raise DataError(f"The teacher's scores have shape {teacher.shape}, and the targets {train.targets.shape}.")
    if weights is not None and (weights.shape != (len(train),) or not (weights >= 0).all() or not weights.any()):
        raise DataError(f"There must be one weight of at least 0 for each of the {len(train)} texts.")


def _same_labels(dev: Dataset, labels: tuple[str, ...]) -> Dataset:
    if dev.labels == labels:
        return dev
    extra = sorted(set(dev.labels) - set(labels))
    if extra and dev.positives[:, [dev.labels.index(label) for label in extra]].any():
        raise DataError(f"'{dev.name}' has labels that the training set does not have: {', '.join(extra)}.")
    absent = [label for label in labels if label not in dev.labels]
    targets = np.concatenate([dev.targets, np.zeros((len(dev), len(absent)), dtype=np.float32)], axis=1)
    return Dataset(dev.texts, (*dev.labels, *absent), targets, dev.ids, dev.name).with_labels(labels)


def complaints(targets: Floats, labels: tuple[str, ...], rare: int = 10) -> list[str]:
    """What makes labels hard or impossible to learn, one sentence each.

    Args:
        targets: (texts, labels).
        labels: their names.
        rare: fewer positives than this are too few.
    """
    counts = LabelCounts.of(targets)
    known, positives = np.diag(counts.known), np.diag(counts.joint)
    said = []
    few = (positives > 0) & (positives < rare) & (positives < known)
    groups = {
        "never known": known == 0,
        "in no text": (known > 0) & (positives == 0),
        "in every text": (known > 0) & (positives == known),
        f"in fewer than {rare} texts": few,
    }
    for what, where in groups.items():
        names = [f"{labels[i]} ({int(positives[i])})" if where is few else labels[i] for i in np.flatnonzero(where)]
        if names:
            said.append(f"{len(names)} {'labels are' if len(names) > 1 else 'label is'} {what}: {', '.join(names)}.")
    return said
