"""Texts that only teachers label: cut, joined and misspelt from the training texts, or found elsewhere.

A student that sees more texts than have gold labels comes nearer to its teachers. A text made from training texts
carries what its sources say, so it stays in their fold: the teacher that scores it must not have learned them.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from affekt.errors import SettingError

ANY_FOLD = -1
"""Fold of a text that has nothing to do with the training texts: every teacher may score it."""

SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
LEAST_WORDS = 3
KEPT_WORDS = 0.85


@dataclass(frozen=True)
class Pool:
    """Texts without gold labels.

    Attributes:
        texts: the texts.
        folds: (texts,) the fold whose held-out texts each was made from, or ``ANY_FOLD``.

    Raises:
        SettingError: if the two differ in length.
    """

    texts: tuple[str, ...] = ()
    folds: npt.NDArray[np.intp] = field(default_factory=lambda: np.zeros(0, dtype=np.intp))

    def __post_init__(self) -> None:
        """Check that there is a fold for every text."""
        if self.folds.shape != (len(self.texts),):
            raise SettingError(f"A pool of {len(self.texts)} texts has folds of shape {self.folds.shape}.")

    def __len__(self) -> int:
        """Number of texts."""
        return len(self.texts)

    def scored_by(self, fold: int) -> npt.NDArray[np.intp]:
        """Indices of the texts that the teacher which left out ``fold`` may score."""
        return np.flatnonzero((self.folds == fold) | (self.folds == ANY_FOLD))


def make_pool(
    texts: Sequence[str],
    folds: npt.NDArray[np.intp],
    *,
    derived: float = 0.0,
    others: Sequence[str] = (),
    seed: int = 0,
) -> Pool:
    """Texts made from training texts, and others.

    Every kind of change in :data:`CHANGES` makes an equal part of the derived texts. Copies of training texts and
    repetitions are left out.

    Args:
        texts: the training texts.
        folds: (texts,) the fold of each.
        derived: how many texts to make, as a multiple of the training texts.
        others: texts from elsewhere.
        seed: of everything random.

    Raises:
        SettingError: if ``derived`` is negative.
    """
    if derived < 0:
        raise SettingError(f"There cannot be {derived:g} derived texts per training text.")
    draw = np.random.default_rng(seed)
    members = {int(fold): np.flatnonzero(folds == fold) for fold in np.unique(folds)}
    made: dict[str, int] = {}
    each = round(derived * len(texts) / len(CHANGES))
    for change in CHANGES.values():
        for row in _rows(len(texts), each, draw):
            partner = texts[draw.choice(members[int(folds[row])])]
            made.setdefault(change(texts[row], partner, draw), int(folds[row]))
    made |= dict.fromkeys(others, ANY_FOLD)
    for known in ("", *texts):
        made.pop(known, None)
    return Pool(tuple(made), np.fromiter(made.values(), dtype=np.intp, count=len(made)))


def _rows(size: int, count: int, draw: np.random.Generator) -> npt.NDArray[np.intp]:
    """``count`` numbers below ``size``, each about equally often."""
    rounds = [draw.permutation(size) for _ in range(-(-count // size))]
    return np.concatenate([*rounds, np.zeros(0, dtype=np.intp)])[:count].astype(np.intp)


def _cut(text: str, _partner: str, draw: np.random.Generator) -> str:
    """Some neighbouring sentences; of a single sentence, some neighbouring words."""
    parts = SENTENCE_END.split(text)
    words = text.split()
    if len(parts) > 1:
        start = int(draw.integers(len(parts)))
        stop = int(draw.integers(start + 1, len(parts) + 1))
        return " ".join(parts[start:stop])
    if len(words) <= LEAST_WORDS:
        return text
    size = int(draw.integers(LEAST_WORDS, len(words)))
    start = int(draw.integers(len(words) - size + 1))
    return " ".join(words[start : start + size])


def _join(text: str, partner: str, draw: np.random.Generator) -> str:
    """A text and another one, or parts of both."""
    first, second = (part if draw.random() < 0.5 else _cut(part, "", draw) for part in (text, partner))
    return f"{first} {second}"


def _drop(text: str, _partner: str, draw: np.random.Generator) -> str:
    """Without some of its words."""
    words = text.split()
    kept = [word for word in words if draw.random() < KEPT_WORDS]
    return " ".join(kept or words)


def _misspell(text: str, _partner: str, draw: np.random.Generator) -> str:
    """With letters of some words missing, doubled or swapped."""
    return " ".join(_typo(word, draw) if len(word) > 3 and draw.random() < 0.2 else word for word in text.split())


def _typo(word: str, draw: np.random.Generator) -> str:
    place = int(draw.integers(1, len(word) - 1))
    before, letter, following, after = word[:place], word[place], word[place + 1], word[place + 2 :]
    middle = (following, letter * 2 + following, following + letter)[int(draw.integers(3))]
    return before + middle + after


CHANGES: dict[str, Callable[[str, str, np.random.Generator], str]] = {
    "cut": _cut, "join": _join, "drop": _drop, "misspell": _misspell,
}  # fmt: skip
"""Name -> (text, another text of its fold, generator) -> a new text."""
