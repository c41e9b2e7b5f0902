"""The score that chooses the best epoch: macro-F1 on dev at the recipe's fixed threshold."""

import math

import numpy as np
import numpy.typing as npt

from affekt.decision import sigmoid
from affekt.training.batching.batches import TokenIds
from affekt.training.engines.engine import Engine
from affekt.tuning.arrays import count, f1_of


class Evaluator:
    """Scores an engine's weights as they are.

    Args:
        engine: gives the logits.
        token_ids: of the dev texts.
        targets: (texts, labels) float32; a label counts as present from 0.5, and NaN is left out.
        threshold: compared with ``sigmoid(logit)``.
    """

    def __init__(self, engine: Engine, token_ids: TokenIds, targets: npt.NDArray[np.float32], threshold: float) -> None:
        self.engine, self.token_ids, self.threshold = engine, token_ids, threshold
        self.known = ~np.isnan(targets)
        self.truth = np.nan_to_num(targets) >= 0.5

    def __call__(self) -> float:
        """Macro-F1, or NaN where logits are not finite."""
        logits = self.engine.logits(self.token_ids)
        if not np.isfinite(logits).all():
            return math.nan
        return masked_macro_f1(self.truth, sigmoid(logits) >= self.threshold, self.known)


def masked_macro_f1(
    truth: npt.NDArray[np.bool_], decisions: npt.NDArray[np.bool_], known: npt.NDArray[np.bool_]
) -> float:
    """Macro-F1 over (texts, labels) where the truth is known; labels without anything count as 0, as everywhere."""
    return float(np.mean(f1_of(count(truth & known, decisions & known))))
