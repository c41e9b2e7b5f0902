"""Engines that turn token ids into logits, behind one protocol."""

from pathlib import Path

from affekt.backends.base import Backend, BatchPlan, TokenBatch
from affekt.errors import BackendError, SettingError

FILES = {
    "onnx-int8": "onnx/model_quantized.onnx",
    "onnx-float32": "onnx/model.onnx",
    "torch-cpu": "model.safetensors",
    "torch-cuda": "model.safetensors",
}
"""Backend -> the file of the model folder that it runs."""

ALIASES = {
    "onnx": ("onnx-int8", "onnx-float32"),
    "auto": ("onnx-int8", "onnx-float32", "torch-cpu"),
    "torch": ("torch-cpu",),
}

__all__ = ["ALIASES", "FILES", "Backend", "BatchPlan", "TokenBatch", "choose", "open_backend"]


def choose(folder: Path, backend: str = "auto") -> str:
    """The name of the backend that ``backend`` means for this model folder.

    Raises:
        SettingError: if there is no such backend.
        BackendError: if the folder lacks the file that it runs.
    """
    if backend not in FILES and backend not in ALIASES:
        raise SettingError(f"There is no backend '{backend}'.", hint=f"Known: {', '.join((*ALIASES, *FILES))}.")
    for name in ALIASES.get(backend, (backend,)):
        if (folder / FILES[name]).is_file():
            return name
    needed = " or ".join(dict.fromkeys(FILES[name] for name in ALIASES.get(backend, (backend,))))
    raise BackendError(
        f"Backend '{backend}' needs {needed}, which '{folder}' does not have.",
        hint="Make ONNX graphs with 'affekt export', or choose another backend.",
    )


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
    from affekt.backends.torch import TorchBackend

    return TorchBackend(folder, device=name.removeprefix("torch-"), threads=threads)
