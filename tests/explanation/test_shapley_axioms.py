"""Shares keep the axioms that make them shares, whatever the model says."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affekt.explanation.shapley import coalitions, shares

PLAYERS = 5


def everything() -> tuple[np.ndarray, np.ndarray]:
    """Every set of words but none and all, with the exact Shapley kernel."""
    sets = [s for k in range(1, PLAYERS) for s in itertools.combinations(range(PLAYERS), k)]
    kept = np.array([[player in s for player in range(PLAYERS)] for s in sets])
    sizes = kept.sum(axis=1)
    kernel = np.array([(PLAYERS - 1) / (math.comb(PLAYERS, s) * s * (PLAYERS - s)) for s in sizes])
    return kept, kernel


KEPT, KERNEL = everything()
seeds = st.integers(0, 2**32 - 1)


def game(seed: int, labels: int = 2) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Values of the sets, of all words and of none."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(len(KEPT), labels)), rng.normal(size=labels), rng.normal(size=labels)


@settings(max_examples=50)
@given(seeds)
def test_shares_add_up(seed: int) -> None:
    values, full, empty = game(seed)
    assert shares(KEPT, KERNEL, values, full, empty).sum(axis=0) == pytest.approx(full - empty, abs=1e-9)


@settings(max_examples=50)
@given(seeds, seeds)
def test_shares_of_a_sum_are_the_sum_of_shares(first: int, second: int) -> None:
    a, b = game(first), game(second)
    together = shares(KEPT, KERNEL, *(x + y for x, y in zip(a, b, strict=True)))
    apart = shares(KEPT, KERNEL, *a) + shares(KEPT, KERNEL, *b)
    assert together == pytest.approx(apart, abs=1e-8)


@settings(max_examples=50)
@given(seeds)
def test_a_word_that_never_matters_gets_nothing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    table = {s: rng.normal() for k in range(PLAYERS) for s in itertools.combinations(range(PLAYERS - 1), k)}
    values = np.array([[table[tuple(np.flatnonzero(row[:-1]))]] for row in KEPT])
    full, empty = np.array([table[tuple(range(PLAYERS - 1))]]), np.array([table[()]])
    assert shares(KEPT, KERNEL, values, full, empty)[-1, 0] == pytest.approx(0, abs=1e-6)


@settings(max_examples=50)
@given(seeds)
def test_words_that_do_the_same_get_the_same(seed: int) -> None:
    rng = np.random.default_rng(seed)
    by_count = rng.normal(size=PLAYERS + 1)
    values = by_count[KEPT.sum(axis=1)][:, None]
    found = shares(KEPT, KERNEL, values, by_count[-1:], by_count[:1])
    assert found[:, 0] == pytest.approx([(by_count[-1] - by_count[0]) / PLAYERS] * PLAYERS, abs=1e-8)


@settings(max_examples=30)
@given(seeds)
def test_each_label_is_shared_on_its_own(seed: int) -> None:
    values, full, empty = game(seed, labels=3)
    together = shares(KEPT, KERNEL, values, full, empty)
    for label in range(3):
        alone = shares(KEPT, KERNEL, values[:, [label]], full[[label]], empty[[label]])
        assert together[:, label] == pytest.approx(alone[:, 0])


@settings(max_examples=30)
@given(seeds, st.integers(2, 30))
def test_single_words_and_their_complements_have_a_closed_form(seed: int, words: int) -> None:
    """With only those, a share is the mean of what the word adds first and adds last, moved so that all add up."""
    kept, weights = coalitions(words, 0)
    rng = np.random.default_rng(seed)
    values, full, empty = rng.normal(size=(len(kept), 1)), rng.normal(size=1), rng.normal(size=1)
    alone = {
        int(np.flatnonzero(row)[0]): v[0] - empty[0] for row, v in zip(kept, values, strict=True) if row.sum() == 1
    }
    found = shares(kept, weights, values, full, empty)
    assert len(alone) == words
    assert found.sum() == pytest.approx((full - empty)[0], abs=1e-8)
    if words > 2:
        last = {
            int(np.flatnonzero(~row)[0]): full[0] - v[0] for row, v in zip(kept, values, strict=True) if row.sum() > 1
        }
        raw = np.array([(alone[i] + last[i]) / 2 for i in range(words)])
        assert found[:, 0] - found[:, 0].mean() == pytest.approx(raw - raw.mean(), abs=1e-6)
