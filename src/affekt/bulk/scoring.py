"""What a job needs of a model: its labels, its identity, scores and decisions; and how others open the same."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from affekt.answering import Answer, Thresholds
from affekt.backends import ALIASES, FILES, choose
from affekt.classifier import EmotionClassifier
from affekt.errors import BackendError
from affekt.files import sha256
from affekt.model_folder import MANIFEST, read_manifest
from affekt.models import SHIPPED

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


class Described:
    """What is known of a model before its engine is started: labels, identity and decisions, but no scores.

    The driver of a cluster needs no more, and may lack the GPU that its workers have.

    Args:
        folder: the model folder.
        backend: the engine that answers.
        taxonomy: label set of the answers; the model's own by default.
        thresholds: instead of the model's own.
        top_k: instead of thresholds.
        truncate: read only the beginning of long texts.

    Raises:
        SettingError: if the label set, a threshold or ``top_k`` is not possible.
    """

    def __init__(
        self,
        folder: Path,
        backend: str,
        *,
        taxonomy: str | None = None,
        thresholds: Thresholds | None = None,
        top_k: int | None = None,
        truncate: bool = False,
    ) -> None:
        self._folder = folder
        self._backend = backend
        self._manifest = read_manifest(folder)
        self._taxonomy = taxonomy
        self._truncate = truncate
        self._answer = Answer.of(self._manifest, taxonomy, thresholds, top_k)

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the columns of scores and decisions."""
        return self._answer.view.labels

    @property
    def identity(self) -> Mapping[str, Any]:
        """The model's name, version and digest, the engine, and how it is asked."""
        manifest = self._manifest
        return {
            "name": manifest.name,
            "version": manifest.version,
            "sha256": sha256(self._folder / MANIFEST),
            "backend": self._backend,
            "taxonomy": self._taxonomy or manifest.taxonomy,
            "thresholds": [round(float(limit), 7) for limit in self._answer.limits],
            "top_k": self._answer.top_k,
            "truncate": self._truncate,
        }

    def scores(self, texts: Sequence[str]) -> FloatArray:
        """Not without an engine.

        Raises:
            BackendError: always.
        """
        raise BackendError(
            f"{len(texts):,} texts came to a model whose engine was not started.", hint="Open it where they are."
        )

    def decide(self, scores: FloatArray) -> BoolArray:
        """Decisions, (texts, labels) bool, from scores of the same shape."""
        return self._answer.decisions(scores)


class ClassifierScorer(Described):
    """A classifier as a scorer.

    Args:
        classifier: the model.
        asked: taxonomy, thresholds, top_k and truncate; see :class:`Described`.

    Raises:
        SettingError: if the label set, a threshold or ``top_k`` is not possible.
    """

    def __init__(self, classifier: EmotionClassifier, **asked: Any) -> None:
        super().__init__(classifier.folder, classifier.backend.name, **asked)
        self._classifier = classifier

    def scores(self, texts: Sequence[str]) -> FloatArray:
        """Calibrated scores: (texts, labels) float32."""
        return self._classifier.scores(texts, self._taxonomy, truncate=self._truncate)


@dataclass(frozen=True)
class ScorerSpec:
    """How to open a scorer; small enough to send to another process.

    Attributes:
        model: the model folder, readable wherever the scorer is opened; the shipped model by default.
        backend: an engine's name.
        threads: processors to use; those available by default.
        taxonomy: see :class:`Described`.
        thresholds: see :class:`Described`.
        top_k: see :class:`Described`.
        truncate: see :class:`Described`.
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
        return ClassifierScorer(classifier, **self._asked())

    def describe(self) -> Scorer:
        """The model without its engine, as :meth:`for_workers` named it.

        Raises:
            AffektError: if there is no such model, or it cannot be asked so.
        """
        return Described(self._folder(), self.backend, **self._asked())

    def for_workers(self, gpus: float) -> "ScorerSpec":
        """The same with nothing left open, so that all workers answer with one engine, whatever their machines have.

        Args:
            gpus: of each worker; with none, ``auto`` means an engine that needs none, otherwise one that uses it.

        Raises:
            SettingError: if there is no such backend.
            BackendError: if the model folder lacks the file that it runs.
        """
        folder = self._folder()
        names = ALIASES.get(self.backend, (self.backend,))
        here = [name for name in names if name in FILES and (folder / FILES[name]).is_file()]
        fitting = [name for name in here if ("cuda" in name) == bool(gpus)] or here or [choose(folder, self.backend)]
        return replace(self, backend=fitting[0], threads=self.threads or 1)

    def _folder(self) -> Path:
        return SHIPPED if self.model is None else Path(self.model)

    def _asked(self) -> dict[str, Any]:
        names = ("taxonomy", "thresholds", "top_k", "truncate")
        return {name: getattr(self, name) for name in names}
