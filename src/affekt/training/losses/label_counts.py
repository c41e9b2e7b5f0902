"""How often the labels of a training set occur, alone and together: what weighted and correlation losses start from."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from affekt.errors import SettingError


@dataclass(frozen=True, slots=True)
class LabelCounts:
    """Sums over texts, in which soft targets count as their value and unknown ones (NaN) not at all.

    Attributes:
        known: (labels, labels) float64, texts where both labels are known; the diagonal where the one is.
        joint: (labels, labels) float64, texts that carry both labels; the diagonal those that carry the one.
        first: (labels, labels) float64, texts that carry the row's label among those where both are known.
    """

    known: NDArray[np.float64]
    joint: NDArray[np.float64]
    first: NDArray[np.float64]

    @classmethod
    def of(cls, targets: NDArray[np.floating]) -> Self:
        """Counts of ``targets``, (texts, labels) in [0, 1] or NaN."""
        known = (~np.isnan(targets)).astype(np.float64)
        values = np.nan_to_num(targets.astype(np.float64), nan=0.0)
        joint = values.T @ values
        np.fill_diagonal(joint, values.sum(0))
        return cls(known.T @ known, joint, values.T @ known)

    def positive_weights(self, cap: float) -> NDArray[np.float32]:
        """(labels,) negatives / positives, within [1, cap]; a label never seen gets 1, for there is nothing to weigh.

        Raises:
            SettingError: ``cap`` is below 1.
        """
        if not cap >= 1.0:
            raise SettingError(f"The loss's 'pos_weight_cap' must be at least 1, got {cap!r}.")
        known, positives = np.diag(self.known), np.diag(self.joint)
        ratio = (known - positives) / np.maximum(positives, 1e-9)
        return np.where(positives > 0, np.clip(ratio, 1.0, cap), 1.0).astype(np.float32)

    def correlation(self) -> NDArray[np.float32]:
        """(labels, labels) phi coefficients in [-1, 1]; 0 on the diagonal and where a label is constant."""
        texts = np.maximum(self.known, 1.0)
        row, column = self.first / texts, self.first.T / texts
        spread = np.sqrt(row * (1.0 - row) * column * (1.0 - column))
        covariance = self.joint / texts - row * column
        phi = np.where(spread > 1e-9, covariance / np.maximum(spread, 1e-9), 0.0)
        np.fill_diagonal(phi, 0.0)
        return np.clip(phi, -1.0, 1.0).astype(np.float32)
