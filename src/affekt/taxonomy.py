"""Label sets as data, and how scores of one set become scores of another."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from affekt.errors import SettingError

FloatArray = npt.NDArray[np.float32]

GOEMOTIONS = (
    "admiration", "amusement", "anger", "annoyance", "approval", "caring", "confusion",
    "curiosity", "desire", "disappointment", "disapproval", "disgust", "embarrassment", "excitement",
    "fear", "gratitude", "grief", "joy", "love", "nervousness", "optimism",
    "pride", "realization", "relief", "remorse", "sadness", "surprise", "neutral",
)  # fmt: skip

_EKMAN = {
    "anger": ("anger", "annoyance", "disapproval"),
    "disgust": ("disgust",),
    "fear": ("fear", "nervousness"),
    "joy": (
        "joy", "amusement", "approval", "excitement", "gratitude", "love",
        "optimism", "relief", "pride", "admiration", "desire", "caring",
    ),
    "sadness": ("sadness", "disappointment", "embarrassment", "grief", "remorse"),
    "surprise": ("surprise", "realization", "confusion", "curiosity"),
    "neutral": ("neutral",),
}  # fmt: skip

_SENTIMENT = {
    "positive": _EKMAN["joy"],
    "negative": _EKMAN["anger"] + _EKMAN["disgust"] + _EKMAN["fear"] + _EKMAN["sadness"],
    "ambiguous": _EKMAN["surprise"],
    "neutral": ("neutral",),
}

_CORE14 = (
    "amusement", "anger", "annoyance", "caring", "confusion", "disappointment", "disgust",
    "embarrassment", "excitement", "fear", "gratitude", "joy", "love", "sadness",
)  # fmt: skip


@dataclass(frozen=True)
class Taxonomy:
    """A label set, each label a union of the source labels that it stands for.

    Attributes:
        name: how people ask for it.
        members: label -> source labels; a text has the label when it has any of them.
    """

    name: str
    members: Mapping[str, tuple[str, ...]]

    @property
    def labels(self) -> tuple[str, ...]:
        """The label names, in order."""
        return tuple(self.members)

    def membership(self, source_labels: Sequence[str]) -> npt.NDArray[np.bool_]:
        """Which source label belongs to which label: (source labels, labels) bool.

        Raises:
            SettingError: if a member is not among ``source_labels``.
        """
        missing = sorted({name for group in self.members.values() for name in group} - set(source_labels))
        if missing:
            raise SettingError(
                f"Label set '{self.name}' needs labels that this model does not have: {', '.join(missing)}.",
                hint="Use the model's own label set.",
            )
        return np.array([[source in group for group in self.members.values()] for source in source_labels], dtype=bool)

    def combine(self, scores: npt.ArrayLike, source_labels: Sequence[str]) -> FloatArray:
        """Scores of the unions, as if the members were independent: 1 - prod(1 - score).

        The independence is not quite true; the per-set calibration that a model folder keeps corrects for it.

        Args:
            scores: (texts, source labels) probabilities.
            source_labels: names of the columns of ``scores``.

        Returns:
            (texts, labels) float32 probabilities.
        """
        membership = self.membership(source_labels)
        miss = np.log1p(-np.clip(np.asarray(scores, dtype=np.float64), 0.0, 1.0 - 1e-12))
        combined: FloatArray = (-np.expm1(miss @ membership)).astype(np.float32)
        return combined

    def combine_truth(self, truth: npt.ArrayLike, source_labels: Sequence[str]) -> npt.NDArray[np.bool_]:
        """Gold labels of the unions: (texts, labels) bool, from (texts, source labels)."""
        return np.asarray(truth, dtype=bool) @ self.membership(source_labels)


def identity(name: str, labels: Sequence[str]) -> Taxonomy:
    """The label set whose labels are the source labels themselves."""
    return Taxonomy(name, MappingProxyType({label: (label,) for label in labels}))


TAXONOMIES: Mapping[str, Taxonomy] = MappingProxyType(
    {
        "goemotions": identity("goemotions", GOEMOTIONS),
        "core14": identity("core14", _CORE14),
        "ekman": Taxonomy("ekman", MappingProxyType(_EKMAN)),
        "sentiment": Taxonomy("sentiment", MappingProxyType(_SENTIMENT)),
    }
)


def get_taxonomy(name: str) -> Taxonomy:
    """The label set called ``name``.

    Raises:
        SettingError: if there is none; the hint lists them.
    """
    if name not in TAXONOMIES:
        raise SettingError(f"There is no label set '{name}'.", hint=f"Known: {', '.join(TAXONOMIES)}.")
    return TAXONOMIES[name]


def taxonomies_for(labels: Sequence[str]) -> dict[str, Taxonomy]:
    """Every known label set that can be formed from ``labels``."""
    have = set(labels)
    return {n: t for n, t in TAXONOMIES.items() if have.issuperset(m for group in t.members.values() for m in group)}
