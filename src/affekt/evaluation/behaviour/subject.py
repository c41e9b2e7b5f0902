"""The model under test, seen through one label set."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from affekt.answering import View
from affekt.classifier import EmotionClassifier
from affekt.decision import DecisionRule, decide

FloatArray = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Subject:
    """What a test needs of a model.

    Attributes:
        labels: names of the columns.
        members: label -> the finer labels that it stands for; only itself where there are none.
        rule: what decides.
        scores: texts in, (texts, labels) calibrated scores out.
    """

    labels: tuple[str, ...]
    members: Mapping[str, frozenset[str]]
    rule: DecisionRule
    scores: Callable[[Sequence[str]], FloatArray]

    @classmethod
    def of(cls, classifier: EmotionClassifier, taxonomy: str | None = None) -> "Subject":
        """A classifier's answers in one label set.

        Raises:
            SettingError: if it cannot answer with that label set.
        """
        view = View.of(classifier.manifest, taxonomy)
        groups = view.taxonomy.members if view.taxonomy else {}
        members = {label: frozenset(groups.get(label, (label,))) for label in view.labels}
        return cls(view.labels, members, view.rule, lambda texts: classifier.scores(texts, taxonomy))

    def decide(self, scores: FloatArray) -> BoolArray:
        """Decisions, (texts, labels), from scores of the same shape."""
        neutral = self.labels.index("neutral") if "neutral" in self.labels else None
        return decide(scores, self.rule.thresholds, self.rule.empty, neutral)

    def touching(self, names: Iterable[str]) -> list[int]:
        """Columns that stand for any of these labels: what may count as a sign of them."""
        wanted = frozenset(names)
        return [index for index, label in enumerate(self.labels) if (self.members[label] | {label}) & wanted]

    def within(self, names: Iterable[str]) -> list[int]:
        """Columns that stand for nothing but these labels: what may be asked to be absent."""
        wanted = frozenset(names)
        return [index for index, label in enumerate(self.labels) if self.members[label] <= wanted]
