"""``affekt predict``, ``affekt export`` and ``affekt bench`` as people call them."""

import json
import shutil
from pathlib import Path

import pytest

import affekt
from affekt.cli.app import main
from affekt.model_folder import read_manifest


def call(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of a command."""
    try:
        main(list(arguments))
        code = 0
    except SystemExit as end:
        code = int(end.code or 0)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_the_command_line_and_python_agree(tiny_model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    texts = ["I love this!", "what an awful day 😂", "love " * 60]
    code, out, _ = call(capsys, "predict", *texts, "--model", str(tiny_model), "--format", "json")
    assert code == 0
    expected = affekt.load(tiny_model).predict(texts)
    for found, prediction in zip(json.loads(out), expected, strict=True):
        assert found["emotions"] == list(prediction.emotions)
        assert found["windowed"] is prediction.windowed
        assert found["scores"] == pytest.approx(dict(prediction.scores), abs=1e-6)


def test_a_text_of_ten_megabytes_is_one_sentence(tiny_model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = call(capsys, "predict", "x" * 10_000_000, "--model", str(tiny_model), "--format", "json")
    assert code == 2
    assert "10,000,000 characters" in err
    assert len(err.strip().splitlines()) == 1


@pytest.mark.parametrize("folder", ["absent", ""])
def test_a_folder_without_a_model_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], folder: str
) -> None:
    code, _, err = call(capsys, "predict", "a", "--model", str(tmp_path / folder))
    assert code == 2
    assert err.startswith("error[model-folder]")
    assert len(err.strip().splitlines()) == 1


def test_export_writes_graphs_and_reports(tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "model"
    shutil.copytree(tiny_model, folder)
    labels = read_manifest(folder).labels
    rows = "\n".join(f"love so {number} happy\t{number % len(labels)}\tid{number}" for number in range(60))
    (tmp_path / "dev.tsv").write_text(rows + "\n")
    arguments = ("--model", str(folder), "--data", str(tmp_path / "dev.tsv"), "--float-only", "--threads", "1")
    code, out, err = call(capsys, "export", *arguments)
    assert (code, err) == (0, "")
    assert "60 texts" in out
    assert "model.onnx" in out
    code, out, _ = call(capsys, "export", *arguments, "--json")
    assert json.loads(out)["float32"]["difference"] < 1e-5
    assert not (folder / "onnx" / "model_quantized.onnx").exists()


def test_bench_prints_a_table_or_json(tiny_model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("bench", "--model", str(tiny_model), "--backend", "onnx-int8", "--size", "4", "--seconds", "0.05")
    code, out, _ = call(capsys, *arguments)
    assert code == 0
    assert "texts/s at 4" in out
    _, out, _ = call(capsys, *arguments, "--json")
    assert list(json.loads(out)[0]["texts_per_s"]) == ["4"]
