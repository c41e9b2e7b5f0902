import sys
from pathlib import Path

import numpy as np
import pytest

from affekt.data import load_dataset, read_table
from affekt.data.describing.check import check
from affekt.data.reading.parquet import read
from affekt.errors import DataError, MissingExtraError

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")


def save(path, **columns):
    pq.write_table(pa.table(columns), path)
    return path


def test_types_survive(tmp_path):
    path = save(tmp_path / "t.parquet", text=["a", None], labels=[["joy"], []], n=[1, None])
    table = read_table(path)
    assert table.columns == ("text", "labels", "n")
    assert table.cells == (["a", None], [["joy"], []], [1, None])
    assert table.form == "Parquet"


def test_a_column_named_twice_is_refused(tmp_path):
    path = tmp_path / "t.parquet"
    pq.write_table(pa.Table.from_arrays([pa.array(["a"]), pa.array(["b"])], names=["text", "text"]), path)
    with pytest.raises(DataError, match="names a column twice: text, text"):
        read_table(path)


def test_flags_of_every_type(tmp_path):
    path = save(
        tmp_path / "t.parquet",
        text=["a", "b", "c"],
        joy=pa.array([1, 0, 1], pa.int8()),
        anger=pa.array([0.0, None, 1.0]),
        fear=pa.array([0.25, float("nan"), 1.0], pa.float32()),
    )
    dataset = load_dataset(path)
    assert dataset.labels == ("joy", "anger", "fear")
    expected = np.array([[1, 0, 0.25], [0, np.nan, np.nan], [1, 1, 1]], dtype=np.float32)
    np.testing.assert_array_equal(dataset.targets, expected)


def test_booleans_are_flags(tmp_path):
    path = save(tmp_path / "t.parquet", text=["a", "b"], joy=[True, False], anger=[False, True])
    np.testing.assert_array_equal(load_dataset(path).targets, np.eye(2))


def test_lists_of_names_and_of_ids(tmp_path):
    (tmp_path / "labels.txt").write_text("anger\njoy\n")
    names = save(tmp_path / "names.parquet", text=["a", "b"], labels=[["joy"], ["anger", "joy"]])
    ids = save(tmp_path / "ids.parquet", text=["a", "b"], labels=[[1], [0, 1]])
    assert load_dataset(names) == load_dataset(ids)


def test_dictionary_encoded_texts(tmp_path):
    path = save(tmp_path / "t.parquet", text=pa.array(["a b", "c d"]).dictionary_encode(), label=["joy", "anger"])
    assert load_dataset(path).texts == ("a b", "c d")


@pytest.mark.parametrize("content", [b"PAR1" + b"nothing" * 9 + b"PAR1", b"text,joy\na,1\n", b"PAR1"])
def test_broken_files_are_one_sentence(content):
    with pytest.raises(DataError, match="is not a readable Parquet file") as caught:
        read(content, Path("t.parquet"))
    assert "\n" not in str(caught.value)


def test_no_rows(tmp_path):
    with pytest.raises(DataError, match="has no rows"):
        read_table(save(tmp_path / "t.parquet", text=pa.array([], pa.string())))


def test_without_pyarrow_the_extra_is_named(tmp_path, monkeypatch):
    path = save(tmp_path / "t.parquet", text=["a"])
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"affekt\[parquet\]"):
        read_table(path)


def test_places_are_rows_for_there_are_no_lines(tmp_path):
    labels = [["joy"], ["joy"], ["joy"], ["anger"]]
    path = save(tmp_path / "t.parquet", id=[7, 8, 7, 9], text=["a b", "", "a b", "a b"], labels=labels)
    report = check(path)
    assert {(f.code, f.where()) for f in report.findings if f.lines} == {
        ("blank-texts", "row 2"), ("repeated-ids", "row 3"), ("exact-duplicates", "rows 3, 4"),
        ("disagreeing-exact", "rows 1, 3, 4"),
    }  # fmt: skip
    bad = save(tmp_path / "bad.parquet", text=["a b", "c d"], joy=["1", "5"], anger=["0", "1"])
    with pytest.raises(DataError, match=r"holds '5', which is neither 0, 1, nor a score between \(row 2\)"):
        load_dataset(bad, labels=["joy", "anger"])


def test_lines_of_a_text_file_stay_lines(tmp_path):
    path = tmp_path / "t.jsonl"
    path.write_text('{"text": "a b", "labels": ["joy"]}\n{"text": "a b", "labels": ["joy"]}\n')
    assert {f.where() for f in check(path).findings} == {"line 2"}
