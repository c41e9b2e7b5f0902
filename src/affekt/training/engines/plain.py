"""The engine that runs everywhere: accelerate's devices, processes and mixed precision, any layout, any architecture.

Accumulation is exact: every micro-batch adds the sum of its texts' losses over the weight of the global batch, so that
a batch gives one step, however it is cut. Across processes the mean that DDP takes is made up for, and gradients are
exchanged once a step.
"""

import contextlib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from accelerate import Accelerator
from torch import Tensor, nn
from transformers import PreTrainedModel

from affekt.training.batching.batches import Layout, MicroBatch, TokenIds, Tokens, micro_batches
from affekt.training.checkpoints.states import optimizer_state, restore_optimizer
from affekt.training.engines.averaging import WeightAverage
from affekt.training.engines.engine import StepTotals, Tally, gathered_logits
from affekt.training.engines.optimizers import Rates, make_optimizer
from affekt.training.engines.processes import Processes
from affekt.training.engines.sharded import put, spread, whole
from affekt.training.losses.objective import Classifier

EVALUATION_TOKENS = 16_384


class Step(nn.Module):
    """A micro-batch's loss, or some texts' logits, behind one ``forward``, which is what DDP and FSDP hook into."""

    def __init__(self, classifier: Classifier, objective: nn.Module) -> None:
        super().__init__()
        self.classifier, self.objective = classifier, objective

    def forward(self, batch: MicroBatch | Tokens) -> Tensor:
        """The sum of the texts' losses, or logits (texts, labels)."""
        given = self.objective(self.classifier, batch) if isinstance(batch, MicroBatch) else self.classifier(batch)
        result: Tensor = given
        return result


@dataclass(frozen=True)
class Prepared:
    """One process's part of a global batch.

    Attributes:
        passes: micro-batches, as many in every process.
        scale: what to multiply the sum of losses by.
    """

    passes: list[MicroBatch]
    scale: float


class PlainEngine:
    """Steps through accelerate.

    Args:
        model: a stock sequence classifier in float32.
        objective: what to minimise: (classifier, micro-batch) -> the sum over texts.
        groups: optimizer groups with ``params``, ``lr`` and ``weight_decay``.
        layout: of the batches.
        token_ids: of the training texts.
        targets: (texts, labels) float32.
        weights: (texts,) float32.
        accelerator: device, processes and precision.
        size: texts per forward pass and process.
        max_grad_norm: 0 leaves gradients as they are.
        average_decay: of the moving average of the weights; 0 keeps none.
        optimizer: ``adamw`` or ``adamw8bit``.
        checkpointing: compute layers again in the backward pass.

    Raises:
        SettingError: if the optimizer cannot run here.
    """

    name = "plain"

    def __init__(
        self,
        model: PreTrainedModel,
        objective: nn.Module,
        groups: Sequence[dict[str, Any]],
        layout: Layout,
        token_ids: TokenIds,
        targets: npt.NDArray[np.float32],
        weights: npt.NDArray[np.float32],
        *,
        accelerator: Accelerator,
        size: int,
        max_grad_norm: float = 1.0,
        average_decay: float = 0.0,
        optimizer: str = "adamw",
        checkpointing: bool = False,
    ) -> None:
        self.accelerator, self.device = accelerator, torch.device(accelerator.device)
        self.processes = Processes.current(self.device)
        model.to(self.device)  # type: ignore[arg-type]
        self.model, self.layout, self.size = model, layout, size
        self.token_ids, self.targets, self.text_weights = token_ids, targets, weights
        self.max_grad_norm = max_grad_norm or math.inf
        if checkpointing:
            _checkpoint_layers(model)
        rated = [{**group, "lr_factor": group["lr"]} for group in groups]
        module = Step(Classifier(model), objective)
        self.wrapped, self.optimizer = accelerator.prepare(module, make_optimizer(optimizer, rated))
        self.module = accelerator.unwrap_model(self.wrapped, keep_fp32_wrapper=True)
        self.eight_bit = optimizer == "adamw8bit"
        self.rates = Rates(self.optimizer.optimizer)
        self.average = WeightAverage(model, average_decay) if average_decay else None
        self._tally = Tally(self.device)

    # ---- a step -----------------------------------------------------------------------------------------------

    def prepare(self, texts: npt.NDArray[np.intp]) -> Prepared:
        """This process's micro-batches, filled up with texts of no weight to as many as any process has."""
        mine = self.processes.share(texts)
        passes = micro_batches(mine, self.token_ids, self.targets, self.text_weights, self.layout, self.size)
        most = math.ceil(math.ceil(len(texts) / self.processes.size) / self.size)
        if len(passes) < most:
            filler = texts[:1]
            nothing = np.zeros_like(self.text_weights)
            passes += micro_batches(filler, self.token_ids, self.targets, nothing, self.layout, 1)
        scale = self.processes.size / float(self.text_weights[texts].sum())
        return Prepared([_pinned(one) if self.device.type == "cuda" else one for one in passes], scale)

    def step(self, prepared: Prepared, lr_factor: float) -> None:
        """Accumulate the micro-batches, exchange gradients with the last one, then update once."""
        self.rates.set(lr_factor)
        self.module.train()
        last = len(prepared.passes) - 1
        for number, batch in enumerate(prepared.passes):
            quiet = self.accelerator.no_sync(self.wrapped) if number < last else contextlib.nullcontext()
            with quiet:
                loss = self.wrapped(_moved(batch, self.device)) * prepared.scale
                self.accelerator.backward(loss)
            self._tally.add_loss(loss.detach() / self.processes.size)
        self._update()

    def _update(self) -> None:
        norm = whole(self.accelerator.clip_grad_norm_(self.model.parameters(), self.max_grad_norm))
        stopped = (~torch.isfinite(norm)).float()
        scaled = self.accelerator.scaler is not None  # the scaler leaves out such steps by itself
        if not scaled and not self.eight_bit:
            self.optimizer.optimizer.found_inf = stopped
        if scaled or not self.eight_bit or not stopped.item():
            self.optimizer.step()
        self.optimizer.zero_grad()
        if self.average is not None:
            self.average.update(stopped)
        self._tally.add_step(norm, stopped)

    def read(self) -> StepTotals:
        """Totals since the last reading."""
        return self._tally.read(self.processes)

    # ---- the weights that would be saved ----------------------------------------------------------------------

    @contextlib.contextmanager
    def _saved_weights(self) -> Iterator[None]:
        self.module.eval()
        try:
            with contextlib.nullcontext() if self.average is None else self.average.applied():
                yield
        finally:
            self.module.train()

    def logits(self, token_ids: TokenIds) -> npt.NDArray[np.float32]:
        """Logits in input order, from length-sorted batches of about 16k tokens."""
        with torch.no_grad(), self._saved_weights():
            return gathered_logits(self._logits, token_ids, self.targets.shape[1], EVALUATION_TOKENS, self.processes)

    def _logits(self, token_ids: TokenIds) -> Tensor:
        logits: Tensor = self.module(self.layout.tokens(token_ids).to(self.device))
        return logits

    def _parameters(self) -> dict[str, Tensor]:
        return {name: whole(p.detach()) for name, p in self.model.named_parameters() if p.requires_grad}

    def weights(self) -> Mapping[str, Tensor]:
        """The trainable parameters, or their averages; with FSDP all processes must ask."""
        if self.average is None:
            return self._parameters()
        return self.saved({name: whole(value) for name, value in self.average.state_dict().items()})

    def saved(self, tensors: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """What :meth:`weights` was when ``tensors`` were taken by :meth:`state`."""
        kind = "weight." if self.average is None else "average."
        return {name.removeprefix(kind): value for name, value in tensors.items() if name.startswith(kind)}

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Parameters, averages, optimizer moments and the loss scale; with FSDP all processes must ask."""
        tensors = {f"weight.{name}": value for name, value in self._parameters().items()}
        if self.average is not None:
            tensors |= {name: whole(value) for name, value in self.average.state_dict().items()}
        moments, rest = optimizer_state(self.optimizer.optimizer)
        tensors |= {name: whole(value) for name, value in moments.items()}
        scaler = self.accelerator.scaler
        return tensors, {"optimizer": rest, "scaler": scaler.state_dict() if scaler is not None else None}

    def restore(self, tensors: Mapping[str, Tensor], values: Mapping[str, Any]) -> None:
        """Continue from what :meth:`state` gave."""
        for name, parameter in self.model.named_parameters():
            if parameter.requires_grad:
                put(parameter.detach(), tensors[f"weight.{name}"])
        if self.average is not None:
            for name, average in self.average.state_dict().items():
                put(average, tensors[name])
        restore_optimizer(self.optimizer.optimizer, tensors, values["optimizer"])
        spread(self.optimizer.optimizer)
        self.rates.link()
        if self.accelerator.scaler is not None and values["scaler"] is not None:
            self.accelerator.scaler.load_state_dict(values["scaler"])


def _checkpoint_layers(model: PreTrainedModel) -> None:
    """Compute layers again in the backward pass; transformers 5.20 gave the switch another name."""
    renamed = getattr(model, "activation_checkpointing_enable", None)
    (renamed or model.gradient_checkpointing_enable)({"use_reentrant": False})


def _moved(batch: MicroBatch, device: torch.device) -> MicroBatch:
    targets, weights = (t.to(device, non_blocking=True) for t in (batch.targets, batch.weights))
    return MicroBatch(batch.tokens.to(device), targets, weights)


def _pinned(batch: MicroBatch) -> MicroBatch:
    return MicroBatch(batch.tokens.pinned(), batch.targets.pin_memory(), batch.weights.pin_memory())
