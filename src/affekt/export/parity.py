"""Whether an exported graph gives the answers of the model that it came from."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from affekt.decision import DecisionRule, decide
from affekt.errors import ParityError
from affekt.evaluation.metrics import macro_f1

MOST_DIFFERENCE = 1e-4
"""Greatest difference of a logit between PyTorch and the float32 graph."""

MOST_FLIPPED = 0.01
"""Greatest share of decisions that differ between PyTorch and the int8 graph."""

MOST_LOST = 0.005
"""Greatest difference in macro-F1 between PyTorch and the int8 graph."""

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Parity:
    """How near two sets of logits of the same texts are.

    Attributes:
        difference: greatest difference of a logit.
        flipped: share of decisions that differ.
        macro_f1: of the graph.
        reference_macro_f1: of PyTorch.
    """

    difference: float
    flipped: float
    macro_f1: float
    reference_macro_f1: float


def compare(found: FloatArray, reference: FloatArray, truth: FloatArray, rule: DecisionRule) -> Parity:
    """Compare a graph's logits with PyTorch's.

    Args:
        found: (texts, labels) logits of the graph.
        reference: (texts, labels) logits of PyTorch.
        truth: (texts, labels) gold labels; NaN where unknown, and such cells count for neither.
        rule: the model's own.
    """
    known = ~np.isnan(truth)
    gold = (np.nan_to_num(truth) >= 0.5) & known
    ours, theirs = (_decisions(logits, rule) for logits in (found, reference))
    return Parity(
        difference=float(np.abs(found - reference).max(initial=0.0)),
        flipped=float((ours != theirs).mean()),
        macro_f1=float(macro_f1(gold, ours & known)),
        reference_macro_f1=float(macro_f1(gold, theirs & known)),
    )


def _decisions(logits: FloatArray, rule: DecisionRule) -> npt.NDArray[np.bool_]:
    return decide(rule.calibration.apply(logits), rule.thresholds)


def require_float(parity: Parity) -> None:
    """Refuse a float32 graph that is not PyTorch's model.

    Raises:
        ParityError: if a logit differs by more than ``MOST_DIFFERENCE``.
    """
    if not parity.difference <= MOST_DIFFERENCE:
        raise ParityError(
            f"The float32 graph's logits differ from PyTorch's by up to {parity.difference:.2g}; "
            f"at most {MOST_DIFFERENCE:g} is allowed.",
            hint="Nothing was written. Please report the architecture.",
        )


def passes_int8(parity: Parity) -> bool:
    """Whether an int8 graph decides alike."""
    lost = abs(parity.macro_f1 - parity.reference_macro_f1)
    return parity.flipped <= MOST_FLIPPED and lost <= MOST_LOST


def require_int8(parity: Parity) -> None:
    """Refuse an int8 graph that decides differently.

    Raises:
        ParityError: if more than ``MOST_FLIPPED`` of the decisions differ, or macro-F1 by more than ``MOST_LOST``.
    """
    if passes_int8(parity):
        return
    lost = abs(parity.macro_f1 - parity.reference_macro_f1)
    raise ParityError(
        f"The int8 graph decides {parity.flipped:.2%} of labels differently (at most {MOST_FLIPPED:.0%} is allowed) "
        f"and its macro-F1 differs by {lost:.4f} (at most {MOST_LOST:g}).",
        hint="Nothing was written. Export with --float-only, or calibrate on other texts (--calibration).",
    )
