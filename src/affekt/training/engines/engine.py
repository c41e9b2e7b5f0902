"""The protocol between the training loop and what runs a step, and the figures that a step leaves behind."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from affekt.batching import batches
from affekt.training.batching.batches import TokenIds
from affekt.training.engines.processes import Processes


@dataclass(frozen=True)
class StepTotals:
    """Sums since the last reading, over all processes.

    Attributes:
        loss: sum over steps of the step's mean loss per text.
        steps: optimizer steps taken or skipped.
        skipped: steps left out because a gradient was not finite.
        grad_norm: sum over steps of the gradients' global norm.
        last_skipped: which of these steps was skipped last, counted from 0; -1 if none was.
    """

    loss: float
    steps: int
    skipped: int
    grad_norm: float
    last_skipped: int = -1

    @property
    def mean_loss(self) -> float:
        """Mean loss per text over the steps; NaN where there were none."""
        return self.loss / self.steps if self.steps else float("nan")


class Tally:
    """The totals as they add up on the device, where nothing waits for them.

    Args:
        device: the engine's.
    """

    def __init__(self, device: torch.device) -> None:
        self._sums = torch.zeros(5, dtype=torch.float32, device=device)

    def add_loss(self, loss: Tensor) -> None:
        """Take in this process's part of a step's mean loss per text."""
        self._sums[0].add_(torch.nan_to_num(loss.detach().float(), 0.0, 0.0, 0.0))

    def add_step(self, norm: Tensor, stopped: Tensor) -> None:
        """Count a step by its gradients' norm, and whether (1.0) or not (0.0) it was skipped."""
        sums = self._sums
        sums[1].add_(1.0)
        sums[2].add_(stopped)
        sums[3].add_(torch.nan_to_num(norm.detach().float(), 0.0, 0.0, 0.0))
        sums[4].copy_(torch.where(stopped > 0, sums[1], sums[4]))

    def read(self, processes: Processes) -> StepTotals:
        """Totals since the last reading; waits for the device, and for the other processes."""
        sums = self._sums.clone()
        processes.add_up(sums[:1])
        loss, steps, skipped, norm, last = sums.tolist()
        self._sums.zero_()
        return StepTotals(loss, int(steps), int(skipped), norm, int(last) - 1)


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

    def saved(self, tensors: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """What :meth:`weights` was when ``tensors`` were taken by :meth:`state`; the same in all processes."""
        ...

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Tensors and JSON values that, given back to :meth:`restore`, continue the run exactly."""
        ...

    def restore(self, tensors: Mapping[str, Tensor], values: Mapping[str, Any]) -> None:
        """Continue from what :meth:`state` gave."""
        ...


def gathered_logits(
    forward: Callable[[TokenIds], Tensor], token_ids: TokenIds, labels: int, budget: int, processes: Processes
) -> npt.NDArray[np.float32]:
    """Logits (texts, labels) in input order, from length-sorted batches that the processes share.

    Args:
        forward: (token ids of a batch) -> logits (texts, labels) on the engine's device.
        token_ids: of all texts.
        labels: how many there are.
        budget: tokens of a batch.
        processes: each takes every ``size``-th batch, and all get all logits.
    """
    groups = batches([len(ids) for ids in token_ids], budget)
    logits = torch.zeros((len(token_ids), labels), dtype=torch.float32, device=processes.device)
    for turn in range(0, len(groups), processes.size):
        number = turn + processes.rank
        group = groups[number % len(groups)]  # a turn without work is taken all the same: others wait in it
        values = forward([token_ids[i] for i in group]).float()
        if number < len(groups):
            logits[torch.from_numpy(group).to(logits.device)] = values
    return processes.add_up(logits).cpu().numpy()
