"""Suspect rows are named by their lines, from quick scores or a model's, and only where there is enough to go by."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from affekt.cli.app import app
from affekt.data import read_labelled
from affekt.errors import DataError
from affekt.evaluation import suspects as module
from affekt.evaluation.suspects import most_suspect


def write_table(path: Path, rows: int = 120) -> Path:
    """Two labels that one word each gives away, but for lines 12 and 31."""
    lines = ["text,labels"]
    for row in range(rows):
        label = ("joy", "anger")[row % 2]
        word = {"joy": "wonderful", "anger": "furious"}[label]
        given = {"joy": "anger", "anger": "joy"}[label] if row in (10, 29) else label
        lines.append(f"so {word} about item {row % 7} today,{given}")
    path.write_text("\n".join(lines) + "\n")
    return path


def test_swapped_labels_come_first_with_their_lines(tmp_path: Path) -> None:
    loaded = read_labelled(write_table(tmp_path / "t.csv"))
    found = most_suspect(loaded, 2)
    assert sorted(row.line for row in found) == [12, 31]
    worst = next(row for row in found if row.line == 12)
    assert (worst.given, worst.wrong, worst.missing) == (("anger",), ("anger",), ("joy",))
    assert 0.5 < worst.suspicion <= 1
    assert worst.to_dict()["line"] == 12


def test_parquet_has_rows_and_no_lines(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    import pyarrow.csv
    import pyarrow.parquet

    path = tmp_path / "t.parquet"
    pyarrow.parquet.write_table(pyarrow.csv.read_csv(write_table(tmp_path / "t.csv")), path)
    assert sorted((row.unit, row.line) for row in most_suspect(read_labelled(path), 2)) == [("row", 11), ("row", 30)]
    shown = CliRunner().invoke(app, ["data", "check", str(path), "--deep"]).output
    assert "row" in shown.partition("Labels worth a second look")[2].strip().splitlines()[1]
    assert "line" not in shown


def test_a_model_is_asked_in_its_own_columns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = read_labelled(write_table(tmp_path / "t.csv"))
    truth = loaded.dataset.with_labels(["joy", "anger"]).targets

    def load(_: Any) -> Any:
        scores = np.where(truth > 0.5, 0.95, 0.05).astype(np.float32)
        scores[5] = 1 - scores[5]
        return SimpleNamespace(labels=("joy", "anger"), scores=lambda _: scores)

    monkeypatch.setattr("affekt.classifier.EmotionClassifier.load", load)
    assert [row.line for row in most_suspect(loaded, 20, model="m")] == [7]


def test_too_few_texts_are_refused(tmp_path: Path) -> None:
    loaded = read_labelled(write_table(tmp_path / "t.csv", module.ENOUGH - 1))
    with pytest.raises(DataError, match="too few labelled texts"):
        most_suspect(loaded)


def test_the_command(tmp_path: Path) -> None:
    path = str(write_table(tmp_path / "t.csv"))
    shown = CliRunner().invoke(app, ["data", "check", path, "--deep"])
    assert shown.exit_code == 0, shown.output
    assert "Labels worth a second look" in shown.output
    assert "so wonderful about" in shown.output
    as_json = CliRunner().invoke(app, ["data", "check", path, "--deep", "--json"])
    assert '"suspects": [{"line": 12' in as_json.output or '"suspects": [{"line": 31' in as_json.output
    assert "suspects" not in CliRunner().invoke(app, ["data", "check", path, "--json"]).output
