"""Paired comparison: sees a difference, does not see one that is not there, and treats both models alike."""

import itertools

import numpy as np
import pytest

from affekt.errors import DataError, SettingError
from affekt.evaluation import metrics
from affekt.evaluation.bootstrap import OVERALL
from affekt.evaluation.comparison import compare
from simulated import simulate


@pytest.fixture(scope="module")
def case() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Truth, a good model, and the same with a tenth of its decisions turned round."""
    world = simulate(800, (0.3, 0.2, 0.1))
    good = world.probability >= 0.35
    worse = good ^ (np.random.default_rng(1).random(good.shape) < 0.1)
    return world.truth, good, worse


def test_figures_are_the_metrics(case: tuple[np.ndarray, ...]) -> None:
    truth, first, second = case
    found = compare(truth, first, second, resamples=10)
    for name in OVERALL:
        one, other = (getattr(metrics, name)(truth, decisions) for decisions in (first, second))
        assert found.overall[name].first == pytest.approx(one, abs=1e-6)
        assert found.overall[name].second == pytest.approx(other, abs=1e-6)
        assert found.overall[name].gain.value == pytest.approx(one - other, abs=1e-6)


def test_a_real_difference_is_seen(case: tuple[np.ndarray, ...]) -> None:
    found = compare(*case, resamples=400)
    assert found.overall["macro_f1"].gain.low > 0
    assert found.overall["hamming_loss"].gain.high < 0
    assert found.overall["macro_f1"].p_value == pytest.approx(1 / 401)
    assert (found.label_f1.value > 0).all()


def test_a_model_does_not_differ_from_itself(case: tuple[np.ndarray, ...]) -> None:
    truth, first, _ = case
    found = compare(truth, first, first, resamples=50)
    for name in OVERALL:
        assert found.overall[name].gain.low == found.overall[name].gain.high == 0.0
        assert found.overall[name].p_value == 1.0


def test_order_only_changes_the_sign(case: tuple[np.ndarray, ...]) -> None:
    truth, first, second = case
    there, back = compare(truth, first, second, resamples=100), compare(truth, second, first, resamples=100)
    for name in OVERALL:
        assert there.overall[name].gain.value == -back.overall[name].gain.value
        assert there.overall[name].gain.low == pytest.approx(-back.overall[name].gain.high, abs=1e-9)
        assert there.overall[name].p_value == pytest.approx(back.overall[name].p_value)


def test_p_values_of_equal_models_are_spread_evenly() -> None:
    """Two models that err independently and alike: p < 0.2 about a fifth of the time."""
    small = []
    for seed in range(120):
        rng = np.random.default_rng(seed)
        truth = rng.random((150, 3)) < 0.3
        first, second = (truth ^ (rng.random(truth.shape) < 0.15) for _ in range(2))
        small.append(compare(truth, first, second, resamples=100, seed=seed).overall["macro_f1"].p_value < 0.2)
    assert 0.08 <= np.mean(small) <= 0.34


def test_p_value_agrees_with_every_exchange() -> None:
    """Eight texts have 256 exchanges: count them all."""
    rng = np.random.default_rng(3)
    truth, first, second = (rng.random((8, 2)) < 0.5 for _ in range(3))
    observed = abs(metrics.micro_f1(truth, first) - metrics.micro_f1(truth, second))
    as_large = []
    for pattern in itertools.product([False, True], repeat=8):
        swap = np.array(pattern)[:, None]
        one, other = np.where(swap, second, first), np.where(swap, first, second)
        as_large.append(abs(metrics.micro_f1(truth, one) - metrics.micro_f1(truth, other)) >= observed - 1e-9)
    found = compare(truth, first, second, resamples=4000)
    assert found.overall["micro_f1"].p_value == pytest.approx(np.mean(as_large), abs=0.03)


def test_mistakes_are_sentences() -> None:
    with pytest.raises(DataError, match=r"needed is \(4, 1\)"):
        compare(np.ones((4, 1)), np.ones((4, 1)), np.ones((5, 1)))
    with pytest.raises(SettingError, match="resamples"):
        compare(np.ones((4, 1)), np.ones((4, 1)), np.ones((4, 1)), resamples=0)
