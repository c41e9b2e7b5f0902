"""PyTorch: the engine for GPUs, and the yardstick that exports are compared with."""

from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from affekt.backends.base import BatchPlan, FloatArray, TokenBatch
from affekt.encoders import encoder_of
from affekt.errors import BackendError, MissingExtraError

try:
    import torch
    from safetensors import SafetensorError
    from transformers import AutoModelForSequenceClassification
    from transformers.utils import logging
except ImportError as error:
    raise MissingExtraError("The PyTorch backend", "train") from error

from affekt.backends.packed import Attention, PackedEncoder, PackedRow, flash_attention, to_device

CPU_PLAN = BatchPlan(token_budget=2048, max_texts=64, equal=True, window=4096)
CUDA_PLAN = BatchPlan(token_budget=65_536, max_texts=8192, equal=False, window=2048)
LONGEST_WARMED = 256
"""Tokens of the longest batch that is run before the first text."""
FIRST_POSITIONS = 4
"""At least as many as an encoder's positions before that of the first token (RoBERTa's has two)."""
DTYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}


def has_gpu() -> bool:
    """Whether PyTorch can use a GPU."""
    return bool(torch.cuda.is_available())


def load_model(folder: Path) -> Any:
    """The ``transformers`` classifier in a folder, float32, on the CPU; only from safetensors, only from disk.

    Raises:
        BackendError: if it cannot be loaded.
    """
    bars = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        model = AutoModelForSequenceClassification.from_pretrained(
            folder, local_files_only=True, use_safetensors=True, dtype=torch.float32
        )
    except (OSError, ValueError, RuntimeError, KeyError, SafetensorError) as error:
        raise BackendError(f"PyTorch cannot load the model in '{folder}': {error}") from error
    finally:
        if bars:
            logging.enable_progress_bar()
    return model.eval()


class TorchBackend:
    """A Hugging Face model as it was trained: float32, any device.

    Args:
        folder: the model folder.
        device: ``cpu`` or ``cuda``.
        threads: processors to use on the CPU; PyTorch's choice by default.
    """

    def __init__(self, folder: Path, device: str = "cpu", threads: int | None = None) -> None:
        if threads:
            torch.set_num_threads(threads)
        self.name = f"torch-{device}"
        self.plan = CPU_PLAN
        self._device = torch.device(device)
        self.model = load_model(folder).to(self._device)

    @torch.inference_mode()
    def logits(self, batch: TokenBatch) -> FloatArray:
        """Raw logits of a batch: (texts, labels) float32."""
        ids = torch.from_numpy(batch.input_ids).to(self._device)
        mask = torch.from_numpy(batch.attention_mask).to(self._device)
        logits: FloatArray = self.model(input_ids=ids, attention_mask=mask).logits.float().cpu().numpy()
        return logits

    def many(self, batches: Iterable[TokenBatch]) -> Iterator[FloatArray]:
        """Raw logits of each batch, in order."""
        return map(self.logits, batches)


class CudaBackend:
    """A model on a GPU, in half precision: packed if its architecture is known, padded otherwise.

    float16 is the default because it rounds eight times finer than bfloat16; a model whose activations outgrow it is
    refused with a word on what to do.

    Args:
        folder: the model folder.
        dtype: ``float16``, ``bfloat16`` or ``float32``.
        device: where to compute.
        attention: variable-length attention; PyTorch's own by default.
        warm: run once now, so that the first text does not wait for CUDA to load its libraries and take its memory.

    Raises:
        BackendError: if there is no such GPU or the model cannot be loaded.
    """

    def __init__(
        self,
        folder: Path,
        dtype: str = "float16",
        device: str = "cuda",
        attention: Attention | None = None,
        *,
        warm: bool = True,
    ) -> None:
        if device.startswith("cuda") and not has_gpu():
            raise BackendError("PyTorch finds no CUDA device.", hint="Leave the backend to affekt, or use onnx.")
        self.name = "torch-cuda" if dtype == "float16" else f"torch-cuda-{dtype}"
        self.plan = CUDA_PLAN
        self._device, self._dtype = torch.device(device), DTYPES[dtype]
        model = load_model(folder)
        self._run = self._prepare(model, attention or (flash_attention() if dtype != "float32" else None))
        if warm and self._device.type == "cuda":
            self._warm(getattr(model.config, "max_position_embeddings", None) or LONGEST_WARMED)

    def _prepare(self, model: Any, attention: Attention | None) -> Any:
        """What turns a batch into logits on the device."""
        encoder = encoder_of(model)
        if attention is None or encoder is None or encoder.relative_bias is not None:
            model.to(self._device, self._dtype)
            return lambda batch: self._padded(model, batch)
        packed = PackedEncoder(encoder, self._device, self._dtype, attention)
        return lambda batch: packed(
            PackedRow.of(batch.input_ids, batch.attention_mask, packed.position_pad, self._device)
        )

    def _padded(self, model: Any, batch: TokenBatch) -> Any:
        ids, mask = (to_device(part, self._device) for part in (batch.input_ids, batch.attention_mask))
        return model(input_ids=ids, attention_mask=mask).logits.float()

    def _warm(self, positions: int) -> None:
        """Batches of many sizes, since CUDA loads a kernel and takes memory when a size first needs them."""
        for tokens in (LONGEST_WARMED, 128, 64, 32, 16, 8):
            for share in (1, 4, 16, 256) if tokens <= positions - FIRST_POSITIONS else ():
                texts = max(1, self.plan.token_budget // max(64, tokens) // share)
                ids = np.full((texts, tokens), 5, dtype=np.int64)
                self.logits(TokenBatch(ids, np.ones_like(ids)))

    @torch.inference_mode()
    def logits(self, batch: TokenBatch) -> FloatArray:
        """Raw logits of a batch: (texts, labels) float32.

        Raises:
            BackendError: if the precision does not suffice.
        """
        return self._fetch(self._run(batch))

    @torch.inference_mode()
    def many(self, batches: Iterable[TokenBatch]) -> Iterator[FloatArray]:
        """Raw logits of each batch, in order; a batch is prepared and launched while the GPU computes earlier ones."""
        waiting: deque[Any] = deque()
        for batch in batches:
            waiting.append((self._run(batch).to("cpu", non_blocking=True), self._mark()))
            if len(waiting) > 2:
                yield self._await(*waiting.popleft())
        while waiting:
            yield self._await(*waiting.popleft())

    def _mark(self) -> Any:
        """An event after everything launched so far."""
        if self._device.type != "cuda":
            return None
        event = torch.cuda.Event()
        event.record()
        return event

    def _await(self, logits: Any, event: Any) -> FloatArray:
        if event is not None:
            event.synchronize()
        return self._fetch(logits)

    def _fetch(self, logits: Any) -> FloatArray:
        found: FloatArray = logits.cpu().numpy()
        if not np.isfinite(found).all():
            raise BackendError(
                f"This model's activations outgrow {str(self._dtype).removeprefix('torch.')}.",
                hint="Choose the backend torch-cuda-bfloat16.",
            )
        return found
