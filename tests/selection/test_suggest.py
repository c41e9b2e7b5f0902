"""Choosing texts to label: unsure, unlike each other, rare labels among them, better than chance."""

import itertools
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affekt.errors import SettingError
from affekt.selection import suggest
from affekt.selection.suggest import rarity, uncertainty
from affekt.selection.vectors import hashed

LABELS = ("joy", "grief")
HALF = (0.5, 0.5)


def scores(*rows: Sequence[float]) -> np.ndarray:
    return np.array(rows, dtype=np.float32)


def test_the_text_nearest_to_a_threshold_comes_first() -> None:
    found = suggest(
        ["sure", "unsure", "also sure"], scores([0.99, 0.01], [0.5, 0.01], [0.02, 0.02]), LABELS, HALF, 3, rates=HALF
    )
    assert found[0].text == "unsure"
    assert found[0].emotions == ("joy",)
    assert found[0].reason == "Unsure about joy 0.50 (threshold 0.50)."
    assert [item.index for item in found] == [1, 2, 0] or [item.index for item in found] == [1, 0, 2]


def test_uncertainty_is_about_the_threshold_not_one_half() -> None:
    found = uncertainty(scores([2 / 11, 0.5]), (0.1, 0.1))
    assert found[0, 0] == pytest.approx(1)
    assert found[0, 1] < 0.8
    assert uncertainty(scores([0.0, 1.0]), HALF).max() < 0.01


def test_above_the_threshold_counts_for_more_than_as_far_below() -> None:
    above, at, below = uncertainty(scores([2 / 3], [0.5], [1 / 3]), (0.5,))[:, 0]
    assert (above, at, below) == pytest.approx((1, 27 / 32, 1 / 2))


def test_rare_labels_weigh_more() -> None:
    weights = rarity([0.25, 0.0025])
    assert weights[1] / weights[0] == pytest.approx(100, rel=1e-4)
    assert weights.mean() == pytest.approx(1)
    found = suggest(["a", "b"], scores([0.5, 0.0], [0.0, 0.5]), LABELS, HALF, 1, rates=[0.4, 0.01])
    assert found[0].text == "b"
    assert "rare label" in found[0].reason


def test_a_label_that_is_covered_counts_for_less() -> None:
    """Nine texts unsure about joy and one a little about grief: grief comes before the joys are used up."""
    texts = [f"w{i} x{i} y{i}" for i in range(10)]
    values = scores(*[[0.5, 0.0]] * 9, [0.0, 0.35])
    found = suggest(texts, values, LABELS, HALF, 10, rates=[0.1, 0.1])
    assert 1 <= [item.index for item in found].index(9) <= 5


def test_texts_that_say_the_same_are_spread_out() -> None:
    texts = ["I am so happy today", "I am so happy today my friend", "the wolves at the door howl"]
    found = suggest(texts, scores([0.5, 0], [0.5, 0], [0.42, 0]), LABELS, HALF, 2)
    assert {item.index for item in found} in ({0, 2}, {1, 2})


def test_copies_count_once() -> None:
    found = suggest(["Hello!", "hello", "HELLO."], scores([0.5, 0.5], [0.5, 0.5], [0.5, 0.5]), LABELS, HALF, 3)
    assert [item.index for item in found] == [0]


def test_edges() -> None:
    assert suggest([], np.zeros((0, 2), dtype=np.float32), LABELS, HALF, 5) == []
    assert len(suggest(["a", "b"], scores([0.1, 0.1], [0.2, 0.2]), LABELS, HALF, 9)) == 2
    with pytest.raises(SettingError, match="at least 1"):
        suggest(["a"], scores([0.1, 0.1]), LABELS, HALF, 0)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 60), st.integers(1, 20), st.integers(0, 99))
def test_suggestions_are_different_texts_in_falling_order_of_worth(texts: int, count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    pool = [f"text {i} {'abc'[i % 3]}" for i in range(texts)]
    found = suggest(pool, rng.random((texts, 2)).astype(np.float32), LABELS, HALF, count)
    assert len(found) == min(count, texts)
    assert len({item.index for item in found}) == len(found)
    assert all(first.value >= second.value - 1e-6 for first, second in itertools.pairwise(found))
    assert all(item.text == pool[item.index] and item.reason for item in found)
    assert found == suggest(
        pool, np.random.default_rng(seed).random((texts, 2)).astype(np.float32), LABELS, HALF, count
    )


def test_vectors_tell_texts_apart() -> None:
    same, near, far, empty = hashed(["a cat sat here", "a cat sat there", "dogs bark loudly", "  "])
    assert same @ same == pytest.approx(1)
    assert same @ near > 0.2 > same @ far + 0.1
    assert not empty.any()


def test_suggestions_teach_more_than_random_texts() -> None:
    """A small world: a rare and a common label, each shown by a word. Learned words decide how fast F1 grows."""
    rng = np.random.default_rng(0)
    texts, truth = [], []
    for number in range(1500):
        rare, common = rng.random() < 0.01, rng.random() < 0.3
        words = [f"noise{rng.integers(40)}" for _ in range(4)]
        texts.append(" ".join([*words, *["sob"] * rare, *["yay"] * common, f"id{number}"]))
        truth.append([common, rare])
    gold = np.array(truth)
    knows = scores(*[[0.9 if common else 0.05, 0.15 if rare else 0.01] for common, rare in truth])
    chosen = [item.index for item in suggest(texts, knows, LABELS, (0.5, 0.3), 30)]
    random = rng.choice(len(texts), 30, replace=False)
    assert gold[chosen, 1].sum() >= 5 > gold[random, 1].sum()
