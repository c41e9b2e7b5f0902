"""The fast engine: on one CUDA device a step is two CUDA graphs, replayed without waiting for the host.

One graph runs forward and backward over a micro-batch of static shape (one graph per number of packed rows), the other
clips, updates the float32 masters and publishes them to the bfloat16 copy that computes. Gradients that are not finite skip
the update on the device, so that no step waits for a check.
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

from affekt.training.batches import Layout, MicroBatch, TokenIds
from affekt.training.engine import StepTotals, length_sorted
from affekt.training.flat import FlatWeights
from affekt.training.objective import Classifier, Objective
from affekt.training.packing import PackedTokens, assign_rows

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
    ) -> None:
        self.device = next(model.parameters()).device
        self.classifier, self.objective = Classifier(model), objective.to(self.device)
        self.layout, self.size = layout, size
        self.token_ids, self.targets, self.text_weights = token_ids, targets, weights
        self.flat = FlatWeights(model, groups, dtype)
        self.max_grad_norm, self.average_decay = max_grad_norm, average_decay
        self.average = [g.master.clone() for g in self.flat.groups] if average_decay else []
        self.capture = capture and self.device.type == "cuda"
        self._optimizers = self._make_optimizers()
        self._integers = torch.zeros(3 * size * layout.max_length + size, dtype=torch.int32, device=self.device)
        self._floats = torch.zeros(size * (targets.shape[1] + 1) + 2, dtype=torch.float32, device=self.device)
        self._totals = torch.zeros(3, dtype=torch.float32, device=self.device)
        self._steps = 0
        self._passes: dict[int, Callable[[], None]] = {}
        self._updating: Callable[[], None] | None = None

    def _make_optimizers(self) -> list[tuple[int, slice, torch.optim.Optimizer]]:
        made: list[tuple[int, slice, torch.optim.Optimizer]] = []
        for index, group in enumerate(self.flat.groups):
            for place in group.chunks():
                chunk = group.master[place].detach().requires_grad_()
                rate = torch.tensor(group.settings["lr"], dtype=torch.float32, device=self.device)
                optimizer = torch.optim.AdamW(
                    [chunk], lr=rate, weight_decay=group.settings.get("weight_decay", 0.0), fused=True,
                    capturable=self.device.type == "cuda",
                )  # fmt: skip
                _start_moments(optimizer, chunk)
                made.append((index, place, optimizer))
        return made

    # ---- a step -----------------------------------------------------------------------------------------------

    def prepare(self, texts: npt.NDArray[np.intp]) -> list[Pass]:
        """The passes of one batch, packed and pinned."""
        total = float(self.text_weights[texts].sum())
        return [self._pass(texts[i : i + self.size], total) for i in range(0, len(texts), self.size)]

    def _pass(self, texts: npt.NDArray[np.intp], total: float) -> Pass:
        ids = [self.token_ids[i] for i in texts]
        rows = self._bucket(len(assign_rows([len(x) for x in ids], self.layout.max_length)))
        tokens = self.layout.tokens(ids, rows)
        assert isinstance(tokens, PackedTokens)  # noqa: S101  (the constructor's contract)
        missing = self.size - len(texts)
        first = torch.nn.functional.pad(tokens.first, (0, missing))
        targets = np.zeros((self.size, self.targets.shape[1]), dtype=np.float32)
        weights = np.zeros(self.size, dtype=np.float32)
        targets[: len(texts)], weights[: len(texts)] = self.targets[texts], self.text_weights[texts]
        tail = np.array([1.0 / total, 1.0], dtype=np.float32)
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
        for item in prepared:
            self._captured_pass(item.rows)
        for item in prepared:
            item.floats[-1] = lr_factor
            self._integers[: item.integers.numel()].copy_(item.integers, non_blocking=True)
            self._floats.copy_(item.floats, non_blocking=True)
            self._captured_pass(item.rows)()
        if self._updating is None:
            self._updating = self._captured(self._update)
        self._updating()
        self._steps += 1

    def _captured_pass(self, rows: int) -> Callable[[], None]:
        if rows not in self._passes:
            self._passes[rows] = self._captured(lambda: self._forward_backward(rows), warm=True)
        return self._passes[rows]

    def _captured(self, work: Callable[[], None], *, warm: bool = False) -> Callable[[], None]:
        if not self.capture:
            return work
        if warm:
            self._warm(work)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, pool=self._pool):
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
        parts = [self._integers[i * cells : (i + 1) * cells].view(rows, -1) for i in range(3)]
        tokens = PackedTokens(*parts, first=self._integers[3 * cells : 3 * cells + self.size])
        targets = self._floats[: self.size * labels].view(self.size, labels)
        weights = self._floats[self.size * labels : self.size * (labels + 1)]
        loss = self.objective(self.classifier, MicroBatch(tokens, targets, weights)) * self._floats[-2]
        loss.backward()
        self._totals[0].add_(torch.nan_to_num(loss.detach()))

    def _update(self) -> None:
        norm = self.flat.grad_norm()
        stopped = (~torch.isfinite(norm)).float()
        factor = torch.clamp(self.max_grad_norm / (norm + 1e-6), max=1.0) if self.max_grad_norm else norm * 0 + 1
        for index, place, optimizer in self._optimizers:
            group = self.flat.groups[index]
            chunk = optimizer.param_groups[0]["params"][0]
            optimizer.param_groups[0]["lr"].copy_(self._floats[-1] * group.settings["lr"])
            chunk.grad = group.grad[place].float() * factor
            optimizer.found_inf = stopped  # type: ignore[attr-defined]
            optimizer.step()
            chunk.grad = None
        for average, group in zip(self.average, self.flat.groups, strict=False):
            average.lerp_(group.master, 1.0 - self.average_decay)
        self.flat.publish()
        self.flat.zero_grad()
        self._totals[1].add_(stopped)
        self._totals[2].add_(torch.nan_to_num(norm, 0.0, 0.0, 0.0))

    def read(self) -> StepTotals:
        """Totals since the last reading."""
        loss, skipped, norm = self._totals.tolist()
        self._totals.zero_()
        steps, self._steps = self._steps, 0
        return StepTotals(loss, steps, int(skipped), norm)

    # ---- the weights that would be saved ----------------------------------------------------------------------

    @contextlib.contextmanager
    def _saved_weights(self) -> Iterator[None]:
        if self.average:
            self.flat.publish(self.average)
        self.classifier.eval()
        try:
            yield
        finally:
            self.classifier.train()
            self.flat.publish()

    def logits(self, token_ids: TokenIds) -> npt.NDArray[np.float32]:
        """Logits in input order, from packed batches of about 16k tokens."""
        out = np.zeros((len(token_ids), self.targets.shape[1]), dtype=np.float32)
        parts = []
        with torch.inference_mode(), self._saved_weights():
            for group in length_sorted(token_ids, EVALUATION_TOKENS):
                tokens = self.layout.tokens([token_ids[i] for i in group])
                parts.append((group, self.classifier(tokens.to(self.device)).float()))
            for group, logits in parts:
                out[group] = logits.cpu().numpy()
        return out

    def weights(self) -> Mapping[str, Tensor]:
        """Masters, or their average."""
        return self.flat.named(self.average or None)

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Masters, averages and optimizer moments."""
        tensors = {f"master.{i}": g.master for i, g in enumerate(self.flat.groups)}
        tensors |= {f"average.{i}": a for i, a in enumerate(self.average)}
        for number, (_, _, optimizer) in enumerate(self._optimizers):
            for name, value in optimizer.state[optimizer.param_groups[0]["params"][0]].items():
                tensors[f"optimizer.{number}.{name}"] = value
        return tensors, {}

    def restore(self, tensors: Mapping[str, Tensor], values: Mapping[str, Any]) -> None:  # noqa: ARG002
        """Put the buffers back in place, under the graphs if there are any."""
        for i, group in enumerate(self.flat.groups):
            group.master.copy_(tensors[f"master.{i}"])
        for i, average in enumerate(self.average):
            average.copy_(tensors[f"average.{i}"])
        for number, (_, _, optimizer) in enumerate(self._optimizers):
            state = optimizer.state[optimizer.param_groups[0]["params"][0]]
            prefix = f"optimizer.{number}."
            for name, value in tensors.items():
                if name.startswith(prefix):
                    state[name.removeprefix(prefix)] = value.to(self.device).clone()
        self.flat.publish()


def _start_moments(optimizer: torch.optim.Optimizer, chunk: Tensor) -> None:
    """Make the moments now: made inside a captured update, every replay would set them to zero again."""
    rate = optimizer.param_groups[0]["lr"]
    held = rate.clone()
    rate.zero_()
    chunk.grad = torch.zeros_like(chunk)
    optimizer.step()
    chunk.grad = None
    rate.copy_(held)
    optimizer.state[chunk]["step"].zero_()
