"""Drift between two files of predictions, against scipy and by hand."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from affekt.errors import DataError
from affekt.evaluation.drift import compare_predictions
from affekt.evaluation.predictions import Predictions, read_predictions
from affekt.evaluation.significance import newcombe


def made(
    rng: np.random.Generator, texts: int, rates: list[float], name: str = "x", labels: tuple[str, ...] = ("joy", "fear")
) -> Predictions:
    scores = np.stack([rng.beta(2, 2, texts) ** (np.log(r) / np.log(0.5)) for r in rates], axis=1).astype(np.float32)
    return Predictions(name, labels, scores >= 0.5, scores, None)


def test_the_same_distribution_is_noise() -> None:
    rng = np.random.default_rng(0)
    found = compare_predictions(made(rng, 3000, [0.5, 0.3]), made(rng, 2000, [0.5, 0.3]))
    assert [item.verdict for item in found.labels] == ["noise", "noise"]
    assert not found.changed
    assert "Nothing changed" in found.sentences()[0]
    assert not found.paired
    assert math.isnan(found.differing)


def test_a_real_shift_is_found_and_stands_first() -> None:
    rng = np.random.default_rng(1)
    found = compare_predictions(made(rng, 3000, [0.5, 0.3]), made(rng, 3000, [0.5, 0.4]))
    first, second = found.labels
    assert (first.label, first.verdict) == ("fear", "changed")
    assert second.verdict == "noise"
    assert first.interval[0] < first.new_rate - first.old_rate < first.interval[1]
    assert first.interval[0] > 0
    assert "fear" in found.sentences()[0]


def test_a_tiny_but_certain_shift_is_slight() -> None:
    rng = np.random.default_rng(2)
    old = Predictions("a", ("joy",), rng.random((400_000, 1)) < 0.050, None, None)
    new = Predictions("b", ("joy",), rng.random((400_000, 1)) < 0.054, None, None)
    (joy,) = compare_predictions(old, new).labels
    assert joy.verdict == "slight"
    assert math.isnan(joy.ks)


def test_false_alarms_are_rare() -> None:
    rng = np.random.default_rng(3)
    labels = tuple("abcdefgh")
    alarms = 0
    for _ in range(60):
        pair = [made(rng, 400, [0.3] * 8, labels=labels) for _ in range(2)]
        alarms += any(item.verdict != "noise" for item in compare_predictions(*pair).labels)
    assert alarms <= 9  # about 0.1 is allowed: two tests at 0.05


def test_the_two_proportion_test_by_hand() -> None:
    old = Predictions("a", ("joy",), np.arange(200)[:, None] < 40, None, None)
    new = Predictions("b", ("joy",), np.arange(300)[:, None] < 90, None, None)
    (joy,) = compare_predictions(old, new).labels
    pooled = 130 / 500
    z = (0.3 - 0.2) / math.sqrt(pooled * (1 - pooled) * (1 / 200 + 1 / 300))
    assert joy.rate_p == pytest.approx(2 * stats.norm.sf(z))
    low, high = newcombe(np.array([0.2]), np.array([0.3]), 200, 300)
    assert joy.interval == pytest.approx((low[0], high[0]))


def test_the_same_texts_are_compared_text_by_text() -> None:
    texts = tuple(f"t{i}" for i in range(100))
    before = np.zeros((100, 1), dtype=bool)
    before[:40] = True
    after = before.copy()
    after[:15] = False
    after[90:95] = True
    found = compare_predictions(
        Predictions("a", ("joy",), before, None, texts), Predictions("b", ("joy",), after, None, texts)
    )
    assert found.paired
    assert found.differing == pytest.approx(0.2)
    z = (5 - 15) / math.sqrt(20)
    assert found.labels[0].rate_p == pytest.approx(2 * stats.norm.sf(abs(z)))
    assert any("20.0%" in sentence for sentence in found.sentences())


def test_holm_correction_over_labels() -> None:
    old = Predictions("a", ("x", "y"), np.stack([np.arange(200) < 40, np.arange(200) < 90], axis=1), None, None)
    new = Predictions("b", ("x", "y"), np.stack([np.arange(200) < 60, np.arange(200) < 100], axis=1), None, None)
    single = {
        label: compare_predictions(
            Predictions("a", (label,), old.decided[:, [i]], None, None),
            Predictions("b", (label,), new.decided[:, [i]], None, None),
        ).labels[0].rate_p
        for i, label in enumerate("xy")
    }  # fmt: skip
    both = {item.label: item.rate_p for item in compare_predictions(old, new).labels}
    assert both["x"] == pytest.approx(2 * single["x"])
    assert both["y"] == pytest.approx(max(single["y"], both["x"]))


def test_labels_in_one_file_only_are_named() -> None:
    old = Predictions("a", ("x", "gone"), np.ones((3, 2), dtype=bool), None, None)
    new = Predictions("b", ("fresh", "x"), np.ones((3, 2), dtype=bool), None, None)
    found = compare_predictions(old, new)
    assert (found.only_old, found.only_new) == (("gone",), ("fresh",))
    assert "gone, fresh" in found.sentences()[-1]
    with pytest.raises(DataError, match="no label in common"):
        compare_predictions(old, Predictions("c", ("z",), np.ones((3, 1), dtype=bool), None, None))


def test_json_has_no_nan() -> None:
    old = Predictions("a", ("x",), np.ones((3, 1), dtype=bool), None, None)
    data = json.loads(json.dumps(compare_predictions(old, old).to_dict(), allow_nan=False))
    assert data["labels"][0]["ks"] is None


CSV = 'text,emotions,windowed,joy,fear\nhello,"joy,fear",false,0.9,0.8\nbye,,false,0.2,0.1\n'


def test_reading_csv(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text(CSV)
    found = read_predictions(path)
    assert found.labels == ("joy", "fear")
    assert found.decided.tolist() == [[True, True], [False, False]]
    assert found.scores == pytest.approx(np.array([[0.9, 0.8], [0.2, 0.1]], dtype=np.float32))
    assert found.texts == ("hello", "bye")


def test_reading_json_lines(tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    rows = [
        {"text": "a", "emotions": ["joy"], "scores": {"joy": 0.7, "fear": 0.1}},
        {"text": "b", "emotions": [], "scores": {"joy": 0.2, "fear": 0.3}},
    ]
    path.write_text("\n".join(map(json.dumps, rows)))
    found = read_predictions(path)
    assert found.labels == ("joy", "fear")
    assert found.decided.tolist() == [[True, False], [False, False]]


def test_reading_parquet(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    table = pa.table({"id": [1, 2], "emotions": [["fear"], []], "score_joy": [0.5, 0.25], "score_fear": [0.75, 0.0]})
    parquet.write_table(table, tmp_path / "p.parquet")
    found = read_predictions(tmp_path / "p.parquet")
    assert found.labels == ("joy", "fear")
    assert found.decided.tolist() == [[False, True], [False, False]]
    assert found.texts is None


def test_reading_scores_alone_and_decisions_alone(tmp_path: Path) -> None:
    (tmp_path / "scores.csv").write_text("text,joy\na,0.6\nb,0.4\n")
    assert read_predictions(tmp_path / "scores.csv").decided.tolist() == [[True], [False]]
    assert read_predictions(tmp_path / "scores.csv", threshold=0.3).decided.all()
    (tmp_path / "only.csv").write_text('text,emotions\na,joy\nb,"fear;joy"\n')
    found = read_predictions(tmp_path / "only.csv")
    assert found.labels == ("fear", "joy")
    assert found.scores is None
    (tmp_path / "none.csv").write_text("text,note\na,b\n")
    with pytest.raises(DataError, match="holds no predictions"):
        read_predictions(tmp_path / "none.csv")
    (tmp_path / "odd.csv").write_text("text,emotions,joy\na,awe,0.5\n")
    with pytest.raises(DataError, match="row 1: the emotion 'awe'"):
        read_predictions(tmp_path / "odd.csv")


def test_the_inputs_own_columns_and_unanswered_rows_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "bulk.csv").write_text("rating,text,emotions,joy\n1,a,joy,0.9\n0,b,,\n1,c,,0.1\n")
    found = read_predictions(tmp_path / "bulk.csv")
    assert found.labels == ("joy",)
    assert found.decided.tolist() == [[True], [False]]
    assert found.texts == ("a", "c")


def test_scores_that_shift_without_the_rate_are_not_told_as_a_rate() -> None:
    """Seen: "Changed: embarrassment: 0.5% → 0.3%", whose p-value was 1."""
    rng = np.random.default_rng(0)
    scores = [rng.uniform(low, high, (2000, 1)).astype(np.float32) for low, high in ((0.0, 0.2), (0.1, 0.3))]
    old, new = (Predictions(name, ("joy",), found > 0.9, found, None) for name, found in zip("ab", scores, strict=True))
    found = compare_predictions(old, new)
    (joy,) = found.labels
    assert (joy.verdict, joy.rate_changed) == ("changed", False)
    assert found.sentences()[0].startswith("Changed: the scores of joy (index ")
