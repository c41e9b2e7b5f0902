"""Gradients added up over the processes while the backward pass still runs, piece by piece.

A piece of the flat gradients is on its way as soon as its last parameter has its gradient, so that the exchange hides
behind the layers below (Li et al. 2020, PyTorch Distributed). All processes run the same model, so that pieces fill in
the same order everywhere.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, distributed, nn

from affekt.training.engines.flat import FlatWeights

PIECE = 2**24
"""Elements of a piece at least: large enough to use the links fully, small enough to start early."""


@dataclass
class Piece:
    """A stretch of a flat gradient.

    Attributes:
        grad: the stretch.
        parameters: how many parameters lie in it.
        filled: how many of these have their gradient in this pass.
    """

    grad: Tensor
    parameters: int
    filled: int = 0


class Exchange:
    """Adds up flat gradients during the backward passes that it is told of.

    Args:
        flat: whose gradients.
        parameters: name -> parameter of the model that ``flat`` holds.
        size: elements of a piece at least.
    """

    def __init__(self, flat: FlatWeights, parameters: dict[str, nn.Parameter], size: int = PIECE) -> None:
        self._running = False
        self._works: list[Any] = []
        self.pieces: list[Piece] = []
        for group, names in flat.layout():
            self._cut(group.grad, names, parameters, size)
        # The links are set up by the first collective, and that cannot be captured.
        distributed.all_reduce(torch.zeros(1, device=self.pieces[0].grad.device))

    def _cut(self, grad: Tensor, names: list[tuple[str, int]], parameters: dict[str, nn.Parameter], size: int) -> None:
        """Cut one flat gradient into pieces at the ends of parameters."""
        start, inside = 0, []
        for number, (name, stop) in enumerate(names):
            inside.append(name)
            last = number == len(names) - 1
            if stop - start < size and not last:
                continue
            piece = Piece(grad[start : grad.numel() if last else stop], len(inside))
            for one in inside:
                parameters[one].register_post_accumulate_grad_hook(self._hook(piece))
            self.pieces.append(piece)
            start, inside = stop, []

    def _hook(self, piece: Piece) -> Callable[[Tensor], None]:
        def filled(_: Tensor) -> None:
            if not self._running:
                return
            piece.filled += 1
            if piece.filled == piece.parameters:
                self._send(piece)

        return filled

    def _send(self, piece: Piece) -> None:
        self._works.append(distributed.all_reduce(piece.grad, async_op=True))

    def during(self, backward: Callable[[], None]) -> None:
        """Run a backward pass, and return when what it adds to the gradients is added up over the processes.

        Args:
            backward: the last pass of a batch, after which gradients are complete.
        """
        for piece in self.pieces:
            piece.filled = 0
        self._running, self._works = True, []
        try:
            backward()
        finally:
            self._running = False
        for piece in self.pieces:
            if piece.filled != piece.parameters:  # a parameter that takes no part
                self._send(piece)
        for work in self._works:
            work.wait()
