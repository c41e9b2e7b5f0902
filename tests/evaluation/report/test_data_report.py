"""The data report: numbers by hand, a page that is safe and complete."""

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("matplotlib")
pytest.importorskip("sklearn")

from affekt.data.describing.stats import statistics
from affekt.data.load import read_labelled
from affekt.errors import DataError
from affekt.evaluation.report import chart_data, write_data_report

from .test_report_build import Balance

ROWS = [
    ("I am <b>so</b> happy", "joy"),
    ("so sad", "sadness"),
    ("So sad!", "sadness,joy"),
    ("happy and sad", "joy,sadness"),
    ("table", ""),
]


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "mine.csv"
    lines = ["text,labels"]
    for copy in range(12):
        lines += [f'"{text} {copy if index == 0 else ""}","{labels}"' for index, (text, labels) in enumerate(ROWS)]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def folder(table: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report")
    write_data_report(read_labelled(table), path)
    return path


def test_the_page_is_well_formed_and_safe(folder: Path) -> None:
    page = (folder / "index.html").read_text()
    parser = Balance()
    parser.feed(page)
    assert not parser.open
    assert "<b>so</b>" not in page
    assert "http" not in page.replace("http://www.w3.org/", "")


def test_every_part_is_there(folder: Path) -> None:
    page = (folder / "index.html").read_text()
    for anchor in ("labels", "together", "lengths", "findings", "suspects"):
        assert f'id="{anchor}"' in page
    assert "come back most often" in page
    assert {p.stem for p in (folder / "figures").iterdir()} == {
        "label_counts",
        "labels_per_text",
        "together",
        "lengths",
    }


def test_the_numbers_are_those_of_the_table(folder: Path) -> None:
    numbers = json.loads((folder / "report.json").read_text())
    counted = {item["label"]: item["count"] for item in numbers["statistics"]["labels"]}
    assert counted == {"joy": 36, "sadness": 36}
    assert numbers["statistics"]["texts"] == 60
    codes = {finding["code"] for finding in numbers["findings"]}
    assert {"exact-duplicates", "disagreeing-similar"} <= codes


def test_repeated_texts_show_the_labels_that_they_came_with(folder: Path) -> None:
    page = (folder / "index.html").read_text()
    assert "sadness 12; joy + sadness 12" in page


def test_scores_of_a_model_take_the_place_of_the_quick_one(table: Path, tmp_path: Path) -> None:
    loaded = read_labelled(table)
    scores = np.where(loaded.dataset.positives, 0.95, 0.05).astype(np.float32)
    scores[0] = [0.02, 0.99]
    write_data_report(loaded, tmp_path, scores=scores)
    suspects = json.loads((tmp_path / "report.json").read_text())["suspects"]
    assert suspects[0]["line"] == 2
    assert (suspects[0]["wrong"], suspects[0]["missing"]) == (["joy"], ["sadness"])
    assert "the given model" in (tmp_path / "index.html").read_text()


def test_tables_without_labels_or_with_few_texts(tmp_path: Path) -> None:
    path = tmp_path / "few.csv"
    path.write_text("text,labels\nnice,joy\nbad,sadness\n")
    write_data_report(read_labelled(path), tmp_path / "few")
    assert "Suspect labels" not in (tmp_path / "few" / "index.html").read_text()
    path.write_text("text,note\nnice day,x y\nbad day,z w\n")
    from affekt.data.options import ReadOptions

    with pytest.raises(DataError, match="no labels"):
        write_data_report(read_labelled(path, ReadOptions(layout="none", text="text")), tmp_path / "none")


def test_picture_numbers(table: Path) -> None:
    found = statistics(read_labelled(table).dataset)
    assert [item["texts"] for item in chart_data.counts(found).data] == [36, 36]
    assert chart_data.per_text(found).data == {0: 12, 1: 24, 2: 24}
    assert chart_data.together(found).data["share"][0, 1] == pytest.approx(24 / 36)
    assert chart_data.lengths(found).data["texts"].sum() == 60
