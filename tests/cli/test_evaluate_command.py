"""``affekt evaluate`` on a real (random, tiny) model folder: table, JSON, comparison, and mistakes in one sentence."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from affekt.cli.app import app
from models import model_folder

pytest.importorskip("transformers")
runner = CliRunner()
LABELS = ("joy", "anger")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("models")
    return model_folder(base / "tiny", LABELS, "custom")


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "table.csv"
    kinds = [("love", 1, 0), ("like", 1, 0), ("hate", 0, 1)]
    rows = [f"i {verb} this day {row},{joy},{anger}" for row in range(20) for verb, joy, anger in kinds]
    path.write_text("\n".join(["text,joy,anger", *rows]), encoding="utf-8")
    return path


def run(*arguments: object) -> tuple[int, str, str]:
    result = runner.invoke(app, ["evaluate", "--resamples", "20", *map(str, arguments)])
    return result.exit_code, result.stdout, result.stderr


def test_table(folder: Path, table: Path) -> None:
    code, out, _ = run("--model", folder, "--data", table)
    assert code == 0
    assert "tiny on table: 60 texts, 2 labels (custom)" in out
    assert "these: flatters" in out


def test_json(folder: Path, table: Path) -> None:
    code, out, _ = run("--model", folder, "--data", table, "--json")
    assert code == 0
    data = json.loads(out)
    assert (data["texts"], data["labels"], data["headline"]) == (60, ["joy", "anger"], "saved")


def test_against_itself(folder: Path, table: Path) -> None:
    code, out, _ = run("--model", folder, "--data", table, "--against", folder, "--json")
    assert code == 0
    assert json.loads(out)["differences"]["macro_f1"]["p_value"] == 1.0
    code, out, _ = run("--model", folder, "--data", table, "--against", folder)
    assert "Paired comparison" in out


def test_texts_with_unknown_labels_are_left_out_if_asked_for(folder: Path, table: Path) -> None:
    table.write_text(table.read_text() + "\ni love 7,,1\ni hate 8,0,NA\n")
    code, _, err = run("--model", folder, "--data", table)
    assert code == 2
    assert "not known of 2 of the 62 texts" in err
    assert "--known-only" in err
    code, out, err = run("--model", folder, "--data", table, "--known-only")
    assert code == 0
    assert "60 texts" in out
    assert "2 texts of which a label is not known were left out" in out


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "error[data]"),
        ("text,spam,ham\nhello,1,0\nthere,0,1\n", "labels that are not the model's"),
    ],
)
def test_bad_tables_are_one_sentence(folder: Path, tmp_path: Path, content: str, sentence: str) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(content, encoding="utf-8")
    code, _, err = run("--model", folder, "--data", path)
    assert code == 2
    assert sentence in err
    assert "Traceback" not in err


def test_missing_model_is_one_sentence(table: Path, tmp_path: Path) -> None:
    code, _, err = run("--model", tmp_path / "none", "--data", table)
    assert code == 2
    assert "is not an affekt model folder" in err


def test_label_set_that_the_model_cannot_form(folder: Path, table: Path) -> None:
    code, _, err = run("--model", folder, "--data", table, "--taxonomy", "ekman")
    assert code == 2
    assert "needs labels that this model does not have" in err
