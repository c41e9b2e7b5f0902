"""Predictions written down: what is read back is what was found."""

import csv
import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from affekt.errors import SettingError
from affekt.prediction import Prediction
from affekt.rendering import output_format, write_file, write_table, write_text

PREDICTIONS = st.lists(
    st.builds(
        Prediction,
        text=st.text(st.characters(codec="utf-8"), max_size=30),
        emotions=st.lists(st.sampled_from(["joy", "fear"]), unique=True).map(tuple),
        scores=st.fixed_dictionaries({"joy": st.floats(0, 1), "fear": st.floats(0, 1)}),
        windowed=st.booleans(),
    ),
    max_size=4,
)


def written(predictions: list[Prediction], form: str) -> str:
    stream = io.StringIO()
    assert write_text(iter(predictions), stream, form) == len(predictions)
    return stream.getvalue()


def same(found: dict[str, object], expected: Prediction) -> None:
    assert (found["text"], found["emotions"]) == (expected.text, list(expected.emotions))
    assert found["windowed"] is expected.windowed
    assert found["scores"] == pytest.approx(dict(expected.scores), abs=1e-6)


@given(PREDICTIONS)
def test_json_and_json_lines_hold_everything(predictions: list[Prediction]) -> None:
    for found in (
        json.loads(written(predictions, "json")),
        [json.loads(line) for line in written(predictions, "jsonl").split("\n")[:-1]],
    ):
        assert len(found) == len(predictions)
        for entry, prediction in zip(found, predictions, strict=True):
            same(entry, prediction)


@given(PREDICTIONS)
def test_csv_holds_everything_in_columns(predictions: list[Prediction]) -> None:
    rows = list(csv.DictReader(io.StringIO(written(predictions, "csv"), newline="")))
    assert len(rows) == len(predictions)
    for row, prediction in zip(rows, predictions, strict=True):
        assert row["text"] == prediction.text
        assert row["emotions"] == ",".join(prediction.emotions)
        assert row["windowed"] == str(prediction.windowed).lower()
        assert float(row["joy"]) == pytest.approx(prediction.scores["joy"], abs=1e-6)


@pytest.mark.parametrize("name", ["a.csv", "a.json", "a.jsonl"])
def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path, name: str) -> None:
    prediction = Prediction("love", ("joy",), {"joy": 0.75, "fear": 0.125})
    assert write_file([prediction] * 3, tmp_path / name) == 3
    before = (tmp_path / name).read_text()
    assert before == written([prediction] * 3, name.split(".")[1])

    def broken() -> object:
        yield prediction
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        write_file(broken(), tmp_path / name)  # type: ignore[arg-type]
    assert (tmp_path / name).read_text() == before
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_parquet_has_a_column_per_label(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    predictions = [
        Prediction(f"text {n}", ("joy",), {"joy": n / 20_000, "fear": 0.5}, n % 2 == 0) for n in range(12_000)
    ]
    assert write_file(iter(predictions), tmp_path / "a.parquet") == 12_000
    table = parquet.read_table(tmp_path / "a.parquet")
    assert table.column_names == ["text", "emotions", "windowed", "joy", "fear"]
    assert table["joy"].to_pylist() == pytest.approx([p.scores["joy"] for p in predictions])
    assert table["emotions"][0].as_py() == ["joy"]


@pytest.mark.parametrize("name", ["answers", "answers.xlsx", "answers.CSV.bak"])
def test_a_name_that_says_no_format_is_refused(name: str) -> None:
    with pytest.raises(SettingError, match="does not say its format"):
        output_format(Path(name))


def test_the_table_shows_texts_emotions_and_scores(capsys: pytest.CaptureFixture[str]) -> None:
    long = Prediction("[red]not markup[/red] " + "x" * 900, (), {"joy": 0.25, "fear": 0.5}, windowed=True)
    write_table([Prediction("I love it", ("joy",), {"joy": 0.75, "fear": 0.5}), long])
    shown = capsys.readouterr().out
    assert "joy 0.75" in shown
    assert "fear 0.50" in shown
    assert "[red]not" in shown
    assert "windows" in shown.replace("\n", " ")


def test_the_table_tells_decided_labels_from_others_without_styles(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    scores = {"joy": 0.75, "fear": 0.5, "love": 0.25, "anger": 0.125}
    write_table(
        [Prediction("a", ("joy",), scores), Prediction("b", (), scores), Prediction("c", tuple(scores), scores)]
    )
    lines = [line.split(None, 1)[1].rstrip() for line in capsys.readouterr().out.splitlines()[1:]]
    assert lines == [
        "joy 0.75 (fear 0.50, love 0.25)",
        "none (joy 0.75, fear 0.50, love 0.25)",
        "joy 0.75, fear 0.50, love 0.25, anger 0.12",
    ]
