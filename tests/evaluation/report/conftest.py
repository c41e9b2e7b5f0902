"""An evaluation made of chance with a little sense, quick to report on."""

import numpy as np
import pytest

from affekt.decision import Calibration, DecisionRule
from affekt.evaluation import Evaluation, Resampling, measure
from affekt.evaluation.measure import Naming

LABELS = ("joy", "fear & awe", "<b>rage</b>", "unseen", "neutral")


def made(seed: int = 0, texts: int = 120, name: str = "one", *, folded: bool = False) -> Evaluation:
    """Models of different seeds are measured on the same truth."""
    truth = np.random.default_rng(9).random((texts, 5)) < [0.4, 0.1, 0.05, 0.0, 0.3]
    truth[0] = [True, True, False, False, False]
    logits = (np.random.default_rng(seed).normal(size=truth.shape) + 2.0 * truth - 1.0).astype(np.float32)
    calibration = Calibration.identity(5) if folded else Calibration((0.9,) * 5, (-0.1,) * 5)
    rule = DecisionRule(calibration, (0.5, 0.3, 0.3, 0.9, 0.4))
    return measure(
        logits, truth, LABELS, rule=rule, naming=Naming(name, "some $x_1$ data", "custom"),
        resampling=Resampling(resamples=50, repeats=1), notes=["One note."],
    )  # fmt: skip


@pytest.fixture(scope="session")
def found() -> Evaluation:
    return made()


@pytest.fixture(scope="session")
def texts() -> list[str]:
    return [f"text {i} <script>alert({i})</script> " + "word " * (i % 45) for i in range(120)]
