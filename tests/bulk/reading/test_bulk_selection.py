from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from bulk_helpers import write

from affekt.bulk.options import JobOptions
from affekt.bulk.reading import inputs, selection
from affekt.bulk.reading.chunks import ChunkReader
from affekt.bulk.reading.formats import expand
from affekt.bulk.reading.inputs import Input, open_input
from affekt.bulk.reading.jsonreader import RAW
from affekt.bulk.reading.pieces import Chunk
from affekt.bulk.reading.selection import Selection
from affekt.errors import DataError, SettingError

ADDED = ("emotions", "joy")


def opened(path: Path, *, keep_lines: bool = False, **given: Any) -> tuple[Input, Selection, JobOptions]:
    options = JobOptions.of(**given)
    source = open_input([path], options, keep_lines=keep_lines)
    return source, Selection.of(source, options, ADDED), options


def only(path: Path, *, keep_lines: bool = False, **given: Any) -> Chunk:
    reader = ChunkReader(*opened(path, keep_lines=keep_lines, **given))
    (chunk,) = reader.unread({})
    reader.close()
    return chunk


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write(tmp_path / "a.csv", "id,text,lang\n1,hello,en\n2,,en\n3,salut,fr\n4,  ,de\n5,bye,en\n")


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    rows = [
        '{"id": 1.10, "text": "a"}',
        '{"text": 5}',
        '{"id": 3}',
        '{"text": "b", "joy": 1}',
        '{ "text":"c", "x":[1]}',
    ]
    return write(tmp_path / "a.jsonl", "\n".join(rows))


def test_all_columns_and_all_rows_with_a_text_go_out(path: Path) -> None:
    chunk = only(path)
    assert chunk.texts == ["hello", "salut", "bye"]
    assert chunk.table.schema.names == ["id", "text", "lang"]
    assert [(reject.row, reject.kind, reject.reason) for reject in chunk.rejects] == [
        (2, "missing-text", "its 'text' is empty"),
        (4, "missing-text", "its 'text' is empty"),
    ]
    assert chunk.rejects[0].content == '{"id": "2", "text": "", "lang": "en"}'


def test_chosen_columns_go_out_in_their_order_with_or_without_the_text(path: Path) -> None:
    assert only(path, columns=("lang", "id")).table.to_pylist()[0] == {"lang": "en", "id": "1"}


def test_the_filter_comes_before_the_text_is_looked_at(path: Path) -> None:
    chunk = only(path, where="lang = en")
    assert chunk.texts == ["hello", "bye"]
    assert chunk.filtered == 2
    assert [reject.row for reject in chunk.rejects] == [2]


def test_rows_without_a_text_can_be_kept(path: Path) -> None:
    chunk = only(path, keep_missing=True)
    assert chunk.texts == ["hello", None, "salut", None, "bye"]
    assert [reject.row for reject in chunk.rejects] == [2, 4]


def test_json_lines_stay_as_they_are_written(lines: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inputs, "SAMPLED", 1)
    chunk = only(lines, keep_lines=True)
    assert chunk.table.schema.names == [RAW]
    assert chunk.table.column(0).to_pylist() == ['{"id": 1.10, "text": "a"}', '{ "text":"c", "x":[1]}']
    assert [(reject.row, reject.kind, reject.reason) for reject in chunk.rejects] == [
        (2, "types", "its 'text' is int, not a text"),
        (3, "missing-text", "it has no 'text'"),
        (4, "collision", "it has a key 'joy' already"),
    ]


def test_a_key_that_would_be_added_is_refused_at_once_where_it_is_seen_in_time(lines: Path) -> None:
    with pytest.raises(DataError, match="has a column 'joy' already"):
        only(lines, keep_lines=True)


def test_chosen_keys_of_json_lines_are_written_anew(lines: Path) -> None:
    chunk = only(lines, keep_lines=True, columns=("x", "text"))
    assert chunk.table.column(0).to_pylist() == ['{"text": "a"}', '{"text": "b"}', '{"x": [1], "text": "c"}']


def test_json_values_become_columns_where_the_output_has_some(lines: Path) -> None:
    chunk = only(lines, columns=("id", "x"))
    assert chunk.table.to_pylist() == [{"id": 1.1, "x": None}, {"id": None, "x": None}, {"id": None, "x": "[1]"}]
    assert [reject.kind for reject in chunk.rejects] == ["types", "missing-text"]


def test_a_number_is_no_text_though_its_column_be_one(tmp_path: Path) -> None:
    chunk = only(write(tmp_path / "a.jsonl", '{"text": "a"}\n{"text": 5}\n{"text": ["b"]}\n'))
    assert chunk.texts == ["a"]
    assert [reject.reason for reject in chunk.rejects] == [
        "its 'text' is int, not a text",
        "its 'text' is list, not a text",
    ]


def test_a_text_longer_than_the_model_accepts_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selection, "MAX_CHARACTERS", 4)
    assert [reject.reason for reject in only(path).rejects if reject.kind == "too-long"] == [
        "its 'text' has 5 characters, more than 4",
        "its 'text' has 5 characters, more than 4",
    ]


@pytest.mark.parametrize(
    ("header", "expected"), [("id,body", "body"), ("Tweet,id", "Tweet"), ("only", "only"), ("comment,text", "text")]
)
def test_the_column_of_texts_is_found_by_its_name(tmp_path: Path, header: str, expected: str) -> None:
    path = write(tmp_path / "a.csv", f"{header}\n{','.join(['a'] * len(header.split(',')))}\n")
    assert opened(path, header=True)[1].text == expected


def test_or_else_by_the_longest_words(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", "")
    path = write(tmp_path / "b.csv", "1,short,what a lovely day it has been for everybody,2024-01-01T00:00:00Z\n" * 3)
    options = JobOptions(header=False)
    source = open_input(expand([path.parent]), options, keep_lines=False)
    assert Selection.of(source, options, ADDED).text == "column3"


def test_columns_may_be_given_by_number(path: Path) -> None:
    found = opened(path, text="3", columns=("1", "lang"))[1]
    assert (found.text, found.columns) == ("lang", ("id", "lang"))


def test_no_telling_which_column_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no telling which column.*there are: one, two"):
        opened(write(tmp_path / "a.csv", "one,two\n1,2\n"), header=True)


@pytest.mark.parametrize("given", [{"text": "nope"}, {"columns": ("id", "nope")}, {"where": "nope = 1"}])
def test_a_column_that_is_not_there_is_refused(path: Path, given: dict[str, Any]) -> None:
    with pytest.raises(DataError, match=r"no column 'nope'.*id, text, lang"):
        opened(path, **given)


def test_a_column_that_would_be_added_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "text,joy\na,b\n")
    with pytest.raises(DataError, match=r"has a column 'joy' already.*--prefix"):
        opened(path)
    assert opened(path, columns=("text",))[1].columns == ("text",)


def test_a_condition_that_is_none_is_refused(path: Path) -> None:
    with pytest.raises(SettingError, match="cannot be understood"):
        opened(path, where="lang is en")


def test_a_column_of_numbers_is_no_column_of_texts(tmp_path: Path) -> None:
    pq.write_table(pa.table({"text": [1, 2]}), tmp_path / "a.parquet")
    with pytest.raises(DataError, match=r"'text' holds int64, not texts"):
        opened(tmp_path / "a.parquet")


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())])
def test_every_kind_of_text_column_is_read(tmp_path: Path, kind: pa.DataType) -> None:
    pq.write_table(pa.table({"text": pa.array(["a", None, "b"]).cast(kind)}), tmp_path / "a.parquet")
    assert only(tmp_path / "a.parquet").texts == ["a", "b"]


def test_what_is_needed_is_what_is_looked_at(path: Path) -> None:
    assert opened(path, columns=("id",), where="lang = en")[1].needed == ["id", "text", "lang"]


def test_a_column_named_twice_is_refused(path: Path) -> None:
    with pytest.raises(SettingError, match="--columns names 'id' more than once"):
        opened(path, columns=("id", "lang", "1"))


def test_labels_that_would_make_one_column_twice_are_refused(path: Path) -> None:
    options = JobOptions()
    source = open_input([path], options, keep_lines=False)
    with pytest.raises(SettingError, match="would have 'emotions' more than once"):
        Selection.of(source, options, ("emotions", "joy", "emotions"))
