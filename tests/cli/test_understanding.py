"""``explain``, ``behave``, ``compare``, ``suggest`` and the reports, on a real (random, tiny) model folder."""

import csv
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from affekt.cli.app import app
from affekt.taxonomy import GOEMOTIONS
from models import model_folder

pytest.importorskip("transformers")
runner = CliRunner()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return model_folder(tmp_path_factory.mktemp("models") / "tiny", GOEMOTIONS, "goemotions")


def run(*arguments: object) -> tuple[int, str, str]:
    result = runner.invoke(app, [*map(str, arguments)])
    return result.exit_code, result.stdout, result.stderr


def test_explain_prints_words_with_weights(folder: Path) -> None:
    code, out, _ = run("explain", "I love this 😂", "--model", folder)
    assert code == 0
    assert "I love this 😂" in out
    assert "threshold" in out


@pytest.mark.parametrize("method", ["occlusion", "gradients"])
def test_explain_json(folder: Path, method: str) -> None:
    code, out, _ = run(
        "explain", "I love this", "--model", folder, "--json", "--method", method, "--emotions", "joy,fear"
    )
    assert code == 0
    (found,) = json.loads(out)
    assert found["method"] == method
    assert {item["emotion"] for item in found["emotions"]} == {"joy", "fear"}
    assert [word["text"] for word in found["emotions"][0]["words"]] == ["I", "love", "this"]


def test_explain_writes_a_page(folder: Path, tmp_path: Path) -> None:
    code, out, err = run("explain", "I <b>love</b> this", "So sad", "--model", folder, "--html", tmp_path / "why.html")
    assert (code, out) == (0, "")
    assert "why.html" in err
    page = (tmp_path / "why.html").read_text()
    assert "<b>love" not in page
    assert page.count("<hr>") == 1


def test_explain_names_mistakes(folder: Path) -> None:
    code, _, err = run("explain", "x", "--model", folder, "--emotions", "hunger")
    assert code == 2
    assert "no emotion 'hunger'" in err


def test_behave_prints_a_table_and_writes_everything(folder: Path, tmp_path: Path) -> None:
    out_file = tmp_path / "all.json"
    code, out, err = run("behave", "--model", folder, "--only", "negation,emoji", "--out", out_file, "--failures", 1)
    assert code == 0
    assert "negation" in out
    assert "all.json" in err
    found = json.loads(out_file.read_text())
    assert set(found["behaviour"]["capabilities"]) == {"negation", "emoji"}
    assert found["fairness"] is None


def test_behave_runs_tests_of_ones_own(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(
        '[[test]]\nname = "ours"\ncapability = "our trade"\nkind = "minimum"\n'
        'texts = ["The parcel made {name} {happy}."]\nany_of = ["joyful"]\nmax = 5\n'
    )
    code, out, _ = run("behave", "--model", folder, "--suite", path, "--own-only", "--no-fairness", "--json")
    assert code == 0
    assert (
        json.loads(out)["behaviour"]["capabilities"] == {"our trade": {"cases": 5, "passed": 0}} or "our trade" in out
    )
    code, _, err = run("behave", "--model", folder, "--own-only")
    assert code == 2
    assert "--suite" in err


@pytest.mark.slow
def test_behave_compares_people(folder: Path) -> None:
    code, out, _ = run("behave", "--model", folder, "--suite", "x.toml")
    assert code == 2
    code, out, _ = run("behave", "--model", folder, "--failures", 0)
    assert code == 0
    assert "Fairness" in out
    assert "religion" in out
    assert "Identity words" in out


def predictions(path: Path, joy: float, texts: int = 200) -> Path:
    rows = [f"t{i},{'joy' if i < joy * texts else ''},{0.9 if i < joy * texts else 0.1}" for i in range(texts)]
    path.write_text("\n".join(["text,emotions,joy", *rows]))
    return path


def test_compare_says_what_changed(tmp_path: Path) -> None:
    old, new = predictions(tmp_path / "old.csv", 0.2), predictions(tmp_path / "new.csv", 0.5, 220)
    code, out, _ = run("compare", old, new)
    assert code == 0
    assert "joy: 20.0% → 50.0%" in out
    code, out, _ = run("compare", old, new, "--json", "--fail-on-change")
    assert code == 1
    assert json.loads(out)["labels"][0]["verdict"] == "changed"
    code, out, _ = run("compare", old, old, "--fail-on-change")
    assert code == 0
    assert "Nothing changed" in out


def test_compare_names_mistakes(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("text,note\na,b\n")
    code, _, err = run("compare", tmp_path / "x.csv", tmp_path / "x.csv")
    assert code == 2
    assert "holds no predictions" in err


@pytest.fixture
def pool(tmp_path: Path) -> Path:
    path = tmp_path / "pool.csv"
    path.write_text("\n".join(["text", *(f"i love this day {i}" for i in range(30))]))
    return path


def test_suggest_prints_reasons(folder: Path, pool: Path) -> None:
    code, out, _ = run("suggest", pool, "--n", 3, "--model", folder)
    assert code == 0
    assert out.count("i love this day") == 3
    code, out, _ = run("suggest", pool, "--n", 3, "--model", folder, "--json")
    assert len(json.loads(out)) == 3


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_suggest_writes_a_file_to_label(folder: Path, pool: Path, tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"next.{kind}"
    code, _, err = run("suggest", pool, "--n", 4, "--model", folder, "--out", path)
    assert code == 0
    assert "4 of 30 texts" in err
    lines = path.read_text().splitlines()
    rows = list(csv.DictReader(lines)) if kind == "csv" else [json.loads(line) for line in lines]
    assert len(rows) == 4
    assert set(rows[0]) == {"line", "text", "labels", "unsure_about", "reason"}
    source = pool.read_text().splitlines()
    assert all(source[int(row["line"]) - 1] == row["text"] for row in rows)


def test_suggest_names_mistakes(folder: Path, pool: Path, tmp_path: Path) -> None:
    code, _, err = run("suggest", pool, "--model", folder, "--out", tmp_path / "next.xlsx")
    assert code == 2
    assert "does not say its format" in err


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "table.csv"
    kinds = [("love", "joy"), ("miss", "sadness"), ("hate", "anger,disgust")]
    rows = [f'i {verb} this day {row},"{labels}"' for row in range(20) for verb, labels in kinds]
    path.write_text("\n".join(["text,labels", *rows]), encoding="utf-8")
    return path


def test_evaluate_writes_a_report(folder: Path, table: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    out = tmp_path / "report"
    code, _, err = run(
        "evaluate", "--data", table, "--model", folder, "--resamples", 20, "--report", out, "--labelled-only",
        "--taxonomy", "ekman", "--against", folder,
    )  # fmt: skip
    assert code == 0, err
    assert "index.html" in err
    page = (out / "index.html").read_text()
    assert "Beside another model" in page
    assert "Which words made it so" in page
    assert (out / "report.json").exists()


def test_data_report(table: Path, folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    code, out, _ = run("data", "report", table, "--out", tmp_path / "quick")
    assert code == 0
    assert "index.html" in out
    code, out, _ = run("data", "report", table, "--out", tmp_path / "model", "--model", folder)
    assert code == 0
    assert "the given model" in (tmp_path / "model" / "index.html").read_text()
