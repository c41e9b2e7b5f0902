"""Active learning: which unlabelled texts are most worth labelling next."""

from affekt.selection.suggest import Suggestion, suggest

__all__ = ["Suggestion", "suggest"]
