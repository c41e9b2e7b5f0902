from typing import Any

import pyarrow as pa
import pytest
from bulk_fakes import LABELS, FakeScorer, FakeSpec

from affekt.bulk import batches
from affekt.bulk.batches import opened, predict_table
from affekt.errors import DataError

TABLE = pa.table({"id": [1, 2, 3, 4], "text": ["a", None, " ", "a"]})


@pytest.mark.parametrize("scores", ["list", "columns", "none"])
def test_a_batch_gets_its_answers(scores: Any) -> None:
    scorer = FakeScorer()
    found = predict_table(scorer, TABLE, "text", scores=scores)
    assert found.select(["id", "text"]) == TABLE
    emotions = found.column("emotions").to_pylist()
    assert emotions[1:3] == [None, None]
    assert emotions[0] == emotions[3]
    assert scorer.calls == [["a"]]


def test_an_empty_batch_has_the_same_columns() -> None:
    assert predict_table(FakeScorer(), TABLE[:0], "text").schema == predict_table(FakeScorer(), TABLE, "text").schema


@pytest.mark.parametrize(
    ("column", "table", "message"),
    [
        ("body", TABLE, "no column 'body'.*id, text"),
        ("id", TABLE, "'id' holds int, not texts"),
        ("text", TABLE.append_column("scores", TABLE.column("id")), "a column 'scores' already"),
    ],
)
def test_a_batch_that_cannot_be_answered_is_refused(column: str, table: pa.Table, message: str) -> None:
    with pytest.raises(DataError, match=message):
        predict_table(FakeScorer(), table, column)


def test_a_prefix_keeps_names_apart() -> None:
    table = TABLE.append_column("scores", TABLE.column("id"))
    assert predict_table(FakeScorer(), table, "text", prefix="new_").schema.names[3:] == ["new_emotions", "new_scores"]


def test_a_model_is_opened_once_per_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "_opened", {})
    first = opened(FakeSpec())
    assert opened(FakeSpec()) is first
    assert opened(FakeSpec(delay=0.1)) is not first
    assert first.labels == LABELS
    assert len(batches._opened) == 1
