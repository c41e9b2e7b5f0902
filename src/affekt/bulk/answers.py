"""Texts to scores and decisions for whole shards: every distinct text goes through the model once."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from affekt.bulk.recall import Generation, Recall, digest
from affekt.bulk.scoring import BoolArray, FloatArray, Scorer


@dataclass(frozen=True)
class Answers:
    """What the texts of a shard got.

    Attributes:
        labels: names of the columns.
        scores: (rows, labels) float32.
        decisions: (rows, labels) bool.
        missing: (rows,) bool, rows without a text; None if there is none.
        scored: texts that went through the model.
        generation: the shard's distinct texts and their scores, to be remembered.
    """

    labels: tuple[str, ...]
    scores: FloatArray
    decisions: BoolArray
    missing: BoolArray | None
    scored: int
    generation: Generation

    @property
    def saved(self) -> int:
        """Texts that were not scored because an equal one was."""
        return len(self.scores) - self.scored - (0 if self.missing is None else int(self.missing.sum()))

    def without(self) -> int:
        """Rows with a text and without any label."""
        nothing = ~self.decisions.any(axis=1)
        return int(nothing.sum() if self.missing is None else (nothing & ~self.missing).sum())

    def counts(self) -> npt.NDArray[np.int64]:
        """(labels,) how many rows have each."""
        counts: npt.NDArray[np.int64] = self.decisions.sum(axis=0, dtype=np.int64)
        return counts


def answer(scorer: Scorer, texts: Sequence[str | None], recall: Recall | None = None) -> Answers:
    """Scores and decisions of the texts of one shard.

    Args:
        scorer: the model.
        texts: (rows,); None where there is no text.
        recall: scores of earlier shards.
    """
    missing = np.fromiter((text is None for text in texts), dtype=bool, count=len(texts))
    present = [text for text in texts if text is not None]
    slots, generation, scored = _distinct(scorer, present, recall)
    scores = np.zeros((len(texts), len(scorer.labels)), dtype=np.float32)
    decisions = np.zeros(scores.shape, dtype=bool)
    if present:
        scores[~missing] = generation.scores[slots]
        decisions[~missing] = scorer.decide(generation.scores)[slots]
    return Answers(scorer.labels, scores, decisions, missing if missing.any() else None, scored, generation)


def _distinct(
    scorer: Scorer, texts: Sequence[str], recall: Recall | None
) -> tuple[npt.NDArray[np.intp], Generation, int]:
    """For each text the row of its distinct form, the distinct forms with their scores, and how many were scored."""
    place: dict[bytes, int] = {}
    firsts: list[str] = []
    slots = np.empty(len(texts), dtype=np.intp)
    for row, text in enumerate(texts):
        key = digest(text)
        slot = place.setdefault(key, len(place))
        if slot == len(firsts):
            firsts.append(text)
        slots[row] = slot
    scores = np.zeros((len(firsts), len(scorer.labels)), dtype=np.float32)
    unknown = recall.fill(place, scores) if recall else list(range(len(firsts)))
    if unknown:
        scores[unknown] = scorer.scores([firsts[slot] for slot in unknown])
    return slots, Generation(list(place), scores), len(unknown)
