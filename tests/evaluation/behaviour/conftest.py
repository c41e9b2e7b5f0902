"""A model of three words whose behaviour is known."""

from collections.abc import Sequence

import numpy as np
import pytest

from affekt.decision import Calibration, DecisionRule, sigmoid
from affekt.evaluation.behaviour import Subject

LABELS = ("joy", "sadness", "anger")


def scores(texts: Sequence[str]) -> np.ndarray:
    """Joy for "happy", sadness for "sad", anger for "mad"; never heard of negation; capitals count double for anger."""
    odds = [
        [4.0 * ("happy" in t.lower()) - 2, 4.0 * ("sad" in t.lower()) - 2, 4.0 * ("mad" in t) + 8.0 * ("MAD" in t) - 2]
        for t in texts
    ]
    return sigmoid(np.array(odds).reshape(len(texts), 3))


@pytest.fixture
def subject() -> Subject:
    rule = DecisionRule(Calibration.identity(3), (0.5,) * 3)
    return Subject(LABELS, {label: frozenset({label}) for label in LABELS}, rule, scores)
