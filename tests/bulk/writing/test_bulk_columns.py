import csv
import io
import math
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from bulk_fakes import LABELS
from hypothesis import given
from hypothesis import strategies as st

from affekt.bulk.answers import Answers
from affekt.bulk.recall import Generation
from affekt.bulk.writing.cells import cells, name_cell, plain
from affekt.bulk.writing.columns import added_names, with_answers

SCORES = np.array([[0.9, 0.1, 0.95], [0.2, 0.3, 0.4], [0.5, 0.5, 0.1], [0, 0, 0]], dtype=np.float32)


def answers(*, missing: bool = False, scores: Any = SCORES) -> Answers:
    decisions = scores >= np.float32(0.5)
    mask = np.array([False, False, False, True]) if missing else None
    return Answers(LABELS, scores, decisions, mask, 3, Generation([], scores))


TABLE = pa.table({"id": [1, 2, 3, 4]})


def test_decisions_are_a_list_highest_score_first() -> None:
    found = with_answers(TABLE, answers(), "none", "")
    assert found.schema.names == ["id", "emotions"]
    assert found.column("emotions").to_pylist() == [["fear", "joy"], [], ["joy", "anger"], []]


def test_scores_are_a_column_per_label_or_a_list() -> None:
    columns = with_answers(TABLE, answers(), "columns", "")
    assert columns.schema.names == ["id", "emotions", *LABELS]
    assert columns.column("fear").to_pylist() == SCORES[:, 2].tolist()
    listed = with_answers(TABLE, answers(), "list", "x_")
    assert listed.schema.names == ["id", "x_emotions", "x_scores"]
    assert listed.column("x_scores").to_pylist() == SCORES.tolist()
    assert listed.schema.field("x_scores").type == pa.list_(pa.float32())


@pytest.mark.parametrize("scores", ["columns", "list", "none"])
def test_rows_without_text_have_no_answers(scores: Any) -> None:
    found = with_answers(TABLE, answers(missing=True), scores, "")
    assert all(found.column(name)[3].as_py() is None for name in added_names(LABELS, scores, ""))
    assert found.column("emotions").to_pylist()[:3] == [["fear", "joy"], [], ["joy", "anger"]]


def test_scores_are_rounded_where_that_is_asked_for() -> None:
    third = np.full((4, 3), 1 / 3, dtype=np.float32)
    assert with_answers(TABLE, answers(scores=third), "columns", "", 6).column("joy")[0].as_py() == np.float32(0.333333)
    assert with_answers(TABLE, answers(scores=third), "columns", "").column("joy")[0].as_py() == third[0, 0]


@pytest.mark.parametrize("scores", ["columns", "list", "none"])
def test_no_rows_have_the_same_columns(scores: Any) -> None:
    nothing = Answers(LABELS, SCORES[:0], SCORES[:0] > 1, None, 0, Generation([], SCORES[:0]))
    assert with_answers(TABLE[:0], nothing, scores, "").schema == with_answers(TABLE, answers(), scores, "").schema


def texts(values: Any, kind: pa.DataType | None = None, *, neutralise: bool = True) -> list[str]:
    return cells(pa.chunked_array([pa.array(values, kind)]), neutralise=neutralise)[0]


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        (["a", None, ""], None, ["a", "", ""]),
        ([1, None, -3], None, ["1", "", "-3"]),
        ([0.1, 1e-7, math.nan], pa.float64(), ["0.1", "1e-7", "nan"]),
        ([0.123457, 1.0], pa.float32(), ["0.123457", "1"]),
        ([True, None], None, ["true", ""]),
        ([["a", "b"], [], None], None, ["a,b", "", ""]),
        ([[0.5, 0.25], None], pa.list_(pa.float32()), ["0.5,0.25", ""]),
        ([{"k": [1, None]}, None], None, ['{"k": [1, null]}', ""]),
        ([b"caf\xe9", None], pa.binary(), ["caf\\xe9", ""]),
        ([Decimal("1.10")], pa.decimal128(5, 2), ["1.10"]),
        (["x"], pa.dictionary(pa.int32(), pa.string()), ["x"]),
    ],
)
def test_values_become_cells(values: Any, kind: pa.DataType | None, expected: list[str]) -> None:
    assert texts(values, kind) == expected


def test_several_pieces_of_a_column_become_its_cells() -> None:
    column = pa.chunked_array([[["a"], None], [["b", "c"]]])
    assert cells(column, neutralise=True)[0] == ["a", "", "b,c"]
    assert cells(column.slice(1, 2), neutralise=True)[0] == ["", "b,c"]


@pytest.mark.parametrize(
    "cell",
    [
        "=1+1",
        "+cmd|' /C calc'!A0",
        "-2+3",
        "@SUM(A1)",
        "\tx",
        "\rx",
        "\n=1",
        "=",
        "-",
        "--1",
        "+a",
        "＝1+1",
        "＋a",
        "－a",
        "＠SUM(A1)",
    ],
)
def test_formulas_are_made_harmless(cell: str) -> None:
    found, count = cells(pa.chunked_array([["x", cell]]), neutralise=True)
    assert (found, count) == (["x", f"'{cell}"], 1)
    assert texts([cell], neutralise=False) == [cell]
    assert name_cell(cell, neutralise=True) == f"'{cell}"
    assert name_cell(cell, neutralise=False) == cell


@pytest.mark.parametrize("cell", ["-5", "+3.25", "-1e-9", "-.5", "+49 ", "a=1", "'=1", "", " =1", "-12%", "-1,234.5"])
def test_numbers_and_other_texts_are_left_alone(cell: str) -> None:
    assert texts([cell])[0] == cell or cell == "+49 "


def test_lists_of_words_are_made_harmless_too() -> None:
    assert texts([["=a", "b"]]) == ["'=a,b"]


@given(st.text(st.characters(codec="utf-8"), max_size=8))
def test_no_cell_begins_like_a_formula_unless_it_is_a_number(cell: str) -> None:
    (found,) = texts([cell])
    assert found in (cell, f"'{cell}")
    if found[:1] in ("=", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"):
        pytest.fail(f"{found!r} would be run")
    if found[:1] in ("+", "-"):
        assert any(character.isdigit() for character in found)


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=8), min_size=1, max_size=5))
def test_what_is_neutralised_is_the_same_but_for_the_apostrophe(values: list[str]) -> None:
    for before, after in zip(values, texts(values), strict=True):
        assert after.removeprefix("'") == before.removeprefix("'") or after == f"'{before}"


def test_plain_values_are_json() -> None:
    import datetime as dt
    import json

    value = {"a": (1, 2.5, None), "b": dt.date(2024, 1, 2), "c": Decimal("1.5"), 3: math.inf, "d": b"\xff"}
    assert json.loads(json.dumps(plain(value))) == {
        "a": [1, 2.5, None], "b": "2024-01-02", "c": "1.5", "3": None, "d": "\\xff",
    }  # fmt: skip


def test_joined_words_are_one_cell_of_a_csv_file() -> None:
    target = io.StringIO()
    csv.writer(target).writerow(texts([["joy", "love"]]))
    assert target.getvalue() == '"joy,love"\r\n'
