"""Threshold stability over resamples."""

import numpy as np
import pytest

from affekt.errors import DataError, SettingError
from affekt.evaluation.stability import threshold_stability
from affekt.tuning.thresholds import best_cuts


def data(texts: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = rng.random((texts, 3)) < [0.5, 0.05, 0.0]
    return np.clip(0.5 + 0.3 * (truth - 0.5) + 0.15 * rng.normal(size=truth.shape), 0, 1), truth


def test_many_texts_hold_a_threshold_more_firmly_than_few() -> None:
    few, many = (threshold_stability(*data(n), resamples=60) for n in (60, 3000))
    assert few.high[0] - few.low[0] > 2 * (many.high[0] - many.low[0])


def test_the_best_threshold_is_the_exact_one_and_lies_in_its_range() -> None:
    scores, truth = data(800)
    found = threshold_stability(scores, truth, resamples=60)
    best, f1 = best_cuts(scores, truth.astype(float))
    assert found.best[:2] == pytest.approx(best[:2])
    assert found.f1[:2] == pytest.approx(f1[:2])
    assert (found.low[:2] <= found.best[:2]).all()
    assert (found.best[:2] <= found.high[:2]).all()


def test_perfectly_separated_scores_leave_no_doubt() -> None:
    truth = np.repeat([[True], [False]], 50, axis=0)
    found = threshold_stability(np.where(truth, 0.9, 0.1), truth, resamples=30)
    assert found.low == pytest.approx(found.high)
    assert found.f1 == pytest.approx([1.0])


def test_a_label_without_a_positive_has_no_threshold() -> None:
    found = threshold_stability(*data(100), resamples=10)
    assert np.isnan([found.best[2], found.low[2], found.high[2]]).all()


def test_the_same_seed_gives_the_same_ranges() -> None:
    first, second = (threshold_stability(*data(100), resamples=20, seed=4) for _ in range(2))
    assert np.array_equal(first.low, second.low, equal_nan=True)


def test_mistakes_are_named() -> None:
    scores, truth = data(50)
    with pytest.raises(SettingError, match="at least 1"):
        threshold_stability(scores, truth, resamples=0)
    with pytest.raises(DataError):
        threshold_stability(scores[:10], truth)
