import json
from typing import Any

import pytest

from affekt.bulk.reading.pieces import Position
from affekt.bulk.summary import Summary, summarise
from affekt.bulk.writing.records import ShardRecord, StoredFile

MODEL = {"name": "m", "version": "7", "backend": "onnx-int8"}


def record(index: int, **given: Any) -> ShardRecord:
    usual: dict[str, Any] = {
        "index": index, "start": Position(), "end": Position(0, 10, 99), "read": 10, "written": 8, "refused": 1,
        "kept": 0, "filtered": 1, "reasons": {"json": 1}, "labels": {"joy": 2, "fear": 1}, "none": 5, "header": 0,
        "neutralised": 1, "scored": 6, "saved": 2, "remembered": 6, "share": 0.5,
        "data": StoredFile(name="x", bytes=1, sha256="0"), "rejects": None, "memory": None,
        "seconds": {"read": 1.0, "score": 2.0, "write": 0.5},
    }  # fmt: skip
    return ShardRecord(**{**usual, **given})


def summed(records: list[ShardRecord], reused: frozenset[int] = frozenset(), total: float = 4.0) -> Summary:
    seconds = {"join": 0.25, "total": total}
    return summarise(records, reused=reused, seconds=seconds, output="o", rejects_file="r", model=MODEL)


def test_everything_is_added_up() -> None:
    found = summed([record(0), record(1, reasons={"types": 2}, refused=2)])
    assert (found.rows, found.written, found.filtered, found.rejects, found.neutralised) == (20, 16, 2, 3, 2)
    assert found.reasons == {"json": 1, "types": 2}
    assert found.label_rates == {"joy": 4 / 16, "fear": 2 / 16}
    assert found.none_rate == 10 / 16
    assert (found.scored, found.saved, found.shards, found.reused) == (12, 4, 2, 0)
    assert found.seconds == {"read": 2.0, "score": 4.0, "write": 1.0, "join": 0.25, "total": 4.0}
    assert (found.rows_per_second, found.texts_per_second) == (5.0, 4.0)


def test_rates_and_seconds_are_those_of_this_run() -> None:
    found = summed([record(0), record(1), record(2)], reused=frozenset({0, 1}), total=2.0)
    assert (found.rows, found.reused) == (30, 2)
    assert found.seconds["score"] == 2.0
    assert (found.rows_per_second, found.texts_per_second) == (5.0, 4.0)


def test_nothing_at_all_is_no_division_by_nothing() -> None:
    found = summed(
        [record(0, read=0, written=0, refused=0, filtered=0, labels={"joy": 0}, none=0, scored=0, saved=0)], total=0.0
    )
    assert found.label_rates == {"joy": 0.0}
    assert found.rejects_file == ""
    assert "0 of 0 rows" in found.text()


def test_it_is_json_and_comes_back() -> None:
    found = summed([record(0)])
    assert Summary(**json.loads(json.dumps(found.to_json()))) == found


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"refused": 0, "reasons": {}}, None),
        ({"refused": 3, "reasons": {"json": 3}}, "refused: json 3; see r"),
        ({"neutralised": 0}, None),
        ({"neutralised": 4}, "4 cells began like a formula"),
    ],
)
def test_only_what_happened_is_said(given: dict[str, Any], said: str | None) -> None:
    text = summed([record(0, **{"refused": 0, "reasons": {}, "neutralised": 0, **given})]).text()
    assert (said in text) if said else ("refused:" not in text and "formula" not in text)


def test_the_five_commonest_labels_are_said() -> None:
    labels = {f"label{number}": number for number in range(8)}
    text = summed([record(0, labels=labels)]).text()
    assert "label7 87.5%, label6 75.0%, label5 62.5%, label4 50.0%, label3 37.5%; none 62.5%" in text
    assert "model: m 7 (onnx-int8)" in text


def test_a_record_is_one_line_and_comes_back() -> None:
    found = record(3, rejects=StoredFile(name="r", bytes=2, sha256="1"))
    assert found.line().count("\n") == 1
    assert ShardRecord.model_validate_json(found.line()) == found
    assert found.lasting().seconds == {}
    assert (found.lasting().share, found.lasting().memory) == (0.0, None)
