"""What holds for suggestions from any pool, and the file that they are written to."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affekt.errors import SettingError
from affekt.selection import Suggestion, suggest
from affekt.selection.suggest import rarity, uncertainty
from affekt.selection.vectors import WIDTH, hashed
from affekt.selection.writing import COLUMNS, write_suggestions

LABELS = ("joy", "fear", "grief")
THRESHOLDS = (0.5, 0.3, 0.1)
RATES = (0.3, 0.1, 0.01)
seeds = st.integers(0, 2**32 - 1)


def pool(seed: int, texts: int) -> tuple[list[str], np.ndarray]:
    rng = np.random.default_rng(seed)
    words = [" ".join(f"w{n}" for n in rng.integers(0, 30, 5)) + f" id{i}" for i in range(texts)]
    return words, rng.random((texts, 3)).astype(np.float32)


@settings(max_examples=30, deadline=None)
@given(seeds, st.integers(1, 60))
def test_the_order_of_the_pool_does_not_matter(seed: int, texts: int) -> None:
    words, scores = pool(seed, texts)
    order = np.random.default_rng(seed + 1).permutation(texts)
    first = suggest(words, scores, LABELS, THRESHOLDS, 5, rates=RATES)
    second = suggest([words[i] for i in order], scores[order], LABELS, THRESHOLDS, 5, rates=RATES)
    assert [item.text for item in first] == [item.text for item in second]
    assert all(words[item.index] == item.text for item in first)


@settings(max_examples=30, deadline=None)
@given(seeds, st.integers(2, 60), st.integers(1, 10))
def test_asking_for_more_keeps_what_was_chosen(seed: int, texts: int, count: int) -> None:
    """Greedy choice: the first of a longer list are the shorter list, as long as the same candidates are looked at."""
    words, scores = pool(seed, texts)
    short = suggest(words, scores, LABELS, THRESHOLDS, count, rates=RATES)
    long = suggest(words, scores, LABELS, THRESHOLDS, count + 3, rates=RATES)
    if texts <= 20 * count:
        assert [item.text for item in long[: len(short)]] == [item.text for item in short]


@settings(max_examples=30, deadline=None)
@given(seeds)
def test_texts_without_doubt_come_last(seed: int) -> None:
    words, scores = pool(seed, 30)
    scores[10:] = [0.9999, 0.0001, 0.0001]
    scores[:10] = THRESHOLDS
    found = suggest(words, scores, LABELS, THRESHOLDS, 10, rates=RATES)
    assert {item.index for item in found} == set(range(10))


@settings(max_examples=50, deadline=None)
@given(st.floats(0, 1), st.floats(0.01, 0.99))
def test_uncertainty_is_a_share_with_its_top_at_twice_the_odds_of_the_threshold(score: float, threshold: float) -> None:
    (value,) = uncertainty(np.array([[score]], dtype=np.float32), (threshold,))[0]
    twice = 2 * threshold / (1 + threshold)
    (top,) = uncertainty(np.array([[twice]], dtype=np.float32), (threshold,))[0]
    assert 0 <= value <= 1 + 1e-6
    assert value <= top + 1e-6
    assert top == pytest.approx(1, abs=1e-4)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(1e-4, 1), min_size=2, max_size=30))
def test_rarer_labels_never_weigh_less(rates: list[float]) -> None:
    weights = rarity(rates)
    order = np.argsort(rates)
    assert (np.diff(weights[order]) <= 1e-4).all()
    assert weights.mean() == pytest.approx(1, rel=1e-3)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text(max_size=30), min_size=1, max_size=12))
def test_vectors_are_unit_or_nothing(texts: list[str]) -> None:
    vectors = hashed(texts)
    assert vectors.shape == (len(texts), WIDTH)
    lengths = np.linalg.norm(vectors, axis=1)
    assert all(length == pytest.approx(1, abs=1e-5) or length == 0 for length in lengths)


def test_the_same_text_has_the_same_vector() -> None:
    first, second, third = hashed(["a b c", "A B C", "d e f"])
    assert np.array_equal(first, second)
    assert first @ third < 0.2


def suggestions() -> list[Suggestion]:
    return [
        Suggestion(2, 'say "hi",\nnow 😂', 0.9, ("joy", "fear"), "Unsure about joy."),
        Suggestion(0, "plain", 0.5, (), "Unsure."),
    ]


def test_csv_to_be_filled_in(tmp_path: Path) -> None:
    write_suggestions(suggestions(), [2, 3, 5], tmp_path / "next.csv")
    with open(tmp_path / "next.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0].values()) == ("5", 'say "hi",\nnow 😂', "", "joy,fear", "Unsure about joy.")
    assert tuple(rows[0]) == COLUMNS
    assert (rows[1]["line"], rows[1]["unsure_about"]) == ("2", "")


def test_json_lines_to_be_filled_in(tmp_path: Path) -> None:
    write_suggestions(suggestions(), [2, 3, 5], tmp_path / "next.jsonl")
    rows = [json.loads(line) for line in (tmp_path / "next.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [tuple(row) for row in rows] == [COLUMNS, COLUMNS]
    assert rows[0]["text"] == 'say "hi",\nnow 😂'


def test_a_filled_in_file_can_be_read_as_data(tmp_path: Path) -> None:
    from affekt.data import load_dataset

    path = tmp_path / "next.csv"
    write_suggestions(suggestions(), [2, 3, 5], path)
    with open(path, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row, labels in zip(rows, ("joy,fear", "fear"), strict=True):
        row["labels"] = labels
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    dataset = load_dataset(path)
    assert set(dataset.labels) == {"joy", "fear"}
    assert dataset.texts == ('say "hi",\nnow 😂', "plain")


def test_another_ending_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="does not say its format"):
        write_suggestions(suggestions(), [2, 3, 5], tmp_path / "next.txt")
    assert not list(tmp_path.iterdir())
