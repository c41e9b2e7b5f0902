"""Which words moved which emotion: by occlusion on any backend, by integrated gradients on PyTorch."""

from affekt.explanation.explain import explain
from affekt.explanation.explanation import EmotionExplanation, Explanation, WordWeight

__all__ = ["EmotionExplanation", "Explanation", "WordWeight", "explain"]
