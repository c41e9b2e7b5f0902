"""What a text gets: the emotions that were decided and every label's score."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Prediction:
    """The answer for one text.

    Attributes:
        text: the text as it was given, before cleaning.
        emotions: names of the decided labels, highest score first; may be empty.
        scores: label -> calibrated score in [0, 1], for every label of the label set, in its order.
        windowed: whether the text was longer than the model reads at once and was read in overlapping windows.
    """

    text: str
    emotions: tuple[str, ...]
    scores: Mapping[str, float]
    windowed: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Plain lists and dictionaries, ready for JSON."""
        return {
            "text": self.text,
            "emotions": list(self.emotions),
            "scores": dict(self.scores),
            "windowed": self.windowed,
        }
