"""Calibration folded into a model's last layer, so that any program's plain sigmoid gives the calibrated score."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from affekt.decision import Calibration, DecisionRule
from affekt.errors import SettingError
from affekt.model_folder import RuleRecord

FloatArray = npt.NDArray[np.float32]


def fold_calibration(
    weight: npt.ArrayLike, bias: npt.ArrayLike, calibration: Calibration
) -> tuple[FloatArray, FloatArray]:
    """Weights of a last linear layer whose logits are the calibrated ones: slope * (w x + b) + intercept.

    Args:
        weight: (labels, hidden).
        bias: (labels,).
        calibration: one slope and intercept per label.

    Returns:
        Weight and bias of the same shapes, float32.

    Raises:
        SettingError: if the calibration is not for as many labels.
    """
    matrix, offset = np.asarray(weight, dtype=np.float64), np.asarray(bias, dtype=np.float64)
    slope, intercept = np.asarray(calibration.slope), np.asarray(calibration.intercept)
    if not matrix.shape[:1] == offset.shape == slope.shape:
        raise SettingError(f"A calibration of {slope.size} labels cannot be folded into a layer of {offset.size}.")
    return (matrix * slope[:, None]).astype(np.float32), (offset * slope + intercept).astype(np.float32)


def folded_rules(rules: Mapping[str, RuleRecord], own: str) -> dict[str, RuleRecord]:
    """The rules of the folded model: its own labels need no calibration any more, thresholds stay.

    The rules of derived label sets apply to combined calibrated scores, which folding does not change.

    Args:
        rules: label set -> rule, as from :func:`~affekt.tuning.rules.fit_taxonomy_rules`.
        own: name of the model's own label set.
    """
    record = rules[own]
    rule = DecisionRule(Calibration.identity(len(record.labels)), record.thresholds, record.empty)
    return {**rules, own: RuleRecord.of(record.labels, rule, record.fitted_on)}
