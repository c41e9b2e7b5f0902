"""``affekt predict --file IN --out OUT``: options reach the job, mistakes end in a sentence, and answers agree."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from affekt.bulk import scoring
from affekt.cli import predict_files
from affekt.cli.app import app
from models import model_folder

runner = CliRunner()


class Fixed:
    """A model that finds joy in every text."""

    labels = ("joy", "fear")
    identity = {"name": "fixed", "version": "1"}  # noqa: RUF012

    def scores(self, texts: Any) -> Any:
        import numpy as np

        return np.tile(np.array([0.75, 0.25], dtype=np.float32), (len(texts), 1))

    def decide(self, scores: Any) -> Any:
        return scores >= 0.5


@pytest.fixture
def fixed(monkeypatch: pytest.MonkeyPatch) -> list[scoring.ScorerSpec]:
    """Stands in for every model; lists the specs that were opened."""
    opened: list[scoring.ScorerSpec] = []

    def fake(spec: scoring.ScorerSpec) -> Fixed:
        opened.append(spec)
        return Fixed()

    monkeypatch.setattr(scoring.ScorerSpec, "open", fake)
    return opened


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "in.csv"
    path.write_text("id;body;lang\n1;hello;en\n2;salut;fr\n3;;en\n4;=bye;en\n", encoding="utf-8")
    return path


def run(*arguments: object) -> tuple[int, str, str]:
    result = runner.invoke(app, ["predict", *map(str, arguments)])
    return result.exit_code, result.stdout, result.stderr


def test_a_file_becomes_a_file_and_a_summary(fixed: Any, table: Path, tmp_path: Path) -> None:
    code, out, err = run("--file", table, "--out", tmp_path / "out.csv")
    assert (code, out) == (0, "")
    assert (tmp_path / "out.csv").read_text() == (
        "id,body,lang,emotions,joy,fear\n1,hello,en,joy,0.75,0.25\n2,salut,fr,joy,0.75,0.25\n4,'=bye,en,joy,0.75,0.25\n"
    )
    assert "3 of 4 rows (0 filtered, 1 refused)" in err
    assert "missing-text 1" in err


def test_every_option_reaches_the_job(fixed: list[scoring.ScorerSpec], table: Path, tmp_path: Path) -> None:
    code, out, _ = run(
        *(
            "--file",
            table,
            "--out",
            tmp_path / "out",
            "--shard-format",
            "jsonl",
            "--text",
            "body",
            "--columns",
            "lang, id",
        ),
        *("--where", "lang = en", "--scores", "list", "--prefix", "my_", "--keep-missing", "--keep-formulas"),
        *(
            "--delimiter",
            ";",
            "--header",
            "--encoding",
            "cp1252",
            "--max-rejects",
            5,
            "--shard-rows",
            2,
            "--shard-bytes",
            99,
            "--cache",
            7,
        ),
        *("--model", "m", "--taxonomy", "ekman", "--top-k", 3, "--backend", "onnx", "--threads", 2, "--truncate"),
        *("--json", "--quiet"),
    )
    assert code == 0
    summary = json.loads(out)
    assert (summary["rows"], summary["written"], summary["filtered"], summary["kept"]) == (4, 3, 1, 1)
    rows = [
        json.loads(line)
        for path in sorted((tmp_path / "out").glob("*.jsonl"))
        for line in path.read_text().splitlines()
    ]
    assert rows == [
        {"lang": "en", "id": "1", "my_emotions": ["joy"], "my_scores": [0.75, 0.25]},
        {"lang": "en", "id": "3", "my_emotions": None, "my_scores": None},
        {"lang": "en", "id": "4", "my_emotions": ["joy"], "my_scores": [0.75, 0.25]},
    ]
    job = json.loads((tmp_path / "out" / "_affekt" / "job.json").read_bytes())
    options = job["options"]
    assert [options[name] for name in ("encoding", "cache", "shard_rows", "shard_bytes")] == ["cp1252", 7, 2, 99]
    assert fixed == [scoring.ScorerSpec(Path("m"), "onnx", 2, "ekman", None, 3, truncate=True)]


def test_several_files_and_patterns_are_read(fixed: Any, table: Path, tmp_path: Path) -> None:
    (tmp_path / "more.csv").write_text(table.read_text())
    code, _, err = run("--file", table, "--file", tmp_path / "mor*.csv", "--out", tmp_path / "out.parquet")
    assert code == 0
    assert "6 of 8 rows" in err


def test_the_same_command_again_finds_it_done(fixed: Any, table: Path, tmp_path: Path) -> None:
    run("--file", table, "--out", tmp_path / "out.csv")
    code, _, err = run("--file", table, "--out", tmp_path / "out.csv")
    assert code == 0
    assert "finished already" in err
    code, _, err = run("--file", table, "--out", tmp_path / "out.csv", "--scores", "none")
    assert code == 2
    assert "options scores was columns, is none" in err
    assert run("--file", table, "--out", tmp_path / "out.csv", "--scores", "none", "--restart")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--text", "nope"], "error[data]: 'in.csv' has no column 'nope'. Its columns are: id, body, lang."),
        (["--where", "lang is en"], "error[setting]: The condition cannot be understood near 'is en'."),
        (["--shard-rows", "0"], "error[setting]: shard_rows: input should be greater than or equal to 1, but it is 0."),
        (["--max-rejects", "0"], "error[job]: 1 rows were refused"),
    ],
)
def test_mistakes_end_in_one_sentence(
    fixed: Any, table: Path, arguments: list[str], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(table.parent)
    code, _, err = run("--file", "in.csv", "--out", "out.csv", *arguments)
    assert code == 2
    assert message in err


@pytest.mark.parametrize("option", [["--where", "a = 1"], ["--columns", "a"], ["--restart"], ["--engine", "ray"]])
def test_options_of_whole_files_are_refused_without_any(option: list[str]) -> None:
    code, _, err = run("a text", *option)
    assert code == 2
    assert f"{option[0]} needs both --file and --out" in err


def test_refused_options_are_named_as_they_were_typed() -> None:
    _, _, err = run("a text", "--json")
    assert "--json needs both --file and --out. To print JSON, give --format json." in " ".join(err.split())
    _, _, err = run("a text", "--keep-formulas")
    assert "--keep-formulas needs both --file and --out" in err


def test_the_usual_values_are_those_of_the_command() -> None:
    import inspect

    from affekt.cli.predict import predict

    parameters = inspect.signature(predict).parameters
    usual = vars(predict_files.USUAL)
    assert {name: parameters[name].default for name in usual} == usual
    assert "whole" not in parameters


@pytest.mark.slow
def test_a_real_model_answers_as_the_classifier_does(tmp_path: Path) -> None:
    pytest.importorskip("transformers")
    from affekt.classifier import EmotionClassifier

    folder = model_folder(tmp_path / "tiny")
    texts = [
        f"i {verb} this {noun} so {word}" for verb in ("love", "hate") for noun in "abc" for word in ("sad", "happy")
    ]
    with open(tmp_path / "in.csv", "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["text"], *([text] for text in texts + texts)])
    code, _, err = run(
        "--file", tmp_path / "in.csv", "--out", tmp_path / "out.jsonl", "--model", folder, "--shard-rows", 9
    )
    assert code == 0, err
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()]
    expected = EmotionClassifier.load(folder).predict(texts + texts)
    assert [row["text"] for row in rows] == texts + texts
    for row, prediction in zip(rows, expected, strict=True):
        assert row["emotions"] == list(prediction.emotions)
        assert {label: row[label] for label in prediction.scores} == pytest.approx(dict(prediction.scores), abs=2e-6)
    assert "tiny 1" in err
