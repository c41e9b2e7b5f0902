"""The fast engine: on a CUDA device a step is two CUDA graphs, replayed without waiting for the host.

One graph runs forward and backward over a micro-batch of static shape (one graph per number of packed rows), the
other clips, updates the float32 masters and publishes them to the bfloat16 copy that computes. Gradients that are not
finite skip the update on the device, so that no step waits for a check. With several processes, the last backward pass
of a batch adds the gradients up over all of them as it goes.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from transformers import PreTrainedModel

from affekt.errors import TrainingError
from affekt.training.batching.batches import Layout, MicroBatch, TokenIds
from affekt.training.batching.packing import PackedTokens, assign_rows
from affekt.training.engines.engine import StepTotals, Tally, gathered_logits
from affekt.training.engines.exchange import Exchange
from affekt.training.engines.flat import FlatWeights
from affekt.training.engines.processes import Processes
from affekt.training.engines.updates import FlatAverage, make_update
from affekt.training.losses.objective import Classifier, Objective
from affekt.training.networks.architectures import architecture_of

EVALUATION_TOKENS = 16_384


@dataclass(frozen=True)
class Pass:
    """One forward and backward pass, in pinned host memory.

    Attributes:
        rows: packed rows.
        integers: input ids, position ids, segment ids and first tokens, end to end, int32.
        floats: targets, weights, loss scale and rate factor, end to end, float32.
    """

    rows: int
    integers: Tensor
    floats: Tensor


class CapturedEngine:
    """Steps as CUDA graphs; also runs without capture on any device, for tests.

    Args:
        model: a stock sequence classifier in float32, on its device.
        objective: what to minimise.
        groups: optimizer groups with ``params``, ``lr`` and ``weight_decay``.
        layout: must pack.
        token_ids: of the training texts.
        targets: (texts, labels) float32.
        weights: (texts,) float32.
        size: texts per forward pass.
        max_grad_norm: 0 leaves gradients as they are.
        average_decay: of the moving average of the masters; 0 keeps none.
        dtype: compute type.
        capture: False runs the same operations eagerly.
        optimizer: ``adamw``, or ``adamw8bit``, whose update cannot be captured.
        processes: those that share every batch; this one alone by default.

    Raises:
        SettingError: if the optimizer cannot run here.
        TrainingError: if the model cannot run packed.
    """

    name = "captured"

    def __init__(
        self,
        model: PreTrainedModel,
        objective: Objective,
        groups: Sequence[dict[str, Any]],
        layout: Layout,
        token_ids: TokenIds,
        targets: npt.NDArray[np.float32],
        weights: npt.NDArray[np.float32],
        *,
        size: int,
        max_grad_norm: float = 1.0,
        average_decay: float = 0.0,
        dtype: torch.dtype = torch.bfloat16,
        capture: bool = True,
        optimizer: str = "adamw",
        processes: Processes | None = None,
    ) -> None:
        architecture = architecture_of(model)
        if architecture is None or layout.batching != "packed":
            raise TrainingError(
                f"'{model.config.model_type}' encoders in {layout.batching} batches cannot be captured."
            )
        architecture.prepare(model)
        self.device = next(model.parameters()).device
        self.classifier, self.objective = Classifier(model), objective.to(self.device)
        self.layout, self.size = layout, size
        self.token_ids, self.targets, self.text_weights = token_ids, targets, weights
        self.flat = FlatWeights(model, groups, dtype)
        self.max_grad_norm = max_grad_norm
        self.average = FlatAverage(self.flat, average_decay) if average_decay else None
        self.capture = capture and self.device.type == "cuda"
        self.processes = processes or Processes(device=self.device)
        several = self.processes.size > 1
        self.exchange = Exchange(self.flat, dict(model.named_parameters())) if several else None
        self.update = make_update(optimizer, self.flat)
        self._integers = torch.zeros(3 * size * layout.max_length + size, dtype=torch.int32, device=self.device)
        self._floats = torch.zeros(size * (targets.shape[1] + 1) + 2, dtype=torch.float32, device=self.device)
        self._tally = Tally(self.device)
        self._passes: dict[tuple[int, bool], Callable[[], None]] = {}
        self._updating: Callable[[], None] | None = None

    # ---- a step -----------------------------------------------------------------------------------------------

    def prepare(self, texts: npt.NDArray[np.intp]) -> list[Pass]:
        """The passes of this process's share of one batch, packed and pinned."""
        total = float(self.text_weights[texts].sum())
        mine = self.processes.share(texts)
        if not len(mine):  # takes part in the exchange with a text that counts for nothing
            return [self._pass(texts[:1], total, counts=False)]
        return [self._pass(mine[i : i + self.size], total) for i in range(0, len(mine), self.size)]

    def _pass(self, texts: npt.NDArray[np.intp], total: float, *, counts: bool = True) -> Pass:
        ids = [self.token_ids[i] for i in texts]
        rows = self._bucket(len(assign_rows([len(x) for x in ids], self.layout.max_length)))
        tokens = self.layout.tokens(ids, rows)
        assert isinstance(tokens, PackedTokens)  # noqa: S101  (the constructor's contract)
        missing = self.size - len(texts)
        first = torch.nn.functional.pad(tokens.first, (0, missing))
        targets = np.zeros((self.size, self.targets.shape[1]), dtype=np.float32)
        weights = np.zeros(self.size, dtype=np.float32)
        targets[: len(texts)], weights[: len(texts)] = self.targets[texts], self.text_weights[texts] * counts
        tail = np.array([1.0 / total, 0.0], dtype=np.float32)
        integers = torch.cat([t.flatten() for t in (tokens.input_ids, tokens.position_ids, tokens.segment_ids, first)])
        floats = torch.from_numpy(np.concatenate([targets.ravel(), weights, tail]))
        if self.device.type == "cuda":
            integers, floats = integers.pin_memory(), floats.pin_memory()
        return Pass(rows, integers, floats)

    def _bucket(self, rows: int) -> int:
        """Rows of the next larger captured shape: every count up to 8, then steps of an eighth."""
        step = max(1, 1 << max(rows.bit_length() - 4, 0))
        return min(-(-rows // step) * step, self.size)

    def step(self, prepared: Sequence[Pass], lr_factor: float) -> None:
        """Accumulate the passes, then update once."""
        self.classifier.train()
        ends = [self.exchange is not None and item is prepared[-1] for item in prepared]
        for item, exchanges in zip(prepared, ends, strict=True):
            self._captured_pass(item.rows, exchanges)
        for item, exchanges in zip(prepared, ends, strict=True):
            self._integers[: item.integers.numel()].copy_(item.integers, non_blocking=True)
            self._floats.copy_(item.floats, non_blocking=True)
            self._captured_pass(item.rows, exchanges)()
        self._floats[-1].fill_(lr_factor)
        if self._updating is None:
            self._updating = self._captured(self._update) if self.update.capturable else self._update
        self._updating()

    def _captured_pass(self, rows: int, exchanges: bool) -> Callable[[], None]:
        if (rows, exchanges) not in self._passes:

            def alone() -> None:
                self._forward_backward(rows)

            def together() -> None:
                assert self.exchange is not None  # noqa: S101  (asked for only where there is one)
                self.exchange.during(alone)

            # Warmed up alone: other processes need not be at this point when a new shape comes up here.
            self._passes[rows, exchanges] = self._captured(together if exchanges else alone, warm=alone)
        return self._passes[rows, exchanges]

    def _captured(self, work: Callable[[], None], *, warm: Callable[[], None] | None = None) -> Callable[[], None]:
        if not self.capture:
            return work
        if warm is not None:
            self._warm(warm)
        graph = torch.cuda.CUDAGraph()
        # Other threads go on pinning memory and watching collectives meanwhile, which must not spoil the capture.
        with torch.cuda.graph(graph, pool=self._pool, capture_error_mode="thread_local"):
            work()
        return graph.replay

    @property
    def _pool(self) -> Any:
        if not hasattr(self, "_graph_pool"):
            self._graph_pool = torch.cuda.graph_pool_handle()
        return self._graph_pool

    def _warm(self, work: Callable[[], None]) -> None:
        """Run once on a side stream, so that libraries make their handles outside of the capture."""
        self._integers.zero_()
        self._floats.zero_()
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            work()
        torch.cuda.current_stream().wait_stream(stream)
        self.flat.zero_grad()

    def _forward_backward(self, rows: int) -> None:
        cells, labels = rows * self.layout.max_length, self.targets.shape[1]
        ids, positions, segments = (self._integers[i * cells : (i + 1) * cells].view(rows, -1) for i in range(3))
        tokens = PackedTokens(ids, positions, segments, self._integers[3 * cells : 3 * cells + self.size])
        targets = self._floats[: self.size * labels].view(self.size, labels)
        weights = self._floats[self.size * labels : self.size * (labels + 1)]
        loss = self.objective(self.classifier, MicroBatch(tokens, targets, weights)) * self._floats[-2]
        loss.backward()
        self._tally.add_loss(loss)

    def _update(self) -> None:
        norm = self.flat.grad_norm()
        stopped = (~torch.isfinite(norm)).float()
        factor = (self.max_grad_norm / (norm + 1e-6)).clamp(max=1.0) if self.max_grad_norm else torch.ones_like(norm)
        self.update.apply(self._floats[-1], factor, stopped)
        if self.average is not None:
            self.average.update(stopped)
        self._tally.add_step(norm, stopped)

    def read(self) -> StepTotals:
        """Totals since the last reading."""
        return self._tally.read(self.processes)

    # ---- the weights that would be saved ----------------------------------------------------------------------

    @contextlib.contextmanager
    def _saved_weights(self) -> Iterator[None]:
        own = None if self.average is None else self.flat.swap_in(self.average.values)
        self.classifier.eval()
        try:
            yield
        finally:
            self.classifier.train()
            self.flat.publish(own)

    def logits(self, token_ids: TokenIds) -> npt.NDArray[np.float32]:
        """Logits in input order, from packed batches of about 16k tokens."""
        with torch.inference_mode(), self._saved_weights():
            return gathered_logits(self._logits, token_ids, self.targets.shape[1], EVALUATION_TOKENS, self.processes)

    def _logits(self, token_ids: TokenIds) -> Tensor:
        logits: Tensor = self.classifier(self.layout.tokens(token_ids).to(self.device))
        return logits

    def weights(self) -> Mapping[str, Tensor]:
        """Masters, or their average."""
        return self.flat.named(self.average.values if self.average is not None else None)

    def saved(self, tensors: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """What :meth:`weights` was when ``tensors`` were taken by :meth:`state`."""
        kind = "average" if self.average is not None else "master"
        return self.flat.named([tensors[f"{kind}.{i}"] for i in range(len(self.flat.groups))])

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Masters, averages and optimizer moments."""
        tensors = {f"master.{i}": g.master for i, g in enumerate(self.flat.groups)}
        tensors |= self.average.state() if self.average is not None else {}
        moments, values = self.update.state()
        return tensors | moments, {"update": values}

    def restore(self, tensors: Mapping[str, Tensor], values: Mapping[str, Any]) -> None:
        """Put the buffers back in place, under the graphs if there are any."""
        for i, group in enumerate(self.flat.groups):
            group.master.copy_(tensors[f"master.{i}"])
        if self.average is not None:
            self.average.restore(tensors)
        self.update.restore(tensors, values["update"])
        self.flat.publish()
