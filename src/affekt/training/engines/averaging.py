"""Averages of the weights along training, evaluated and saved in place of the last weights."""

import contextlib
from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn

from affekt.errors import CheckpointError


class WeightAverage:
    """A running average of a model's trainable parameters.

    At the n-th update the average moves by ``max(1 - decay, 1 / n)`` towards the weights: a plain mean at first, so
    that nothing is left of where it started, then exponential (EMA, Polyak & Juditsky 1992). With ``decay`` 1 it
    stays the plain mean (SWA, Izmailov et al. 2018). The count lives on the device: an update is free of
    synchronisation and can be captured.

    Args:
        model: whose parameters to average; buffers and frozen parameters are left alone.
        decay: in [0, 1]; how much of the average stays at each update.
        start: updates that only copy, before the averaging begins.
    """

    def __init__(self, model: nn.Module, decay: float, start: int = 0) -> None:
        self._names = [name for name, p in model.named_parameters() if p.requires_grad]
        self._parameters: list[Tensor] = [p for p in model.parameters() if p.requires_grad]
        wide = [torch.promote_types(p.dtype, torch.float32) for p in self._parameters]
        self._averages = [p.detach().to(kind, copy=True) for p, kind in zip(self._parameters, wide, strict=True)]
        self._count = torch.zeros((), dtype=torch.float32, device=self._parameters[0].device)
        self._decay, self._start = decay, start

    @torch.no_grad()
    def update(self, stopped: Tensor | None = None) -> None:
        """Take the current weights into the average; call it after each optimizer step.

        Args:
            stopped: a scalar, 1.0 where the step was skipped, which leaves the average as it was.
        """
        going = 1.0 if stopped is None else 1.0 - stopped
        self._count += going
        share = (1.0 / (self._count - self._start).clamp(min=1.0)).clamp(min=1.0 - self._decay) * going
        for average, parameter in zip(self._averages, self._parameters, strict=True):
            average.lerp_(parameter.to(average.dtype), share.to(average.dtype))

    @contextlib.contextmanager
    def applied(self) -> Iterator[None]:
        """Within the block the model holds the averages; its own weights come back afterwards, in the same memory."""
        own = [parameter.detach().clone() for parameter in self._parameters]
        self._put(self._averages)
        try:
            yield
        finally:
            self._put(own)

    @torch.no_grad()
    def _put(self, values: list[Tensor]) -> None:
        for parameter, value in zip(self._parameters, values, strict=True):
            parameter.copy_(value)

    def state_dict(self) -> dict[str, Tensor]:
        """The averages by parameter name, and ``count``, the updates so far."""
        return {"count": self._count, **{f"average.{n}": a for n, a in zip(self._names, self._averages, strict=True)}}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go on from :meth:`state_dict`, in the same memory.

        Raises:
            CheckpointError: the averages are of other parameters.
        """
        own = self.state_dict()
        if set(own) != set(state):
            odd = min(set(own) ^ set(state))
            raise CheckpointError(f"The averaged weights belong to another model: '{odd}' is on one side only.")
        for name, tensor in own.items():
            tensor.copy_(state[name])
