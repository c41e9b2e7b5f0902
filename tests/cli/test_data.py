import json
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from affekt.cli.data import app
from affekt.errors import AffektError, DataError, SettingError

TABLE = "id,text,joy,anger\n1,hi there,1,0\n2,so so,0,0\n3,so so,0,1\n4,bye,0,1\n"


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "moods.csv"
    path.write_text(TABLE)
    return path


def run(*arguments):
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if isinstance(result.exception, AffektError):
        raise result.exception
    return result


def test_check_shows_layout_findings_and_lines(table):
    result = run("check", table)
    assert result.exit_code == 0
    assert "Layout 'columns'" in result.output
    assert "line 3" in result.output
    assert "Usable." in result.output


def test_check_as_json(table):
    report = json.loads(run("check", table, "--json").output)
    assert report["usable"] is True
    assert {finding["code"] for finding in report["findings"]} == {
        "exact-duplicates", "disagreeing-exact", "unlabelled-texts",
    }  # fmt: skip


def test_check_exits_with_1_when_not_usable(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("text,joy,anger\nhi, there,1,0\nbye,0,1\n")
    result = run("check", path)
    assert result.exit_code == 1
    assert "Not usable" in result.output
    assert run("check", path, "--bad-rows", "skip").exit_code == 0


def test_brackets_in_texts_are_no_markup(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("text,label\n[NAME] is here,joy\nbye,[/red]oops\n")
    assert "[/red]oops" in run("stats", path, "--layout", "list").output


@pytest.mark.parametrize("command", ["check", "stats", "split"])
def test_every_override_reaches_the_reader(tmp_path, command):
    path = tmp_path / "t.txt"
    path.write_bytes("caf\xe9~1~x\nth\xe9 noir~2~y\n,~1~z\n".encode("cp1252"))
    arguments = [
        "--text", "1", "--labels", "2", "--id", "3", "--layout", "list", "--label-names", "joy,anger",
        "--first-id", "1", "--separator", ";", "--no-header", "--delimiter", "~", "--encoding", "cp1252",
        "--unlabelled", "drop",
        "--missing", "zero", "--bad-rows", "skip", "--json",
    ]  # fmt: skip
    out = ["--out", tmp_path / "out"] if command == "split" else []
    result = run(command, path, *arguments, *out)
    assert result.exit_code == 0
    json.loads(result.output)


def test_a_tab_can_be_spelled(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a, b\tjoy\nc, d\tanger\n")
    assert json.loads(run("check", path, "--delimiter", "tab", "--layout", "list", "--json").output)["texts"] == 2


def test_stats_for_people_and_programs(table):
    people = run("stats", table).output
    assert "joy" in people
    assert "Labels per text: mean 0.75" in people
    programs = json.loads(run("stats", table, "--json", "--tokenizer", "words").output)
    assert programs["texts"] == 4
    assert programs["labels"][1] == {"label": "anger", "count": 2, "share": 0.5, "imbalance": 1.0, "unknown": 0}
    assert programs["pictures"] == []


def test_stats_draws_pictures(table, tmp_path):
    pytest.importorskip("matplotlib")
    result = run("stats", table, "--pictures", tmp_path / "pictures")
    assert result.output.count("Wrote ") == 4
    assert (tmp_path / "pictures" / "counts.png").is_file()


def test_stats_needs_labels_unless_told_otherwise(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("text\nhello there\n")
    with pytest.raises(DataError, match="has no column of labels"):
        run("stats", path)
    assert "Length in words" in run("stats", path, "--layout", "none", "--tokenizer", "words").output


def test_split_writes_parts_beside_the_table(table):
    result = run("split", table, "--dev", "0.5")
    assert result.exit_code == 0
    train, dev = ((table.parent / f"moods.{part}.csv").read_text().splitlines() for part in ("train", "dev"))
    assert sorted(train[1:] + dev[1:]) == sorted(TABLE.splitlines()[1:])
    assert train[0] == dev[0] == "id,text,joy,anger"
    with pytest.raises(DataError, match="exists already"):
        run("split", table)
    assert run("split", table, "--force").exit_code == 0


def test_split_into_folds_is_seeded(table, tmp_path):
    first = json.loads(run("split", table, "--folds", "3", "--seed", "5", "--out", tmp_path / "a", "--json").output)
    run("split", table, "--folds", "3", "--seed", "5", "--out", tmp_path / "b")
    assert len(first["parts"]) == 6
    for part in (tmp_path / "a").iterdir():
        assert part.read_bytes() == (tmp_path / "b" / part.name).read_bytes()


def test_split_says_which_rows_belong_nowhere(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("text,joy,anger\nhi there,1,0\n,1,0\nbye,0,1\n")
    assert "Rows that belong to no part: 1" in run("split", path, "--out", tmp_path / "out").output


@pytest.mark.parametrize(
    ("arguments", "error", "sentence"),
    [
        (["check", "nowhere.csv"], DataError, "There is no file"),
        (["check", "{table}", "--text", "nope"], DataError, "has no column 'nope'"),
        (["check", "{table}", "--delimiter", ";;"], SettingError, "one character"),
        (["split", "{table}", "--dev", "2"], SettingError, "between 0 and 1"),
        (["split", "{table}", "--folds", "1"], SettingError, "2 folds or more"),
        (["split", "{table}", "--folds", "9"], DataError, "too few"),
        (["stats", "{table}", "--tokenizer", "nowhere"], DataError, "no tokenizer"),
    ],
)
def test_mistakes(table, arguments, error, sentence):
    with pytest.raises(error, match=sentence):
        run(*[argument.format(table=table) for argument in arguments])


@pytest.mark.parametrize("content", [b"", bytes(500), b"text,joy\n", b'text,joy\n"open,1\n', b"\x1f\x8bbroken"])
def test_a_process_ends_with_one_line_and_exit_code_2(tmp_path, content):
    path = tmp_path / "bad.csv"
    path.write_bytes(content)
    command = [sys.executable, "-m", "affekt", "data", "check", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("error[data]: ")
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["check", "stats"])
def test_names_from_the_table_cannot_reach_the_terminal_as_anything_but_text(tmp_path, command):
    path = tmp_path / "t.csv"
    path.write_text('"te\nxt",label\nI am here,joy\x1b[2J\nbye,"sad\rness"\n', newline="")
    result = run(command, path, "--text", "1", "--layout", "list")
    assert result.exit_code == 0
    assert "\x1b[2J" not in result.output
    assert "\r" not in result.output
    assert "column 'te xt'" in result.output
