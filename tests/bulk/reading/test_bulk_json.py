import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from bulk_helpers import write
from hypothesis import given, settings
from hypothesis import strategies as st

from affekt.bulk.reading import jsonreader
from affekt.bulk.reading.jsonreader import JsonReader
from affekt.bulk.reading.jsontypes import as_arrow, misfit, schema_of
from affekt.bulk.reading.pieces import Position, Reject
from affekt.bulk.reading.streams import Lines

START = Position()


def read(path: Path, start: Position = START) -> tuple[list[dict[str, Any]], list[Reject]]:
    lines = Lines(path, start.offset)
    reader = JsonReader(lines, path.name, start=start)
    good, bad = [], []
    while (found := reader.next()) is not None:
        if isinstance(found, Reject):
            bad.append(found)
        else:
            good.append(found[1])
    assert reader.row == start.row + len(good) + len(bad)
    lines.close()
    return good, bad


VALUE = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters(codec="utf-8"))
OBJECT = st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=5), VALUE, max_size=4)


@given(st.lists(OBJECT, max_size=8), st.booleans())
@settings(max_examples=100, deadline=None)
def test_what_json_writes_comes_back(tmp_path_factory: pytest.TempPathFactory, rows: list[Any], plain: bool) -> None:
    content = "".join(json.dumps(row, ensure_ascii=plain) + "\n" for row in rows)
    assert read(write(tmp_path_factory.mktemp("json") / "a.jsonl", content)) == (rows, [])


@pytest.mark.parametrize(
    ("line", "kind", "reason"),
    [
        (b'{"a": 1', "json", "it is not JSON"),
        (b"[1, 2]", "json", "not a JSON object"),
        (b'"text"', "json", "not a JSON object"),
        (b'{"a": "caf\xe9"}', "encoding", "not utf-8: byte 0xe9 at place 11"),
        (b'{"a": "\\ud800"}', "encoding", "half of a surrogate pair"),
        (b'{"a": "\\uD83D x"}', "encoding", "half of a surrogate pair"),
        (b"[" * 100_000, "json", "it is not JSON"),
        (b'{"a": ' + b"9" * 5000 + b"}", "json", "it is not JSON"),
    ],
)
def test_a_line_that_is_no_object_is_refused_alone(tmp_path: Path, line: bytes, kind: str, reason: str) -> None:
    good, bad = read(write(tmp_path / "a.jsonl", b'{"a": 1}\n' + line + b'\n\n{"a": 2}\n'))
    assert good == [{"a": 1}, {"a": 2}]
    assert [(reject.row, reject.kind, reject.offset) for reject in bad] == [(2, kind, 9)]
    assert reason in bad[0].reason


def test_a_whole_surrogate_pair_is_a_character(tmp_path: Path) -> None:
    assert read(write(tmp_path / "a.jsonl", '{"a": "\\ud83d\\ude00"}\n')) == ([{"a": "\N{GRINNING FACE}"}], [])


def test_a_broken_last_line_is_refused(tmp_path: Path) -> None:
    good, bad = read(write(tmp_path / "a.jsonl", '{"a": 1}\n{"a": "and th'))
    assert good == [{"a": 1}]
    assert [(reject.row, reject.kind, reject.content) for reject in bad] == [(2, "json", '{"a": "and th')]


def test_an_endless_line_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonreader, "LINE_LIMIT", 50)
    monkeypatch.setattr("affekt.bulk.reading.streams.LINE_LIMIT", 50)
    good, bad = read(write(tmp_path / "a.jsonl", '{"a": "' + "x" * 99 + '"}\n{"a": 2}\n'))
    assert good == [{"a": 2}]
    assert [reject.kind for reject in bad] == ["too-long"]


@pytest.mark.parametrize("cut", [1, 8, 12, 16])
def test_a_truncated_gzip_is_told_once(tmp_path: Path, cut: int) -> None:
    whole = gzip.compress(b'{"a": 1}\n{"a": "some text that differs"}\n', mtime=0)
    path = write(tmp_path / "a.jsonl.gz", whole[:-cut])
    good, bad = read(path)
    assert good[:1] == [{"a": 1}]
    assert [reject.kind for reject in bad] == ["truncated"]
    lines = Lines(path)
    reader = JsonReader(lines, "a")
    while reader.next() is not None:
        pass
    lines.close()
    assert read(path, Position(0, reader.row, reader.offset)) == ([], [])


def test_types_come_from_the_sample() -> None:
    sample = [
        {"b": True, "i": 1, "f": 1, "s": "x", "mixed": 1, "deep": {"a": 1}, "none": None, "huge": 2**70},
        {"b": None, "i": -5, "f": 0.5, "s": None, "mixed": "x", "deep": [1], "none": None, "huge": 1},
    ]
    schema = schema_of(sample, list(sample[0]))
    assert [str(field.type) for field in schema] == [
        "bool", "int64", "double", "string", "string", "string", "string", "string",
    ]  # fmt: skip
    table = as_arrow(sample, schema)
    assert table.column("deep").to_pylist() == ['{"a": 1}', "[1]"]
    assert table.column("mixed").to_pylist() == ["1", "x"]


SCHEMA = pa.schema([("i", pa.int64()), ("s", pa.string()), ("b", pa.bool_()), ("f", pa.float64())])


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"i": 1, "s": "x", "b": True}, ""),
        ({}, ""),
        ({"i": None, "s": {"any": "thing"}}, ""),
        ({"i": "1"}, "'i' is str, not int64"),
        ({"i": 2**70}, "'i' is int, not int64"),
        ({"i": 1.5}, "'i' is float, not int64"),
        ({"i": True}, "'i' is bool, not int64"),
        ({"b": "yes"}, "'b' is str, not bool"),
        ({"b": 1}, "'b' is int, not bool"),
        ({"f": 3}, ""),
        ({"f": 2**53 + 1}, "'f' is int, not double"),
        ({"i": 1, "new": 2}, "it has a key 'new' that the first objects do not have"),
    ],
)
def test_an_object_fits_or_is_told_why_not(record: dict[str, Any], reason: str) -> None:
    assert misfit(record, SCHEMA) == reason


def test_other_keys_are_allowed_where_columns_were_chosen() -> None:
    assert misfit({"i": 1, "new": 2}, SCHEMA, closed=False) == ""
