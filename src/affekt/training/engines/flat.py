"""A model's weights in few long buffers: float32 masters to update, and a copy in the compute type for the model.

Long buffers make clipping, casting and the optimizer a handful of kernels instead of thousands, and pure bfloat16
layers need no casts in between; the masters keep updates that bfloat16 would round away (Micikevicius et al. 2018).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

ALIGNMENT = 256
"""Elements; blocks of 8-bit optimizer states never span two parameters."""
CHUNK = 2**25


@dataclass(frozen=True)
class FlatGroup:
    """Parameters that share optimizer settings.

    Attributes:
        master: (elements,) float32, what the optimizer updates.
        compute: (elements,) in the compute type, what the model's parameters are views of.
        grad: (elements,) in the compute type, what the parameters' gradients are views of.
        settings: the group's optimizer settings (``lr``, ``weight_decay``).
    """

    master: Tensor
    compute: Tensor
    grad: Tensor
    settings: dict[str, Any]

    def chunks(self) -> Iterator[slice]:
        """Slices of at most :data:`CHUNK` elements, so that a float32 copy of a gradient stays small."""
        for start in range(0, self.master.numel(), CHUNK):
            yield slice(start, min(start + CHUNK, self.master.numel()))


class FlatWeights:
    """Moves a model's trainable parameters into flat buffers; the model keeps working, on views.

    Args:
        model: its parameters must be float32.
        groups: optimizer groups, each with ``params`` and settings, that hold every trainable parameter once.
        compute_dtype: type of the model's forward and backward pass.
    """

    def __init__(self, model: nn.Module, groups: Sequence[dict[str, Any]], compute_dtype: torch.dtype) -> None:
        self.model = model
        self._places: dict[str, tuple[int, slice, torch.Size]] = {}
        names = {id(parameter): name for name, parameter in model.named_parameters()}
        self.groups = [self._flatten(index, group, names, compute_dtype) for index, group in enumerate(groups)]
        for buffer_name, buffer in list(model.named_buffers()):
            if buffer.is_floating_point():
                _set_buffer(model, buffer_name, buffer.to(compute_dtype))

    def _flatten(self, index: int, group: dict[str, Any], names: dict[int, str], dtype: torch.dtype) -> FlatGroup:
        parameters: list[nn.Parameter] = list(group["params"])
        sizes = [-(-p.numel() // ALIGNMENT) * ALIGNMENT for p in parameters]
        master = torch.zeros(sum(sizes), dtype=torch.float32, device=parameters[0].device)
        grad = torch.zeros(sum(sizes), dtype=dtype, device=master.device)
        start = 0
        for parameter, size in zip(parameters, sizes, strict=True):
            place = slice(start, start + parameter.numel())
            master[place] = parameter.detach().flatten()
            self._places[names[id(parameter)]] = (index, place, parameter.shape)
            start += size
        compute = master if dtype == torch.float32 else master.to(dtype)
        for parameter in parameters:
            _, place, shape = self._places[names[id(parameter)]]
            parameter.data = compute[place].view(shape)
            parameter.grad = grad[place].view(shape)
        return FlatGroup(master, compute, grad, {k: v for k, v in group.items() if k != "params"})

    def layout(self) -> Iterator[tuple[FlatGroup, list[tuple[str, int]]]]:
        """Each group with its parameters' names and where their room ends, in order."""
        for number, group in enumerate(self.groups):
            inside = [(name, place) for name, (index, place, _) in self._places.items() if index == number]
            ordered = sorted(inside, key=lambda item: item[1].start)
            yield group, [(name, -(-place.stop // ALIGNMENT) * ALIGNMENT) for name, place in ordered]

    def zero_grad(self) -> None:
        """Set every gradient to zero, in place."""
        for group in self.groups:
            group.grad.zero_()

    def publish(self, source: Sequence[Tensor] | None = None) -> None:
        """Copy the masters, or other buffers of their shape, into what the model computes with."""
        for group, values in zip(self.groups, source or [g.master for g in self.groups], strict=True):
            if group.compute.data_ptr() != values.data_ptr():
                group.compute.copy_(values)

    def swap_in(self, source: Sequence[Tensor]) -> list[Tensor]:
        """Publish ``source`` for a while; publishing what is returned puts everything back."""
        own = [g.master.clone() if g.compute is g.master else g.master for g in self.groups]
        self.publish(source)
        return own

    def grad_norm(self) -> Tensor:
        """Global 2-norm of the gradients, a float32 scalar."""
        norms = [torch.linalg.vector_norm(g.grad, dtype=torch.float32) for g in self.groups]
        norm: Tensor = torch.linalg.vector_norm(torch.stack(norms))
        return norm

    def named(self, source: Sequence[Tensor] | None = None) -> dict[str, Tensor]:
        """Name -> float32 view of the masters, or of other buffers of their shape."""
        buffers = list(source or [g.master for g in self.groups])
        return {name: buffers[index][place].view(shape) for name, (index, place, shape) in self._places.items()}


def _set_buffer(model: nn.Module, name: str, value: Tensor) -> None:
    owner, _, last = name.rpartition(".")
    setattr(model.get_submodule(owner), last, value)
