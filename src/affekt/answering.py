"""From a model's logits to the answer in one label set: calibrated scores, decisions, predictions."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from affekt.decision import DecisionRule, decide, logit
from affekt.errors import SettingError
from affekt.model_folder import Manifest
from affekt.prediction import Prediction
from affekt.taxonomy import TAXONOMIES, Taxonomy, identity, taxonomies_for

FloatArray = npt.NDArray[np.float32]
Thresholds = float | Mapping[str, float] | Sequence[float]


def label_sets(manifest: Manifest) -> dict[str, Taxonomy]:
    """Every label set that a model can answer with, its own first."""
    own = {manifest.taxonomy: identity(manifest.taxonomy, manifest.labels)}
    return own | {name: found for name, found in taxonomies_for(manifest.labels).items() if name not in own}


@dataclass(frozen=True)
class View:
    """A model seen through one label set.

    Attributes:
        source: the model's own labels.
        own: the model's own rule.
        taxonomy: how the label set is formed; None for the model's own.
        labels: names of the answer's columns.
        rule: calibration and thresholds of this label set.
    """

    source: tuple[str, ...]
    own: DecisionRule
    taxonomy: Taxonomy | None
    labels: tuple[str, ...]
    rule: DecisionRule

    @classmethod
    def of(cls, manifest: Manifest, name: str | None = None) -> "View":
        """The view of label set ``name``, the model's own by default.

        Raises:
            SettingError: if the model cannot answer with that label set.
        """
        own = manifest.rules[manifest.taxonomy].rule
        if name is None or name == manifest.taxonomy:
            return cls(manifest.labels, own, None, manifest.labels, own)
        known = label_sets(manifest)
        if name not in known:
            reason = "needs labels that this model does not have" if name in TAXONOMIES else "does not exist"
            raise SettingError(f"Label set '{name}' {reason}.", hint=f"This model knows: {', '.join(known)}.")
        taxonomy = known[name]
        record = manifest.rules.get(name)
        rule = record.rule if record else DecisionRule.default(len(taxonomy.labels))
        return cls(manifest.labels, own, taxonomy, taxonomy.labels, rule)

    def scores(self, logits: FloatArray) -> FloatArray:
        """Calibrated scores, (texts, labels), from logits of the model's own labels."""
        scores = self.own.calibration.apply(logits)
        if self.taxonomy is None:
            return scores
        return self.rule.calibration.apply(logit(self.taxonomy.combine(scores, self.source)))

    def thresholds(self, given: Thresholds | None) -> tuple[float, ...]:
        """One threshold per label: the rule's own, or those given in their place.

        Raises:
            SettingError: if a threshold is outside [0, 1], of an unknown label, or there are too few or too many.
        """
        if given is None:
            return self.rule.thresholds
        values = self._by_label(given)
        for label, value in zip(self.labels, values, strict=True):
            if not 0.0 <= value <= 1.0:
                raise SettingError(f"The threshold of '{label}' must be between 0 and 1, not {value}.")
        return values

    def _by_label(self, given: Thresholds) -> tuple[float, ...]:
        if isinstance(given, Mapping):
            unknown = sorted(set(given) - set(self.labels))
            if unknown:
                raise SettingError(
                    f"There is no label {', '.join(map(repr, unknown))} to set a threshold for.",
                    hint=f"Labels: {', '.join(self.labels)}.",
                )
            own = dict(zip(self.labels, self.rule.thresholds, strict=True))
            return tuple(float(value) for value in (own | dict(given)).values())
        if isinstance(given, (int, float)):
            return (float(given),) * len(self.labels)
        values = tuple(float(value) for value in given)
        if len(values) != len(self.labels):
            raise SettingError(f"There are {len(values)} thresholds for {len(self.labels)} labels.")
        return values


@dataclass(frozen=True)
class Answer:
    """How the caller wants to be answered; turns logits into predictions.

    Attributes:
        view: the label set.
        limits: one threshold per label.
        top_k: decide for this many labels instead of by threshold.
    """

    view: View
    limits: tuple[float, ...]
    top_k: int | None

    @classmethod
    def of(
        cls,
        manifest: Manifest,
        taxonomy: str | None = None,
        thresholds: Thresholds | None = None,
        top_k: int | None = None,
    ) -> "Answer":
        """Checked settings of an answer.

        Raises:
            SettingError: if the label set, a threshold or ``top_k`` is not possible.
        """
        if top_k is not None and top_k < 1:
            raise SettingError(f"top_k must be at least 1, not {top_k}.")
        if top_k is not None and thresholds is not None:
            raise SettingError("top_k decides in place of thresholds.", hint="Give one of the two.")
        view = View.of(manifest, taxonomy)
        return cls(view, view.thresholds(thresholds), top_k)

    def decisions(self, scores: FloatArray) -> npt.NDArray[np.bool_]:
        """(texts, labels) bool from scores of the same shape."""
        if self.top_k is None:
            labels = self.view.labels
            neutral = labels.index("neutral") if "neutral" in labels else None
            return decide(scores, self.limits, self.view.rule.empty, neutral)
        decided = np.zeros(scores.shape, dtype=bool)
        np.put_along_axis(decided, np.argsort(-scores, axis=1, kind="stable")[:, : self.top_k], values=True, axis=1)
        return decided

    def predictions(
        self, texts: Sequence[str], logits: FloatArray, windowed: Sequence[bool] | npt.NDArray[np.bool_]
    ) -> Iterator[Prediction]:
        """One prediction per text.

        Args:
            texts: as they were given.
            logits: (texts, labels) of the model's own labels.
            windowed: (texts,) whether each was read in windows.
        """
        labels = self.view.labels
        scores = self.view.scores(logits)
        rows, columns = np.nonzero(self.decisions(scores))
        decided: list[list[int]] = [[] for _ in texts]
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
            decided[row].append(column)
        for text, values, found, in_windows in zip(texts, scores.tolist(), decided, windowed, strict=True):
            found.sort(key=lambda column, values=values: -values[column])  # type: ignore[misc]
            names = tuple(labels[column] for column in found)
            yield Prediction(text, names, dict(zip(labels, values, strict=True)), bool(in_windows))
