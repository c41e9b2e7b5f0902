"""The protocol between the training loop and what runs a step, and the figures that a step leaves behind."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from torch import Tensor

from affekt.batching import batches
from affekt.training.batches import TokenIds


@dataclass(frozen=True)
class StepTotals:
    """Sums since the last reading, over all processes.

    Attributes:
        loss: sum over steps of the step's mean loss per text.
        steps: optimizer steps taken or skipped.
        skipped: steps left out because a gradient was not finite.
        grad_norm: sum over steps of the gradients' global norm.
    """

    loss: float
    steps: int
    skipped: int
    grad_norm: float

    @property
    def mean_loss(self) -> float:
        """Mean loss per text over the steps; NaN where there were none."""
        return self.loss / self.steps if self.steps else float("nan")


class Engine(Protocol):
    """Runs optimizer steps and forward passes of one model. Prepared batches are opaque to the loop."""

    @property
    def name(self) -> str:
        """What the log and the progress bar call it."""
        ...

    def prepare(self, texts: npt.NDArray[np.intp]) -> Any:
        """The tensors of one global batch (this process's share of ``texts``); called ahead, in another thread."""
        ...

    def step(self, prepared: Any, lr_factor: float) -> None:
        """One optimizer step at ``lr_factor`` times each group's rate; does not wait for the device."""
        ...

    def read(self) -> StepTotals:
        """Totals since the last reading; waits for the device."""
        ...

    def logits(self, token_ids: TokenIds) -> npt.NDArray[np.float32]:
        """Logits (texts, labels) of the weights that would be saved, in input order."""
        ...

    def weights(self) -> Mapping[str, Tensor]:
        """Name -> float32 weights that would be saved (averaged ones, if the recipe averages)."""
        ...

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Tensors and JSON values that, given back to :meth:`restore`, continue the run exactly."""
        ...

    def restore(self, tensors: Mapping[str, Tensor], values: Mapping[str, Any]) -> None:
        """Continue from what :meth:`state` gave."""
        ...


def share(texts: npt.NDArray[np.intp], rank: int, processes: int) -> npt.NDArray[np.intp]:
    """One process's share of a global batch: every ``processes``-th text, so that shares differ by at most one."""
    return texts[rank::processes]


def length_sorted(token_ids: TokenIds, budget: int) -> list[npt.NDArray[np.intp]]:
    """Groups of texts of similar length, longest first, of at most ``budget`` tokens when padded."""
    return batches([len(ids) for ids in token_ids], budget)
