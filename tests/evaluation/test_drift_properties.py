"""What holds for the comparison of any two files of predictions."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from affekt.evaluation.drift import Drift, compare_predictions
from affekt.evaluation.predictions import Predictions
from affekt.evaluation.significance import kolmogorov_smirnov, newcombe, stability_index

LABELS = ("a", "b", "c")
seeds = st.integers(0, 2**32 - 1)


def made(seed: int, texts: int, shift: float = 0.0, *, scored: bool = True, named: bool = False) -> Predictions:
    rng = np.random.default_rng(seed)
    scores = np.clip(rng.beta(2, 4, (texts, 3)) + shift, 0, 1).astype(np.float32)
    names = tuple(f"text {i}" for i in range(texts)) if named else None
    return Predictions(f"file {seed}", LABELS, scores >= 0.4, scores if scored else None, names)


def by_label(found: Drift) -> dict[str, tuple[float, ...]]:
    return {i.label: (i.old_rate, i.new_rate, i.rate_p, i.ks, i.ks_p, i.psi) for i in found.labels}


@settings(max_examples=40, deadline=None)
@given(seeds, st.integers(5, 200), st.booleans(), st.booleans())
def test_a_file_beside_itself_has_not_changed(seed: int, texts: int, scored: bool, named: bool) -> None:
    same = made(seed, texts, scored=scored, named=named)
    found = compare_predictions(same, same)
    assert not found.changed
    assert {item.verdict for item in found.labels} == {"noise"}
    assert all(item.rate_p == 1.0 for item in found.labels)
    assert all(item.interval[0] <= 0 <= item.interval[1] for item in found.labels)
    if named:
        assert found.differing == 0.0


@settings(max_examples=40, deadline=None)
@given(seeds, seeds, st.integers(10, 150), st.integers(10, 150))
def test_the_order_of_the_texts_does_not_matter(first: int, second: int, old: int, new: int) -> None:
    a, b = made(first, old), made(second, new, 0.1)
    order = np.random.default_rng(0).permutation(new)
    assert b.scores is not None
    shuffled = Predictions(b.name, b.labels, b.decided[order], b.scores[order], None)
    one, other = by_label(compare_predictions(a, b)), by_label(compare_predictions(a, shuffled))
    assert {label: pytest.approx(values, nan_ok=True) for label, values in one.items()} == other


@settings(max_examples=40, deadline=None)
@given(seeds, seeds, st.integers(10, 150), st.integers(10, 150))
def test_the_other_way_round_is_the_mirror_image(first: int, second: int, old: int, new: int) -> None:
    a, b = made(first, old), made(second, new, 0.1)
    there = {item.label: item for item in compare_predictions(a, b).labels}
    back = {item.label: item for item in compare_predictions(b, a).labels}
    for label, item in there.items():
        assert (item.old_rate, item.new_rate) == (back[label].new_rate, back[label].old_rate)
        assert item.rate_p == pytest.approx(back[label].rate_p)
        assert item.ks == pytest.approx(back[label].ks)
        assert item.interval == pytest.approx((-back[label].interval[1], -back[label].interval[0]))


@settings(max_examples=30, deadline=None)
@given(seeds)
def test_the_order_of_the_columns_does_not_matter(seed: int) -> None:
    a, b = made(seed, 80), made(seed + 1, 90, 0.05)
    assert b.scores is not None
    turned = Predictions(b.name, ("c", "a", "b"), b.decided[:, [2, 0, 1]], b.scores[:, [2, 0, 1]], None)
    assert by_label(compare_predictions(a, b)) == by_label(compare_predictions(a, turned))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 50), st.integers(0, 50), st.integers(1, 60), st.integers(1, 60))
def test_intervals_hold_the_difference_and_stay_in_range(a: int, b: int, extra_a: int, extra_b: int) -> None:
    old, new = a + extra_a, b + extra_b
    low, high = newcombe(np.array([a / old]), np.array([b / new]), old, new)
    assert -1 - 1e-9 <= low[0] <= b / new - a / old <= high[0] <= 1 + 1e-9


@pytest.mark.parametrize("rate", [0.02, 0.3])
def test_intervals_hold_the_truth_about_as_often_as_they_say(rate: float) -> None:
    rng = np.random.default_rng(0)
    first, second = rng.binomial(150, rate, 4000) / 150, rng.binomial(200, rate, 4000) / 200
    low, high = newcombe(first, second, 150, 200)
    held = ((low <= 0) & (high >= 0)).mean()
    assert 0.93 <= held <= 0.99


@settings(max_examples=60, deadline=None)
@given(seeds, st.integers(2, 120), st.integers(2, 120))
def test_distance_of_distributions_is_scipys(seed: int, old: int, new: int) -> None:
    rng = np.random.default_rng(seed)
    first, second = np.sort(rng.integers(0, 30, old)), np.sort(rng.integers(0, 30, new))
    distance, p = kolmogorov_smirnov(first, second)
    assert distance == pytest.approx(stats.ks_2samp(first, second, method="asymp").statistic, abs=1e-12)
    assert 0 <= p <= 1


@settings(max_examples=60, deadline=None)
@given(seeds, st.integers(2, 120), st.integers(2, 120))
def test_the_stability_index_is_never_negative(seed: int, old: int, new: int) -> None:
    rng = np.random.default_rng(seed)
    first, second = np.sort(rng.random(old)), np.sort(rng.random(new))
    assert stability_index(first, second) >= 0
    assert stability_index(first, first) == pytest.approx(0, abs=1e-12)


def test_larger_shifts_look_larger() -> None:
    old = made(1, 2000)
    steps = [compare_predictions(old, made(2, 2000, shift)) for shift in (0.0, 0.05, 0.15)]
    for label in LABELS:
        figures = [by_label(found)[label] for found in steps]
        assert figures[0][3] < figures[1][3] < figures[2][3]
        assert figures[0][5] < figures[1][5] < figures[2][5]
    assert [len(found.changed) for found in steps] == [0, 3, 3]


def test_without_scores_only_rates_are_compared() -> None:
    found = compare_predictions(made(1, 300, scored=False), made(2, 300, 0.2))
    for item in found.labels:
        assert math.isnan(item.ks)
        assert math.isnan(item.psi)
        assert item.verdict == "changed"
    assert found.to_dict()["labels"][0]["psi"] is None


def test_false_alarms_stay_below_what_is_allowed() -> None:
    """Pairs without any change: some label is called more than noise in at most about 1 of 20."""
    alarms = [
        any(item.verdict != "noise" for item in compare_predictions(made(2 * s, 250), made(2 * s + 1, 300)).labels)
        for s in range(150)
    ]
    assert sum(alarms) <= 14
