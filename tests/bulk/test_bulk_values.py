import json
import uuid
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from bulk_fakes import FakeScorer
from bulk_helpers import read_csv, read_jsonl, rejects_of

from affekt.bulk import JobOptions, predict_files
from affekt.bulk.values import values, without_views

NANO = "1970-01-01 00:00:00.000000001"

# What Python's own types cannot hold, or Arrow cannot take rows of: (values, type, as JSON has the first).
ODD: dict[str, tuple[list[Any], pa.DataType, Any]] = {
    "nanoseconds": ([1, None], pa.timestamp("ns"), NANO),
    "zone": ([1, None], pa.timestamp("ns", "Etc/GMT-1"), "1970-01-01 01:00:00.000000001+0100"),
    "time": ([1, None], pa.time64("ns"), "00:00:00.000000001"),
    "duration": ([1, None], pa.duration("ns"), 1),
    "far date": ([10**8, None], pa.date32(), "<value out of range: 100000000>"),
    "date": ([1, None], pa.date32(), "1970-01-02"),
    "in a structure": ([{"a": 1}, None], pa.struct([("a", pa.timestamp("ns"))]), {"a": NANO}),
    "in a list": ([[1, None], None], pa.list_(pa.timestamp("ns")), [NANO, None]),
    "in a large list": ([[1], None], pa.large_list(pa.timestamp("ns")), [NANO]),
    "in a list of two": ([[1, 1], None], pa.list_(pa.timestamp("ns"), 2), [NANO, NANO]),
    "in a map": ([[("k", 1)], None], pa.map_(pa.string(), pa.timestamp("ns")), [["k", NANO]]),
    "text view": (["x", None], pa.string_view(), "x"),
    "bytes view": ([b"\xff", None], pa.binary_view(), "\\xff"),
    "view in a list": ([["x"], None], pa.list_(pa.string_view()), ["x"]),
    "two bytes": ([b"\xffa", None], pa.binary(2), "\\xffa"),
    "uuid": ([uuid.UUID(int=1).bytes, None], pa.uuid(), str(uuid.UUID(int=1))),
    "decimal": ([Decimal("1.10"), None], pa.decimal256(50, 2), "1.10"),
    "text": (["x", None], pa.dictionary(pa.int32(), pa.string()), "x"),
    "unset": ([None, None], pa.null(), None),
}


def predict(column: pa.Array, out: Path, *, text: str | None = "a text", **options: Any) -> Path:
    out.parent.mkdir(exist_ok=True)
    path = out.parent / "in.parquet"
    pq.write_table(pa.table({"text": ["a text", text], "odd": column}), path)
    predict_files(path, out, FakeScorer(), JobOptions.of(scores="none", **options))
    return out


@pytest.mark.parametrize("name", ODD)
def test_columns_of_every_type_go_out_in_every_format(tmp_path: Path, name: str) -> None:
    given, kind, expected = ODD[name]
    column = pa.array(given, kind)
    lines = read_jsonl(predict(column, tmp_path / "out.jsonl"))
    assert [line["odd"] for line in lines] == [expected, None]
    cells = [row["odd"] for row in read_csv(predict(column, tmp_path / "out.csv"))]
    nested = pa.types.is_nested(kind) and name != "view in a list"
    assert cells == [json.dumps(expected) if nested else "x" if "view in" in name else str(expected or ""), ""]
    found = pq.read_table(predict(column, tmp_path / "out.parquet")).column("odd")
    assert values(found) == values(pa.chunked_array([column]))


@pytest.mark.parametrize("name", ODD)
def test_rows_with_columns_of_every_type_can_be_refused_and_filtered(tmp_path: Path, name: str) -> None:
    given, kind, _ = ODD[name]
    out = predict(pa.array(list(reversed(given)), kind), tmp_path / "out.parquet", text=None, where="odd != 'nothing'")
    assert pq.read_table(out).column("text").to_pylist() == ["a text"]
    assert [reject["row"] for reject in rejects_of(out)] == [2]


def test_the_entries_of_a_list_are_kept_where_one_is_missing(tmp_path: Path) -> None:
    column = pa.array([["a", None, "b"], [None]])
    assert [row["odd"] for row in read_csv(predict(column, tmp_path / "out.csv"))] == ["a,,b", ""]
    numbers = pa.array([[1.5, None], []], pa.list_(pa.float32()))
    assert [row["odd"] for row in read_csv(predict(numbers, tmp_path / "b" / "out.csv"))] == ["1.5,", ""]


def test_types_without_views_and_dates_stay_as_they_are() -> None:
    for kind in (pa.int64(), pa.list_(pa.int8()), pa.map_(pa.string(), pa.int8()), pa.dictionary(pa.int8(), pa.int8())):
        assert without_views(kind) == kind
    assert values(pa.chunked_array([["a", None]])) == ["a", None]
    assert values(pa.chunked_array([[1.5, None]])) == [1.5, None]
