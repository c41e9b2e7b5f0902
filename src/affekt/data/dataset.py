"""A labelled set of texts in memory: what every reader makes and every trainer, splitter and report takes."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from affekt.errors import DataError

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Dataset:
    """Texts and how much each label holds for each of them.

    Attributes:
        texts: the texts, as read (not cleaned).
        labels: label names, in column order.
        targets: (texts, labels) float32; 1 holds, 0 does not, between is a soft score, NaN is unknown.
        ids: a name per text, or None when the table has none.
        name: what reports call the set.

    Raises:
        DataError: if shapes disagree, a label name is empty or repeated, or a target lies outside [0, 1].
    """

    texts: tuple[str, ...]
    labels: tuple[str, ...]
    targets: FloatArray
    ids: tuple[str, ...] | None = None
    name: str = "data"

    def __post_init__(self) -> None:
        """Take any sequences; keep tuples and an array that cannot be written to."""
        object.__setattr__(self, "texts", tuple(self.texts))
        object.__setattr__(self, "labels", tuple(self.labels))
        object.__setattr__(self, "ids", None if self.ids is None else tuple(self.ids))
        targets = np.array(self.targets, dtype=np.float32)
        targets.setflags(write=False)
        object.__setattr__(self, "targets", targets)
        self._check()

    def _check(self) -> None:
        expected = (len(self.texts), len(self.labels))
        if self.targets.shape != expected:
            raise DataError(f"'{self.name}' has targets of shape {self.targets.shape} but {expected} is needed.")
        if self.ids is not None and len(self.ids) != len(self.texts):
            raise DataError(f"'{self.name}' has {len(self.ids)} ids for {len(self.texts)} texts.")
        if len(set(self.labels)) != len(self.labels) or not all(self.labels):
            raise DataError(f"'{self.name}' has an empty or repeated label name among: {', '.join(self.labels)}.")
        if self.targets.size and not ((self.targets >= 0) & (self.targets <= 1) | np.isnan(self.targets)).all():
            raise DataError(f"'{self.name}' has targets outside [0, 1].", hint="Use 0, 1, a score between, or NaN.")

    def __len__(self) -> int:
        """Number of texts."""
        return len(self.texts)

    def __eq__(self, other: object) -> bool:
        """Same texts, labels, ids and targets (unknown equals unknown); the name does not count."""
        if not isinstance(other, Dataset):
            return NotImplemented
        same_texts = (self.texts, self.labels, self.ids) == (other.texts, other.labels, other.ids)
        return same_texts and np.array_equal(self.targets, other.targets, equal_nan=True)

    def __hash__(self) -> int:
        """Of texts and labels only: equal sets share it."""
        return hash((self.texts, self.labels))

    @property
    def positives(self) -> npt.NDArray[np.bool_]:
        """(texts, labels) bool: where a label holds (target of at least 0.5; unknown counts as not)."""
        return np.asarray(self.targets >= 0.5)

    @property
    def known(self) -> npt.NDArray[np.bool_]:
        """(texts, labels) bool: where the target is not unknown."""
        return ~np.isnan(self.targets)

    def subset(self, indices: Sequence[int] | npt.NDArray[np.integer]) -> "Dataset":
        """The rows at ``indices`` (texts,), in that order."""
        rows = np.asarray(indices, dtype=np.intp)
        picked = rows.tolist()
        ids = None if self.ids is None else tuple(self.ids[i] for i in picked)
        return Dataset(tuple(self.texts[i] for i in picked), self.labels, self.targets[rows], ids, self.name)

    def fully_labelled(self) -> "Dataset":
        """The rows of which every label is known."""
        return self.subset(np.flatnonzero(self.known.all(axis=1)))

    def with_labels(self, labels: Sequence[str]) -> "Dataset":
        """The same texts with the columns in the order of ``labels``; labels not asked for are dropped.

        Raises:
            DataError: if one of ``labels`` is not among this set's.
        """
        missing = [label for label in labels if label not in self.labels]
        if missing:
            raise DataError(
                f"'{self.name}' does not have the label{'s' * (len(missing) > 1)} {', '.join(missing)}.",
                hint=f"It has: {', '.join(self.labels)}.",
            )
        columns = [self.labels.index(label) for label in labels]
        return Dataset(self.texts, tuple(labels), self.targets[:, columns], self.ids, self.name)

    def fingerprint(self) -> str:
        """Hexadecimal SHA-256 over texts, label names and targets; ids and name do not count."""
        digest = hashlib.sha256()
        for part in (self.texts, self.labels):
            digest.update(len(part).to_bytes(8, "little"))
            for item in part:
                encoded = item.encode("utf-8", "surrogatepass")
                digest.update(len(encoded).to_bytes(8, "little") + encoded)
        digest.update(np.where(np.isnan(self.targets), np.float32(-1), self.targets + np.float32(0)).tobytes())
        return digest.hexdigest()
