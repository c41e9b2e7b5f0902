"""Engines that turn token ids into logits, behind one protocol."""

import importlib.util
from pathlib import Path

from affekt.backends.base import Backend, BatchPlan, TokenBatch
from affekt.errors import BackendError, SettingError

FILES = {
    "onnx-int8": "onnx/model_quantized.onnx",
    "onnx-float32": "onnx/model.onnx",
    "onnx-cuda": "onnx/model.onnx",
    "torch-cpu": "model.safetensors",
    "torch-cuda": "model.safetensors",
    "torch-cuda-bfloat16": "model.safetensors",
    "torch-cuda-float32": "model.safetensors",
}
"""Backend -> the file of the model folder that it runs."""

ALIASES = {
    "auto": ("torch-cuda", "onnx-int8", "onnx-float32", "torch-cpu"),
    "onnx": ("onnx-int8", "onnx-float32"),
    "torch": ("torch-cuda", "torch-cpu"),
}
"""Names for the first of several that can run."""

GPU = Path("/dev/nvidia0")

__all__ = ["ALIASES", "FILES", "Backend", "BatchPlan", "TokenBatch", "choose", "open_backend"]


def choose(folder: Path, backend: str = "auto") -> str:
    """The name of the backend that ``backend`` means for this model folder on this machine.

    ``auto`` is PyTorch on a GPU where there are both and the folder has PyTorch weights, else ONNX Runtime on the
    processor (int8, or float32), else PyTorch on the processor.

    Raises:
        SettingError: if there is no such backend.
        BackendError: if the folder lacks the file that it runs.
    """
    if backend not in FILES and backend not in ALIASES:
        raise SettingError(f"There is no backend '{backend}'.", hint=f"Known: {', '.join((*ALIASES, *FILES))}.")
    names = ALIASES.get(backend, (backend,))
    for name in names:
        if (folder / FILES[name]).is_file() and (len(names) == 1 or name != "torch-cuda" or _has_gpu()):
            return name
    needed = " or ".join(dict.fromkeys(FILES[name] for name in names))
    raise BackendError(
        f"Backend '{backend}' needs {needed}, which '{folder}' does not have.",
        hint="Make ONNX graphs with 'affekt export', or choose another backend.",
    )


def _has_gpu() -> bool:
    """Whether PyTorch can use a GPU; it is asked only where there is one."""
    if not GPU.exists() or not all(importlib.util.find_spec(name) for name in ("torch", "transformers")):
        return False
    from affekt.backends.torch import has_gpu

    return has_gpu()


def open_backend(folder: Path, backend: str = "auto", threads: int | None = None) -> Backend:
    """Start an engine on a model folder.

    Args:
        folder: the model folder.
        backend: a name of :data:`FILES` or :data:`ALIASES`.
        threads: processors to use; those available by default.

    Raises:
        SettingError: if there is no such backend or ``threads`` is not positive.
        BackendError: if the engine cannot be started.
    """
    if threads is not None and threads < 1:
        raise SettingError(f"threads must be at least 1, not {threads}.")
    name = choose(folder, backend)
    if name.startswith("onnx"):
        from affekt.backends.onnx import OnnxBackend

        return OnnxBackend(folder / FILES[name], threads, name)
    from affekt.backends.torch import CudaBackend, TorchBackend

    if name == "torch-cpu":
        return TorchBackend(folder, threads=threads)
    return CudaBackend(folder, dtype=name.removeprefix("torch-cuda").removeprefix("-") or "float16")
