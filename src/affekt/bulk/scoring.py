"""Texts to scores and decisions for whole shards: every distinct text goes through the model once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from affekt.answering import Answer, Thresholds
from affekt.bulk.recall import Generation, Recall, digest
from affekt.classifier import EmotionClassifier
from affekt.files import sha256
from affekt.model_folder import MANIFEST

FloatArray = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]


class Scorer(Protocol):
    """What a bulk job needs of a model."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the columns of scores and decisions."""
        ...

    @property
    def identity(self) -> Mapping[str, Any]:
        """Everything of the model that changes an answer, as JSON has it; a resumed job must find the same."""
        ...

    def scores(self, texts: Sequence[str]) -> FloatArray:
        """Calibrated scores: (texts, labels) float32."""
        ...

    def decide(self, scores: FloatArray) -> BoolArray:
        """Decisions, (texts, labels) bool, from scores of the same shape."""
        ...


class Spec(Protocol):
    """How to open a scorer in another process; small, and told from others by its ``repr``."""

    @property
    def threads(self) -> int | None:
        """Processors that the scorer will use."""
        ...

    def open(self) -> Scorer:
        """Load the model."""
        ...


class ClassifierScorer:
    """A classifier as a scorer.

    Args:
        classifier: the model.
        taxonomy: label set of the answers; the model's own by default.
        thresholds: instead of the model's own.
        top_k: instead of thresholds.
        truncate: read only the beginning of long texts.

    Raises:
        SettingError: if the label set, a threshold or ``top_k`` is not possible.
    """

    def __init__(
        self,
        classifier: EmotionClassifier,
        *,
        taxonomy: str | None = None,
        thresholds: Thresholds | None = None,
        top_k: int | None = None,
        truncate: bool = False,
    ) -> None:
        self._classifier = classifier
        self._taxonomy = taxonomy
        self._truncate = truncate
        self._answer = Answer.of(classifier.manifest, taxonomy, thresholds, top_k)

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the columns of scores and decisions."""
        return self._answer.view.labels

    @property
    def identity(self) -> Mapping[str, Any]:
        """The model's name, version and digest, the engine, and how it is asked."""
        manifest = self._classifier.manifest
        return {
            "name": manifest.name,
            "version": manifest.version,
            "sha256": sha256(self._classifier.folder / MANIFEST),
            "backend": self._classifier.backend.name,
            "taxonomy": self._taxonomy or manifest.taxonomy,
            "thresholds": [round(float(limit), 7) for limit in self._answer.limits],
            "top_k": self._answer.top_k,
            "truncate": self._truncate,
        }

    def scores(self, texts: Sequence[str]) -> FloatArray:
        """Calibrated scores: (texts, labels) float32."""
        return self._classifier.scores(texts, self._taxonomy, truncate=self._truncate)

    def decide(self, scores: FloatArray) -> BoolArray:
        """Decisions, (texts, labels) bool, from scores of the same shape."""
        return self._answer.decisions(scores)


@dataclass(frozen=True)
class ScorerSpec:
    """How to open a scorer; small enough to send to another process.

    Attributes:
        model: the model folder, readable wherever the scorer is opened; the shipped model by default.
        backend: an engine's name.
        threads: processors to use; those available by default.
        taxonomy: see :class:`ClassifierScorer`.
        thresholds: see :class:`ClassifierScorer`.
        top_k: see :class:`ClassifierScorer`.
        truncate: see :class:`ClassifierScorer`.
    """

    model: str | Path | None = None
    backend: str = "auto"
    threads: int | None = None
    taxonomy: str | None = None
    thresholds: Thresholds | None = None
    top_k: int | None = None
    truncate: bool = False

    def open(self) -> Scorer:
        """Load the model.

        Raises:
            AffektError: if it cannot be loaded or asked so.
        """
        classifier = EmotionClassifier.load(self.model, backend=self.backend, threads=self.threads)
        return ClassifierScorer(
            classifier,
            taxonomy=self.taxonomy,
            thresholds=self.thresholds,
            top_k=self.top_k,
            truncate=self.truncate,
        )


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
