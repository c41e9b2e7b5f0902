from pathlib import Path

import numpy as np
import pytest

from affekt.bulk.scoring import ScorerSpec
from affekt.errors import BackendError, SettingError


def folder_of(path: Path, *files: str) -> Path:
    for name in files:
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).touch()
    return path


def test_a_model_is_described_as_it_is_opened(tiny_model: Path) -> None:
    """A driver that only describes it and workers that open it must agree on what the job is made of."""
    spec = ScorerSpec(tiny_model, threads=1, thresholds=0.3, truncate=True).for_workers(0)
    described, opened = spec.describe(), spec.open()
    assert described.identity == opened.identity
    assert described.labels == opened.labels
    scores = np.linspace(0, 1, len(opened.labels), dtype=np.float32)[None]
    assert described.decide(scores).tolist() == opened.decide(scores).tolist() == (scores >= 0.3).tolist()
    with pytest.raises(BackendError, match="engine was not started"):
        described.scores(["a text"])


@pytest.mark.parametrize(
    ("backend", "gpus", "files", "expected"),
    [
        ("auto", 0, ["onnx/model_quantized.onnx", "model.safetensors"], "onnx-int8"),
        ("auto", 0, ["onnx/model.onnx", "model.safetensors"], "onnx-float32"),
        ("auto", 0, ["model.safetensors"], "torch-cpu"),
        ("auto", 1, ["onnx/model_quantized.onnx", "model.safetensors"], "torch-cuda"),
        ("auto", 0.5, ["onnx/model_quantized.onnx"], "onnx-int8"),
        ("torch", 0, ["model.safetensors"], "torch-cpu"),
        ("torch", 1, ["model.safetensors"], "torch-cuda"),
        ("onnx-float32", 1, ["onnx/model.onnx"], "onnx-float32"),
        ("torch-cuda-float32", 0, ["model.safetensors"], "torch-cuda-float32"),
    ],
)
def test_workers_are_given_one_engine_by_name(
    tmp_path: Path, backend: str, gpus: float, files: list[str], expected: str
) -> None:
    """What a worker's own machine has must not decide how it answers."""
    spec = ScorerSpec(folder_of(tmp_path, *files), backend=backend).for_workers(gpus)
    assert (spec.backend, spec.threads) == (expected, 1)
    assert ScorerSpec(tmp_path, backend=backend, threads=4).for_workers(gpus).threads == 4


def test_engines_that_workers_cannot_have_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="no backend 'nope'"):
        ScorerSpec(tmp_path, backend="nope").for_workers(0)
    with pytest.raises(BackendError, match="needs"):
        ScorerSpec(tmp_path, backend="torch").for_workers(0)
