"""PyTorch: the engine for GPUs, and the yardstick that exports are compared with."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from affekt.backends.base import BatchPlan, FloatArray, TokenBatch
from affekt.errors import MissingExtraError

try:
    import torch
    from transformers import AutoModelForSequenceClassification
except ImportError as error:
    raise MissingExtraError("The PyTorch backend", "train") from error

CPU_PLAN = BatchPlan(token_budget=2048, max_texts=64, equal=True, window=4096)


class TorchBackend:
    """A Hugging Face model as it was trained.

    Args:
        folder: the model folder.
        device: ``cpu`` or ``cuda``.
        threads: processors to use on the CPU.
    """

    def __init__(self, folder: Path, device: str = "cpu", threads: int | None = None) -> None:
        if threads:
            torch.set_num_threads(threads)
        self.name = f"torch-{device}"
        self.plan = CPU_PLAN
        self._device = torch.device(device)
        self.model = AutoModelForSequenceClassification.from_pretrained(folder, local_files_only=True)
        self.model.to(self._device).eval()

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
