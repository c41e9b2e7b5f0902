"""``affekt bench``: figures that are figures, from a process of its own, and failures in one sentence."""

from pathlib import Path

import pytest

from affekt.benchmarking import Figures, Settings, backends_of, run, table
from affekt.errors import BackendError


def test_an_engine_is_measured_in_a_fresh_process(tiny_model: Path) -> None:
    found = run(Settings(str(tiny_model), "onnx-int8", 1, ("I love this!", "awful 😂"), (1, 8), 0.05))
    assert found.backend == "onnx-int8"
    assert found.start_up_s > 0
    assert 0 < found.one_p50_ms <= found.one_p99_ms
    assert set(found.texts_per_s) == {1, 8}
    assert all(speed > 0 for speed in found.texts_per_s.values())
    assert found.peak_mib > 10
    assert found.to_json()["backend"] == "onnx-int8"


def test_a_failure_says_why(tmp_path: Path) -> None:
    with pytest.raises(BackendError, match=r"Measuring 'onnx-int8' failed: .*not an affekt model folder"):
        run(Settings(str(tmp_path), "onnx-int8", 1, ("a",), (1,), 0.05))


def test_the_engines_of_a_folder_are_those_whose_files_it_has(tiny_model: Path) -> None:
    assert backends_of(tiny_model)[:3] == ["onnx-int8", "onnx-float32", "torch-cpu"]


def test_the_table_has_a_line_per_engine() -> None:
    rows = [Figures(name, 0.5, 1.25, 2.5, {1: 700.0, 32: 2000.0}, 180.0) for name in ("onnx-int8", "torch-cpu")]
    lines = table(rows).splitlines()
    assert len(lines) == 3
    assert len({len(line) for line in lines}) == 1
    assert "2,000" in lines[1]
