"""Whole tensors from sharded ones and back: what FSDP spreads over processes is saved as if it had not been."""

import torch
from torch import Tensor
from torch.optim import Optimizer

try:
    from torch.distributed.tensor import DTensor, distribute_tensor
except ImportError:  # built without distributed
    DTensor = None  # type: ignore[assignment,misc]


def whole(tensor: Tensor) -> Tensor:
    """The full tensor; of a sharded one, all processes must ask."""
    if DTensor is None or not isinstance(tensor, DTensor):
        return tensor
    full: Tensor = tensor.full_tensor()
    return full


@torch.no_grad()
def put(target: Tensor, full: Tensor) -> None:
    """Copy a full tensor into one that may be sharded."""
    target.copy_(_like(full, target))


@torch.no_grad()
def spread(optimizer: Optimizer) -> None:
    """Shard the moments of an optimizer as its parameters are."""
    for parameter, state in optimizer.state.items():
        for name, value in state.items():
            if isinstance(value, Tensor) and value.shape == parameter.shape:
                state[name] = _like(value, parameter)


def _like(full: Tensor, target: Tensor) -> Tensor:
    if DTensor is None or not isinstance(target, DTensor) or isinstance(full, DTensor):
        return full
    return distribute_tensor(full.to(target.device), target.device_mesh, target.placements)
