"""What an explanation is: for each emotion, how far every word of the original text moved it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from affekt.explanation.words import Word

Method = Literal["occlusion", "gradients"]


@dataclass(frozen=True, slots=True)
class WordWeight:
    """One word and what it did to one emotion.

    Attributes:
        text: the word as it stands in the original text; an emoji is shown as itself.
        start: first character in the original text.
        end: one past the last character.
        weight: log-odds that the word added to the emotion; negative if it spoke against it.
    """

    text: str
    start: int
    end: int
    weight: float


@dataclass(frozen=True, slots=True)
class EmotionExplanation:
    """One emotion of a text, word by word.

    Attributes:
        emotion: the label.
        score: its calibrated score for the whole text.
        threshold: the score from which it is decided.
        baseline: its score when no word is there; the weights lead from here to ``score``.
        words: every word in the order of the text.
    """

    emotion: str
    score: float
    threshold: float
    baseline: float
    words: tuple[WordWeight, ...]

    def strongest(self, count: int = 5) -> tuple[WordWeight, ...]:
        """The words with the largest weights, for or against, largest first."""
        return tuple(sorted(self.words, key=lambda word: -abs(word.weight))[:count])


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a text got its emotions.

    Attributes:
        text: the original text.
        method: what computed the weights.
        emotions: one entry per explained emotion, highest score first.
        decided: whether these emotions were decided; False if none was and the nearest one is shown instead.
        asked: whether somebody asked for these emotions.
        unexplained: share of the difference between score and baseline (in log-odds) that the weights leave
            open, the worst emotion's; 0 by construction for occlusion.
        truncated: whether words past the model's longest window were left out (their weight is 0).
    """

    text: str
    method: Method
    emotions: tuple[EmotionExplanation, ...]
    decided: bool = True
    asked: bool = False
    unexplained: float = 0.0
    truncated: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return {
            "text": self.text,
            "method": self.method,
            "decided": self.decided,
            "unexplained": round(self.unexplained, 6),
            "truncated": self.truncated,
            "emotions": [
                {
                    "emotion": item.emotion,
                    "score": round(item.score, 4),
                    "threshold": round(item.threshold, 4),
                    "baseline": round(item.baseline, 4),
                    "words": [
                        {"text": w.text, "start": w.start, "end": w.end, "weight": round(w.weight, 4)}
                        for w in item.words
                    ],
                }
                for item in self.emotions
            ],
        }


def weighted(words: Sequence[Word], weights: npt.ArrayLike) -> tuple[WordWeight, ...]:
    """Words with their weights, (words,)."""
    values = np.asarray(weights, dtype=np.float64)
    return tuple(
        WordWeight(word.text, word.start, word.end, float(value)) for word, value in zip(words, values, strict=True)
    )
