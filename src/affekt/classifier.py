"""The path from texts to emotions, to be read top to bottom: clean, tokenize, score, calibrate, decide."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from affekt.answering import Answer, Thresholds, View, label_sets
from affekt.backends import FILES, Backend, choose, open_backend
from affekt.engine import Engine, Scored
from affekt.model_folder import Manifest, read_manifest, verify
from affekt.models import SHIPPED
from affekt.prediction import Prediction
from affekt.tokenizing import TextTokenizer

FloatArray = npt.NDArray[np.float32]


class EmotionClassifier:
    """Finds the emotions in texts: any number at once, each with a calibrated score.

    Args:
        manifest: everything of the model folder that changes an answer.
        engine: cleaning, tokenizer and backend.
        folder: where the model came from.
    """

    def __init__(self, manifest: Manifest, engine: Engine, folder: Path) -> None:
        self.manifest = manifest
        self.engine = engine
        self.folder = folder

    @classmethod
    def load(
        cls, path: str | Path | None = None, *, backend: str = "auto", threads: int | None = None
    ) -> "EmotionClassifier":
        """A classifier from a model folder.

        Args:
            path: the folder; the model that ships with affekt by default.
            backend: an engine's name, or ``auto`` (see :mod:`affekt.backends`).
            threads: processors to use; those available by default.

        Raises:
            ModelFolderError: if the folder is missing, incomplete or altered.
            BackendError: if the engine cannot be started.
        """
        folder = SHIPPED if path is None else Path(path)
        manifest = read_manifest(folder)
        name = choose(folder, backend)
        needed = {"tokenizer.json", "config.json", FILES[name], f"{FILES[name]}_data"}
        verify(folder, manifest, only=needed.__contains__)
        tokenizer = TextTokenizer.of(folder, manifest.max_length)
        engine = Engine(manifest.cleaning, tokenizer, open_backend(folder, name, threads))
        if name.startswith("torch-cuda"):
            engine.rehearse()
        return cls(manifest, engine, folder)

    @property
    def labels(self) -> tuple[str, ...]:
        """The model's own labels, in the order of its logits."""
        return self.manifest.labels

    @property
    def backend(self) -> Backend:
        """The engine in use."""
        return self.engine.backend

    @property
    def taxonomies(self) -> tuple[str, ...]:
        """Names of the label sets that this model can answer with, its own first."""
        return tuple(label_sets(self.manifest))

    def predict(
        self,
        texts: str | Iterable[str],
        *,
        taxonomy: str | None = None,
        thresholds: Thresholds | None = None,
        top_k: int | None = None,
        truncate: bool = False,
    ) -> list[Prediction]:
        """The emotions of one text or many.

        Args:
            texts: a text, or any number of them.
            taxonomy: label set of the answer; the model's own by default.
            thresholds: instead of the model's own: one for all labels, one per label in order, or some by name.
            top_k: instead of thresholds, decide for the ``top_k`` labels of highest score.
            truncate: read only the beginning of a long text, instead of all of it in overlapping windows.

        Raises:
            SettingError: if the label set, a threshold or ``top_k`` is not possible.
            DataError: if an entry is not a text or is too long.
        """
        answer = Answer.of(self.manifest, taxonomy, thresholds, top_k)
        return [prediction for part in self._scored(texts, truncate) for prediction in _answered(answer, part)]

    def stream(
        self,
        texts: Iterable[str],
        *,
        taxonomy: str | None = None,
        thresholds: Thresholds | None = None,
        top_k: int | None = None,
        truncate: bool = False,
        window: int | None = None,
    ) -> Iterator[Prediction]:
        """Like :meth:`predict`, lazily and in bounded memory: a generator in, a generator out.

        Args:
            texts: any number of texts.
            taxonomy: as for :meth:`predict`.
            thresholds: as for :meth:`predict`.
            top_k: as for :meth:`predict`.
            truncate: as for :meth:`predict`.
            window: texts that are read and sorted together; the engine's own choice by default.
        """
        answer = Answer.of(self.manifest, taxonomy, thresholds, top_k)
        for part in self.engine.stream(texts, truncate=truncate, window=window):
            yield from _answered(answer, part)

    def scores(self, texts: str | Iterable[str], taxonomy: str | None = None, *, truncate: bool = False) -> FloatArray:
        """Calibrated scores: (texts, labels) float32."""
        view = View.of(self.manifest, taxonomy)
        parts = [view.scores(part.logits) for part in self._scored(texts, truncate)]
        return np.concatenate([np.empty((0, len(view.labels)), np.float32), *parts])

    def logits(self, texts: str | Iterable[str], *, truncate: bool = False) -> FloatArray:
        """Raw logits of the model's own labels: (texts, labels) float32."""
        parts = [part.logits for part in self._scored(texts, truncate)]
        return np.concatenate([np.empty((0, len(self.labels)), np.float32), *parts])

    def _scored(self, texts: str | Iterable[str], truncate: bool) -> Iterator[Scored]:
        if isinstance(texts, str):
            return iter([self.engine.one(texts, truncate=truncate)])
        return self.engine.stream(texts, truncate=truncate)


def _answered(answer: Answer, part: Scored) -> Iterator[Prediction]:
    return answer.predictions(part.texts, part.logits, part.windowed)
