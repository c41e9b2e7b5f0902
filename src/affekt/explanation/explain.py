"""The way in: explain a classifier's answer by occlusion."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from affekt.answering import View
from affekt.explanation.choice import choose
from affekt.explanation.explanation import EmotionExplanation, Explanation, weighted
from affekt.explanation.occlusion import BUDGET, occlude
from affekt.model_folder import Manifest


class Scorer(Protocol):
    """What an explanation needs of a classifier."""

    @property
    def manifest(self) -> Manifest:
        """The model's manifest."""
        ...

    def scores(self, texts: Sequence[str], taxonomy: str | None = None) -> npt.NDArray[np.float32]:
        """Calibrated scores, (texts, labels)."""
        ...


def explain(
    classifier: Scorer,
    text: str,
    *,
    taxonomy: str | None = None,
    emotions: Sequence[str] | None = None,
    budget: int = BUDGET,
) -> Explanation:
    """Which words moved which emotion, by occlusion.

    The weights of an emotion are log-odds; they add up exactly from its score without any word to its score.

    Args:
        classifier: an :class:`~affekt.EmotionClassifier`, on any backend.
        text: the original text.
        taxonomy: label set; the model's own by default.
        emotions: the labels to explain; those decided by default, or the nearest one if none is.
        budget: variants of the text to score; each word costs two, whatever is left makes the weights finer.

    Raises:
        SettingError: if the label set or a label does not exist.
    """
    view = View.of(classifier.manifest, taxonomy)
    found = occlude(lambda texts: classifier.scores(texts, taxonomy), text, budget=budget)
    chosen, decided = choose(view.labels, found.full, view.rule, emotions)
    parts = tuple(
        EmotionExplanation(
            emotion=view.labels[label],
            score=float(found.full[label]),
            threshold=view.rule.thresholds[label],
            baseline=float(found.empty[label]),
            words=weighted(found.words, found.weights[:, label]),
        )
        for label in chosen
    )
    return Explanation(text=text, method="occlusion", emotions=parts, decided=decided, asked=emotions is not None)
