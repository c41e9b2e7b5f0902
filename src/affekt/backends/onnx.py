"""ONNX Runtime: the engine that needs no PyTorch, on the processor or on an NVIDIA GPU."""

import time
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime

from affekt.backends.base import BatchPlan, FloatArray, TokenBatch
from affekt.errors import BackendError
from affekt.threads import available_cpus

CPU_PLAN = BatchPlan(token_budget=640, max_texts=64, equal=True, window=4096)
CUDA_PLAN = BatchPlan(token_budget=32_768, max_texts=4096, equal=False, window=4096)
TRIAL = 8
"""Batches that come alone before all threads together are tried on one."""

ROUNDS = 9
GAIN = 0.9
"""All threads together are kept if they need less than this share of one thread's time."""

CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"


class OnnxBackend:
    """An ONNX graph, on the processor or on a GPU.

    On the processor, many batches are computed one per thread. A batch alone is computed by one thread, too, until
    ``TRIAL`` of them came alone: then all threads together are tried once, and the faster way is kept. (Threads that
    share a small graph must meet after each of its hundred steps, and on some machines meeting costs more than sharing
    saves.) The logits are the same.

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
        self._session = self._alone = _open(path, 1, self._provider)
        self._inputs = tuple(entry.name for entry in self._session.get_inputs())
        self._untried = TRIAL if self._threads > 1 else 0

    def logits(self, batch: TokenBatch) -> FloatArray:
        """Raw logits of a batch: (texts, labels) float32."""
        if self._untried:
            self._untried -= 1
            if not self._untried:
                self._alone = self._faster(batch)
        return self._run(self._alone, batch)

    def many(self, batches: Iterable[TokenBatch]) -> Iterator[FloatArray]:
        """Raw logits of each batch, in order, one batch per thread."""
        if self._threads == 1:
            yield from (self._run(self._session, batch) for batch in batches)
            return
        waiting: deque[Future[FloatArray]] = deque()
        with ThreadPoolExecutor(self._threads) as pool:
            for batch in batches:
                waiting.append(pool.submit(self._run, self._session, batch))
                if len(waiting) > 2 * self._threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()

    def _faster(self, batch: TokenBatch) -> onnxruntime.InferenceSession:
        """The session that computes this batch in less time: of one thread, or of all."""
        together = _open(self._path, self._threads, self._provider)
        times: dict[int, list[float]] = {0: [], 1: []}
        for _ in range(ROUNDS):
            for place, session in enumerate((self._session, together)):
                start = time.perf_counter()
                self._run(session, batch)
                times[place].append(time.perf_counter() - start)
        return together if min(times[1]) < GAIN * min(times[0]) else self._session

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
    options.enable_cpu_mem_arena = False  # its lock costs a quarter of the speed when threads share a session
    options.log_severity_level = 3
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    # it would move each quantization before a transposition, and add one more and its inverse in between
    options.add_session_config_entry("session.disable_quant_qdq", "1")
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=[provider])
    except Exception as error:  # ONNX Runtime raises nothing narrower in common
        raise BackendError(f"ONNX Runtime cannot open '{path}': {error}") from error
