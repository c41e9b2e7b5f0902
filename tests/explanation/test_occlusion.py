"""Occlusion and its shares, against additive models and exact Shapley values."""

import itertools
import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affekt.decision import logit, sigmoid
from affekt.explanation.occlusion import MAX_GROUPS, occlude
from affekt.explanation.shapley import coalitions, shares

WEIGHTS = {"happy": 2.0, "sad": -1.5, "not": -0.5, "😂": 1.0}


def additive(texts: Sequence[str]) -> np.ndarray:
    """Two labels whose log-odds are sums over words."""
    odds = [sum(value for word, value in WEIGHTS.items() if word in text.split()) for text in texts]
    return sigmoid(np.array([[-1.0 + odd, 1.0 - odd] for odd in odds]))


def exact_shapley(value: Callable[[frozenset[int]], float], players: int) -> list[float]:
    """The definition, by summing over all sets."""
    found = []
    for player in range(players):
        others = [other for other in range(players) if other != player]
        total = 0.0
        for size in range(players):
            share = math.factorial(size) * math.factorial(players - size - 1) / math.factorial(players)
            for group in itertools.combinations(others, size):
                total += share * (value(frozenset(group) | {player}) - value(frozenset(group)))
        found.append(total)
    return found


def test_an_additive_model_gives_its_own_weights() -> None:
    found = occlude(additive, "I am not happy 😂 today")
    by_word = {word.text: weight for word, weight in zip(found.words, found.weights, strict=True)}
    for word in ("not", "happy", "😂"):
        assert by_word[word] == pytest.approx([WEIGHTS[word], -WEIGHTS[word]], abs=1e-4)
    assert by_word["today"] == pytest.approx([0, 0], abs=1e-4)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from(["happy", "sad", "not", "x", "y", "😂"]), min_size=0, max_size=70))
def test_weights_always_add_up_from_empty_to_full(tokens: list[str]) -> None:
    found = occlude(additive, " ".join(tokens), budget=40)
    assert found.weights.shape == (len(tokens), 2)
    assert found.weights.sum(axis=0) == pytest.approx(
        logit(found.full) - logit(found.empty) if tokens else [0, 0], abs=1e-3
    )


def test_shares_with_every_set_are_the_shapley_values() -> None:
    players = 4
    generator = np.random.default_rng(1)
    table = {frozenset(s): generator.normal() for k in range(5) for s in itertools.combinations(range(players), k)}
    sets = [s for s in table if 0 < len(s) < players]
    kept = np.array([[player in s for player in range(players)] for s in sets])
    kernel = np.array([(players - 1) / (math.comb(players, len(s)) * len(s) * (players - len(s))) for s in sets])
    values = np.array([[table[s]] for s in sets])
    full, empty = np.array([table[frozenset(range(4))]]), np.array([table[frozenset()]])
    found = shares(kept, kernel, values, full, empty)[:, 0]
    assert found == pytest.approx(exact_shapley(lambda s: table[s], players), abs=1e-6)


def test_negation_shows_in_the_word_that_negates() -> None:
    def model(texts: Sequence[str]) -> np.ndarray:
        odds = [2.0 if "happy" in t and "not" not in t else -2.0 for t in texts]
        return sigmoid(np.array(odds))[:, None]

    found = occlude(model, "I was not happy there")
    by_word = {word.text: float(weight[0]) for word, weight in zip(found.words, found.weights, strict=True)}
    assert by_word["happy"] > 0 > by_word["not"]
    assert abs(by_word["there"]) < 0.5 * by_word["happy"]


@pytest.mark.parametrize("words", [2, 3, 4, 10, 48])
@pytest.mark.parametrize("budget", [0, 20, 64, 101])
def test_coalitions_hold_each_word_alone_and_left_out(words: int, budget: int) -> None:
    kept, weights = coalitions(words, budget)
    assert len(kept) == len(weights) <= max(2 * words, budget)
    assert weights.sum() == pytest.approx(1)
    assert (weights > 0).all()
    sizes = kept.sum(axis=1)
    assert sizes.min() >= 1
    assert sizes.max() <= words - 1
    for word in range(words):
        assert any(row[word] and row.sum() == 1 for row in kept)
        assert any(not row[word] and row.sum() == words - 1 for row in kept)


def test_coalitions_are_the_same_for_the_same_seed() -> None:
    assert np.array_equal(coalitions(12, 60, seed=3)[0], coalitions(12, 60, seed=3)[0])
    assert not np.array_equal(coalitions(12, 60, seed=3)[0], coalitions(12, 60, seed=4)[0])


def test_long_texts_have_a_bounded_cost_and_neighbours_share() -> None:
    calls: list[int] = []

    def model(texts: Sequence[str]) -> np.ndarray:
        calls.append(len(texts))
        return additive(texts)

    found = occlude(model, "word " * 500, budget=64)
    assert calls == [2 + 2 * MAX_GROUPS]
    assert found.weights.shape == (500, 2)


def test_no_words_and_one_word() -> None:
    assert occlude(additive, "  ").weights.shape == (0, 2)
    one = occlude(additive, "happy")
    assert one.weights[0] == pytest.approx([2.0, -2.0], abs=1e-4)
