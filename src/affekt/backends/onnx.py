"""ONNX Runtime: the engine that needs no PyTorch, on the processor or on an NVIDIA GPU."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property
from pathlib import Path

import numpy as np
import onnxruntime

from affekt.backends.base import BatchPlan, FloatArray, TokenBatch
from affekt.errors import BackendError
from affekt.threads import available_cpus

CPU_PLAN = BatchPlan(token_budget=1024, max_texts=32, equal=True, window=4096)
CUDA_PLAN = BatchPlan(token_budget=32_768, max_texts=4096, equal=False, window=4096)
CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"


class OnnxBackend:
    """An ONNX graph, on the processor or on a GPU.

    On the processor, one batch alone is computed by all threads together (lowest latency) and many batches are computed
    one per thread (highest throughput). Both give the same logits.

    Args:
        path: the ``.onnx`` file.
        threads: processors to use; those available by default.
        name: shown to people.

    Raises:
        BackendError: if ONNX Runtime cannot open the graph.
    """

    def __init__(self, path: Path, threads: int | None = None, name: str = "onnx") -> None:
        self._path = path
        self._provider = CUDA if name == "onnx-cuda" else CPU
        self._threads = 1 if self._provider == CUDA else threads or available_cpus()
        self.name = name
        self.plan = CPU_PLAN if self._provider == CPU else CUDA_PLAN
        self._together = _open(path, self._threads, self._provider)
        self._inputs = tuple(entry.name for entry in self._together.get_inputs())

    def logits(self, batch: TokenBatch) -> FloatArray:
        """Raw logits of a batch: (texts, labels) float32."""
        return self._run(self._together, batch)

    def many(self, batches: Iterable[TokenBatch]) -> Iterator[FloatArray]:
        """Raw logits of each batch, in order, one batch per thread."""
        if self._threads == 1:
            yield from map(self.logits, batches)
            return
        waiting: deque[Future[FloatArray]] = deque()
        with ThreadPoolExecutor(self._threads) as pool:
            for batch in batches:
                waiting.append(pool.submit(self._run, self._apart, batch))
                if len(waiting) > 2 * self._threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()

    @cached_property
    def _apart(self) -> onnxruntime.InferenceSession:
        return _open(self._path, 1, self._provider)

    def _run(self, session: onnxruntime.InferenceSession, batch: TokenBatch) -> FloatArray:
        feed = {"input_ids": batch.input_ids, "attention_mask": batch.attention_mask}
        if "token_type_ids" in self._inputs:
            feed["token_type_ids"] = np.zeros_like(batch.input_ids)
        logits: FloatArray = session.run(None, {name: feed[name] for name in self._inputs})[0]
        return logits


def _open(path: Path, threads: int, provider: str) -> onnxruntime.InferenceSession:
    if provider not in onnxruntime.get_available_providers():
        raise BackendError(f"This ONNX Runtime has no {provider}.", hint="Install onnxruntime-gpu, or use torch-cuda.")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=[provider])
    except Exception as error:  # ONNX Runtime raises nothing narrower in common
        raise BackendError(f"ONNX Runtime cannot open '{path}': {error}") from error
