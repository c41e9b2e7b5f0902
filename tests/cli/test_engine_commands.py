"""``affekt predict``, ``affekt export`` and ``affekt bench`` as people call them."""

import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import affekt
from affekt.cli.app import main
from affekt.data import Dataset
from affekt.data.reading.tables import read_table
from affekt.export.exporting import ExportReport
from affekt.export.parity import Parity
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


def test_int8_is_calibrated_on_the_table_that_is_given(
    tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = {}

    def remember(folder: Path, dataset: Dataset, **settings: Any) -> ExportReport:
        seen.update(settings, texts=dataset.texts)
        return ExportReport(
            len(dataset), Parity(0.0, 0.0, 0.5, 0.5), Parity(0.1, 0.004, 0.5, 0.5), apart=True, sizes={}
        )

    monkeypatch.setattr("affekt.export.export", remember)
    (tmp_path / "dev.tsv").write_text("so happy\t1\tid1\nso sad\t2\tid2\n")
    (tmp_path / "texts.csv").write_text("text\nlove it\nhate it\n")
    arguments = ("export", "--model", str(tiny_model), "--data", str(tmp_path / "dev.tsv"))
    code, out, _ = call(capsys, *arguments)
    assert code == 0
    assert "computed apart" in out
    assert not seen["calibration"]
    assert call(capsys, *arguments, "--calibration", str(tmp_path / "texts.csv"))[0] == 0
    assert list(seen["calibration"]) == ["love it", "hate it"]
    assert seen["texts"] == ("so happy", "so sad")
    (tmp_path / "two.csv").write_text("title,body\na first one,love\na second,  \n")
    other = ("--calibration", str(tmp_path / "two.csv"), "--calibration-text", "body")
    assert call(capsys, *arguments, *other)[0] == 0
    assert list(seen["calibration"]) == ["love"]
    (tmp_path / "blank.csv").write_text("text\n \n")
    code, _, err = call(capsys, *arguments, "--calibration", str(tmp_path / "blank.csv"))
    assert code == 2
    assert "no text to calibrate on" in err
    assert call(capsys, *arguments, "--calibration", str(tmp_path / "absent.csv"), "--float-only")[0] == 0
    code, _, err = call(capsys, *arguments, "--calibration", str(tmp_path / "absent.csv"))
    assert code == 2
    assert "absent.csv" in err


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le"])
def test_a_file_of_lines_is_a_text_per_line(
    encoding: str, tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = ["Thanks a lot", "I hate it,\u2028so much", "", "ok then, bye, now"]
    content = ("\ufeff" + "\n".join(lines) + "\n").encode(encoding)
    (tmp_path / "lines.txt").write_bytes(content)
    arguments = ("predict", "--file", str(tmp_path / "lines.txt"), "--model", str(tiny_model), "--format", "jsonl")
    code, out, err = call(capsys, *arguments)
    assert (code, err) == (0, "")
    assert [json.loads(line)["text"] for line in out.rstrip("\n").split("\n")] == lines


def test_bench_prints_a_table_or_json(tiny_model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("bench", "--model", str(tiny_model), "--backend", "onnx-int8", "--size", "4", "--seconds", "0.05")
    code, out, _ = call(capsys, *arguments)
    assert code == 0
    assert "texts/s at 4" in out
    _, out, _ = call(capsys, *arguments, "--json")
    assert list(json.loads(out)[0]["texts_per_s"]) == ["4"]


@pytest.fixture
def standard_input(monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], None]:
    """Put bytes where the command reads from."""
    return lambda content: monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))


@pytest.mark.parametrize("arguments", [[], ["-"]])
def test_standard_input_is_a_text_per_line(
    tiny_model: Path,
    capsys: pytest.CaptureFixture[str],
    standard_input: Callable[[bytes], None],
    arguments: list[str],
) -> None:
    standard_input(b"love\r\n\nso \xff bad")
    code, out, _ = call(capsys, "predict", *arguments, "--model", str(tiny_model), "--format", "jsonl")
    assert code == 0
    assert [json.loads(line)["text"] for line in out.splitlines()] == ["love", "", "so � bad"]


def test_no_text_at_all_is_no_mistake(
    tiny_model: Path, capsys: pytest.CaptureFixture[str], standard_input: Callable[[bytes], None]
) -> None:
    standard_input(b"")
    assert call(capsys, "predict", "--model", str(tiny_model), "--format", "json") == (0, "[]\n", "")


def test_a_file_is_printed_without_out(tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "t.csv").write_text("number,what was said\n1,love you\n2,\n3,so sad today\n")
    arguments = ("predict", "--file", str(tmp_path / "t.csv"), "--model", str(tiny_model))
    code, out, _ = call(capsys, *arguments, "--format", "csv")
    assert code == 0
    assert [line.split(",")[0] for line in out.splitlines()] == ["text", "love you", "", "so sad today"]
    _, out, _ = call(capsys, *arguments, "--text", "number", "--format", "jsonl")
    assert [json.loads(line)["text"] for line in out.splitlines()] == ["1", "2", "3"]
    _, out, _ = call(capsys, *arguments)
    assert out.splitlines()[0].split() == ["text", "emotions"]


def test_texts_go_to_a_file_of_any_kind(tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("out.csv", "out.json", "out.jsonl", "out.parquet"):
        code, out, err = call(capsys, "predict", "love", "--model", str(tiny_model), "--out", str(tmp_path / name))
        assert (code, out) == (0, "")
        assert "1 texts written" in err
    assert json.loads((tmp_path / "out.json").read_text())[0]["text"] == "love"
    for name in ("out.csv", "out.jsonl", "out.parquet"):
        assert list(read_table(tmp_path / name).column("text")) == ["love"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["a text", "--file", "t.csv"], "Give texts or --file, not both."),
        (["--file", "t.csv", "--file", "u.csv"], "Several files need --out."),
        (["a text", "--out", "answers.doc"], "does not say its format"),
    ],
)
def test_predict_refuses_in_one_sentence(
    tiny_model: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], sentence: str
) -> None:
    code, out, err = call(capsys, "predict", *arguments, "--model", str(tiny_model))
    assert (code, out) == (2, "")
    assert sentence in err


def test_bench_takes_texts_of_a_table(tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "t.csv").write_text("text,number\nlove you,1\n,2\nso sad,3\n")
    code, out, _ = call(
        capsys, "bench", "--model", str(tiny_model), "--backend", "onnx-int8", "--size", "2", "--seconds", "0.01",
        "--data", str(tmp_path / "t.csv"), "--json",
    )  # fmt: skip
    assert code == 0
    assert list(json.loads(out)[0]["texts_per_s"]) == ["2"]
