"""The processes of a run, one per device, and the little that they must agree on."""

from dataclasses import dataclass, field
from typing import Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, distributed


@dataclass(frozen=True)
class Processes:
    """This process among those of the run; alone unless ``torch.distributed`` was started.

    Attributes:
        rank: this process, in [0, size).
        size: how many there are.
        device: where tensors must lie that the processes exchange.
    """

    rank: int = 0
    size: int = 1
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))

    @classmethod
    def current(cls, device: torch.device) -> Self:
        """The processes of the default group, or this one alone."""
        if not (distributed.is_available() and distributed.is_initialized()):
            return cls(device=device)
        return cls(distributed.get_rank(), distributed.get_world_size(), device)

    @property
    def first(self) -> bool:
        """Whether this is the process that writes files and speaks."""
        return self.rank == 0

    def share(self, texts: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
        """This process's texts of a global batch: every ``size``-th, so that shares differ by at most one text."""
        return texts[self.rank :: self.size]

    def add_up(self, tensor: Tensor) -> Tensor:
        """The sum over the processes, in place."""
        if self.size > 1:
            distributed.all_reduce(tensor)
        return tensor

    def any(self, flag: bool) -> bool:
        """Whether the flag is set in any process; all of them must ask."""
        if self.size == 1:
            return flag
        return bool(self.add_up(torch.tensor(float(flag), device=self.device)).item())

    def gather(self, tensor: Tensor) -> list[Tensor]:
        """The tensor of every process, on the CPU; all of one shape and type."""
        if self.size == 1:
            return [tensor.cpu()]
        mine = tensor.to(self.device)
        everyone = [torch.empty_like(mine) for _ in range(self.size)]
        distributed.all_gather(everyone, mine)
        return [one.cpu() for one in everyone]

    def wait(self) -> None:
        """Until all processes are here."""
        if self.size > 1:
            distributed.barrier()
