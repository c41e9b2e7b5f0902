"""Labelled scores from a known world: labels of given rates, logits that are calibrated until they are deformed."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

RATES = (0.3, 0.1, 0.05, 0.02, 0.005)


@dataclass(frozen=True)
class World:
    """(texts, labels) arrays: what a model says, what is true, and the true probabilities."""

    logits: npt.NDArray[np.float32]
    truth: npt.NDArray[np.bool_]
    probability: npt.NDArray[np.float64]


def simulate(
    texts: int = 2000,
    rates: Sequence[float] = RATES,
    seed: int = 0,
    spread: float = 2.0,
    slope: float = 1.0,
    intercept: float = 0.0,
) -> World:
    """Draw probabilities around each label's rate, labels from these, and logits = (log odds - intercept) / slope."""
    rng = np.random.default_rng(seed)
    odds = np.log(rates) - np.log1p(-np.asarray(rates)) + spread * rng.standard_normal((texts, len(rates)))
    probability = 1.0 / (1.0 + np.exp(-odds))
    truth = rng.random(probability.shape) < probability
    return World(((odds - intercept) / slope).astype(np.float32), truth, probability)
