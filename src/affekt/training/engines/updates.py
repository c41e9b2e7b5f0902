"""AdamW over flat weights: what follows a backward pass, without waiting for the device where that is possible."""

import importlib.util
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

import torch
from torch import Tensor

from affekt.errors import SettingError
from affekt.training.checkpoints.states import flatten, restore_optimizer
from affekt.training.engines.flat import FlatWeights
from affekt.training.engines.optimizers import require_8bit

BETAS, EPS = (0.9, 0.999), 1e-8


class Update(Protocol):
    """Moves masters by their gradients, publishes them, and sets the gradients to zero."""

    @property
    def capturable(self) -> bool:
        """Whether :meth:`apply` may be captured in a CUDA graph."""
        ...

    def apply(self, rate: Tensor, factor: Tensor, stopped: Tensor) -> None:
        """One update.

        Args:
            rate: what to multiply the groups' rates by, a float32 scalar.
            factor: what to multiply the gradients by, a float32 scalar.
            stopped: 1.0 leaves weights and moments as they are, a float32 scalar.
        """
        ...

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Moments by name, and what else there is, as JSON can hold it."""
        ...

    def restore(self, tensors: Mapping[str, Tensor], values: Mapping[str, Any]) -> None:
        """Go on from :meth:`state`, in the same memory."""
        ...


def make_update(name: str, flat: FlatWeights) -> Update:
    """The update for an optimizer's name: the fastest that works here.

    Raises:
        SettingError: an unknown name, or one that this machine cannot run.
    """
    device = flat.groups[0].master.device
    if name == "adamw8bit":
        require_8bit(device)
        return EightBitAdamW(flat)
    if name != "adamw":
        raise SettingError(f"There is no optimizer '{name}'.", hint="Choose one of: adamw, adamw8bit.")
    if device.type == "cuda" and importlib.util.find_spec("triton") is not None:
        from affekt.training.engines.triton_adamw import works

        if works(device, flat.groups[0].compute.dtype):
            return TritonAdamW(flat)
    return FusedAdamW(flat)


class _Moments:
    """Flat float32 moments of every group, and how they are saved."""

    capturable = True

    def __init__(self, flat: FlatWeights) -> None:
        self.flat = flat
        self.first = [torch.zeros_like(group.master) for group in flat.groups]
        self.second = [torch.zeros_like(group.master) for group in flat.groups]

    def _steps(self) -> list[Tensor]:
        raise NotImplementedError

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Both moments of every group, and the number of updates."""
        tensors = {f"first.{i}": moment for i, moment in enumerate(self.first)}
        tensors |= {f"second.{i}": moment for i, moment in enumerate(self.second)}
        return tensors | {"updates": self._steps()[0]}, {}

    def restore(self, tensors: Mapping[str, Tensor], values: Mapping[str, Any]) -> None:  # noqa: ARG002
        """Copy them back."""
        for i, (first, second) in enumerate(zip(self.first, self.second, strict=True)):
            first.copy_(tensors[f"first.{i}"])
            second.copy_(tensors[f"second.{i}"])
        for step in self._steps():
            step.copy_(tensors["updates"])


class FusedAdamW(_Moments):
    """PyTorch's fused AdamW, chunk by chunk, so that the float32 copy of a gradient stays small."""

    def __init__(self, flat: FlatWeights) -> None:
        super().__init__(flat)
        self._optimizers = [
            (index, place, self._optimizer(index, place))
            for index, group in enumerate(flat.groups)
            for place in group.chunks()
        ]

    def _optimizer(self, index: int, place: slice) -> torch.optim.Optimizer:
        group = self.flat.groups[index]
        chunk = group.master[place].detach().requires_grad_()
        optimizer = torch.optim.AdamW(
            [chunk], lr=torch.tensor(0.0, device=chunk.device), betas=BETAS, eps=EPS,
            weight_decay=group.settings.get("weight_decay", 0.0), fused=True, capturable=chunk.is_cuda,
        )  # fmt: skip
        step = torch.zeros((), dtype=torch.float32, device=chunk.device)
        moments = {"exp_avg": self.first[index][place], "exp_avg_sq": self.second[index][place]}
        optimizer.state[chunk] = {"step": step, **moments}
        return optimizer

    def _steps(self) -> list[Tensor]:
        return [next(iter(optimizer.state.values()))["step"] for _, _, optimizer in self._optimizers]

    def apply(self, rate: Tensor, factor: Tensor, stopped: Tensor) -> None:
        """The kernel itself multiplies by the factor and leaves out a stopped update."""
        scale = 1.0 / factor
        for index, place, optimizer in self._optimizers:
            group, settings = self.flat.groups[index], optimizer.param_groups[0]
            chunk = settings["params"][0]
            settings["lr"].copy_(rate * group.settings["lr"])
            chunk.grad = group.grad[place].float()
            optimizer.grad_scale, optimizer.found_inf = scale, stopped  # type: ignore[attr-defined]
            optimizer.step()
            chunk.grad = None
        self.flat.publish()
        self.flat.zero_grad()


class TritonAdamW(_Moments):
    """One kernel per group: :mod:`affekt.training.engines.triton_adamw`."""

    def __init__(self, flat: FlatWeights) -> None:
        super().__init__(flat)
        device = flat.groups[0].master.device
        self._step = torch.zeros((), dtype=torch.float32, device=device)
        self._betas = torch.tensor(BETAS, dtype=torch.float64, device=device)

    def _steps(self) -> list[Tensor]:
        return [self._step]

    def apply(self, rate: Tensor, factor: Tensor, stopped: Tensor) -> None:
        """All at once."""
        from affekt.training.engines.triton_adamw import update

        self._step.add_(1.0 - stopped)
        first, second = (1.0 - self._betas ** self._step.clamp(min=1.0)).float().unbind()
        scalars = torch.stack([stopped, factor, rate, first, second.sqrt()])
        for group, moment, square in zip(self.flat.groups, self.first, self.second, strict=True):
            update(
                group.master, group.compute, group.grad, moment, square, scalars,
                lr=group.settings["lr"], decay=group.settings.get("weight_decay", 0.0), betas=BETAS, eps=EPS,
            )  # fmt: skip


class EightBitAdamW:
    """bitsandbytes' 8-bit AdamW, which takes its numbers from the host and so waits for the device at every update."""

    capturable = False

    def __init__(self, flat: FlatWeights) -> None:
        import bitsandbytes

        self.flat = flat
        self._optimizers: list[tuple[int, slice, Any]] = []
        for index, place in _places(flat):
            group = flat.groups[index]
            chunk = group.master[place].detach().requires_grad_()
            decay = group.settings.get("weight_decay", 0.0)
            optimizer = bitsandbytes.optim.AdamW8bit([chunk], lr=0.0, betas=BETAS, eps=EPS, weight_decay=decay)
            self._optimizers.append((index, place, optimizer))

    def apply(self, rate: Tensor, factor: Tensor, stopped: Tensor) -> None:
        """Chunk by chunk; nothing at all where stopped."""
        lr, scale, skip = torch.stack([rate, factor, stopped]).tolist()
        for index, place, optimizer in () if skip else self._optimizers:
            group, settings = self.flat.groups[index], optimizer.param_groups[0]
            chunk = settings["params"][0]
            settings["lr"] = lr * group.settings["lr"]
            chunk.grad = group.grad[place].float().mul_(scale)
            optimizer.step()
            chunk.grad = None
        self.flat.publish()
        self.flat.zero_grad()

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """The states of every chunk."""
        tensors: dict[str, Tensor] = {}
        values: dict[str, Any] = {}
        for number, (_, _, optimizer) in enumerate(self._optimizers):
            more, values[str(number)] = flatten(optimizer.state_dict()["state"], f"optimizer.{number}")
            tensors |= more
        return tensors, values

    def restore(self, tensors: Mapping[str, Tensor], values: Mapping[str, Any]) -> None:
        """Give them back."""
        for number, (_, _, optimizer) in enumerate(self._optimizers):
            restore_optimizer(optimizer, tensors, values[str(number)])


def _places(flat: FlatWeights) -> Iterator[tuple[int, slice]]:
    for index, group in enumerate(flat.groups):
        for place in group.chunks():
            yield index, place


class FlatAverage:
    """The running average of :class:`affekt.training.engines.averaging.WeightAverage`, over flat masters.

    Args:
        flat: whose masters to average.
        decay: how much of the average stays at each update.
    """

    def __init__(self, flat: FlatWeights, decay: float) -> None:
        self._flat, self._decay = flat, decay
        self.values = [group.master.clone() for group in flat.groups]
        self._count = torch.zeros((), dtype=torch.float32, device=self.values[0].device)

    def update(self, stopped: Tensor) -> None:
        """Take the masters in, unless the update was stopped."""
        going = 1.0 - stopped
        self._count.add_(going)
        share = (1.0 / self._count.clamp(min=1.0)).clamp(min=1.0 - self._decay) * going
        for value, group in zip(self.values, self._flat.groups, strict=True):
            value.lerp_(group.master, share)

    def state(self) -> dict[str, Tensor]:
        """Averages by name."""
        return {"average.count": self._count} | {f"average.{i}": value for i, value in enumerate(self.values)}

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Copy them back."""
        for name, tensor in self.state().items():
            tensor.copy_(tensors[name])
