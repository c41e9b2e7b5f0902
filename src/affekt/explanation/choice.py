"""Which emotions of a text are worth explaining."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from affekt.decision import DecisionRule, FloatArray, decide
from affekt.errors import SettingError


def choose(
    labels: Sequence[str], scores: FloatArray, rule: DecisionRule, emotions: Sequence[str] | None = None
) -> tuple[list[int], bool]:
    """Which labels to explain, highest score first, and whether all of them were decided.

    Args:
        labels: all of the label set.
        scores: (labels,) calibrated scores of one text.
        rule: what decides.
        emotions: the labels asked for; by default those decided, or the one nearest to its threshold if none was.

    Raises:
        SettingError: if a label asked for does not exist.
    """
    unknown = sorted(set(emotions or ()) - set(labels))
    if unknown:
        known = ", ".join(labels)
        raise SettingError(f"There is no emotion '{unknown[0]}' in this label set.", hint=f"It has: {known}.")
    neutral = labels.index("neutral") if "neutral" in labels else None
    decided: npt.NDArray[np.bool_] = decide(scores[None], rule.thresholds, rule.empty, neutral)[0]
    if emotions is not None:
        wanted = [index for index, label in enumerate(labels) if label in emotions]
    else:
        shown = decided if decided.any() else decide(scores[None], rule.thresholds, "best")[0]
        wanted = np.flatnonzero(shown).tolist()
    return sorted(wanted, key=lambda index: -float(scores[index])), bool(decided[wanted].all())
