"""Which engine runs: the one that was asked for, or the best that this folder and machine allow."""

import sys
from pathlib import Path

import pytest

from affekt import backends
from affekt.backends import choose, open_backend
from affekt.errors import BackendError, SettingError


def folder(path: Path, *files: str) -> Path:
    for file in files:
        (path / file).parent.mkdir(parents=True, exist_ok=True)
        (path / file).touch()
    return path


INT8, FLOAT, WEIGHTS = "onnx/model_quantized.onnx", "onnx/model.onnx", "model.safetensors"


@pytest.mark.parametrize(
    ("files", "asked", "expected"),
    [
        ((INT8, FLOAT, WEIGHTS), "auto", "onnx-int8"),
        ((FLOAT, WEIGHTS), "auto", "onnx-float32"),
        ((WEIGHTS,), "auto", "torch-cpu"),
        ((INT8, FLOAT, WEIGHTS), "onnx", "onnx-int8"),
        ((INT8, FLOAT, WEIGHTS), "onnx-float32", "onnx-float32"),
        ((INT8, FLOAT, WEIGHTS), "torch", "torch-cpu"),
        ((WEIGHTS,), "torch-cuda", "torch-cuda"),
    ],
)
def test_the_best_that_is_there_without_a_gpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: tuple[str, ...], asked: str, expected: str
) -> None:
    monkeypatch.setattr(backends, "GPU", tmp_path / "no device")
    assert choose(folder(tmp_path, *files), asked) == expected


@pytest.mark.parametrize(("usable", "expected"), [(True, "torch-cuda"), (False, "onnx-int8")])
def test_a_gpu_is_used_if_pytorch_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, usable: bool, expected: str
) -> None:
    import affekt.backends.torch as engine

    monkeypatch.setattr(backends, "GPU", tmp_path)
    monkeypatch.setattr(engine, "has_gpu", lambda: usable)
    assert choose(folder(tmp_path, INT8, WEIGHTS), "auto") == expected


def test_a_gpu_without_pytorch_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backends, "GPU", tmp_path)
    monkeypatch.setattr(backends.importlib.util, "find_spec", lambda _: None)
    assert choose(folder(tmp_path, INT8, WEIGHTS), "auto") == "onnx-int8"


def test_a_backend_that_does_not_exist_is_refused_with_those_that_do(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"no backend 'tpu'.*onnx-int8"):
        choose(tmp_path, "tpu")


@pytest.mark.parametrize("asked", ["auto", "onnx", "onnx-int8", "torch", "torch-cuda"])
def test_a_folder_without_the_file_says_what_is_missing(tmp_path: Path, asked: str) -> None:
    with pytest.raises(BackendError, match=r"needs .*(model\.safetensors|model_quantized\.onnx)"):
        choose(tmp_path, asked)


def test_threads_must_be_positive(tiny_model: Path) -> None:
    with pytest.raises(SettingError, match="threads must be at least 1, not 0"):
        open_backend(tiny_model, threads=0)


def test_a_gpu_that_is_not_there_is_one_sentence(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import affekt.backends.torch as engine

    monkeypatch.setattr(engine, "has_gpu", lambda: False)
    with pytest.raises(BackendError, match="no CUDA device"):
        open_backend(tiny_model, "torch-cuda")


def test_onnx_on_a_gpu_needs_the_runtime_for_it(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import onnxruntime

    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider"])
    with pytest.raises(BackendError, match="CUDAExecutionProvider"):
        open_backend(tiny_model, "onnx-cuda")


def test_the_onnx_engine_needs_no_pytorch(tiny_model: Path) -> None:
    import subprocess

    code = f"import sys, affekt; affekt.load({str(tiny_model)!r}).predict('a'); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
