"""Tests and intervals of rates and distributions are SciPy's, a paper's, or a case worked by hand."""

import numpy as np
import pytest
from scipy import stats

from affekt.evaluation.significance import kolmogorov_smirnov, newcombe, stability_index, wilson


@pytest.mark.parametrize(("hits", "texts"), [(0, 10), (3, 10), (10, 10), (17, 5000)])
def test_wilson_is_scipys(hits: int, texts: int) -> None:
    expected = stats.binomtest(hits, texts).proportion_ci(method="wilson")
    low, high = wilson(np.array([hits / texts]), np.array([texts]))
    assert (low[0], high[0]) == pytest.approx((expected.low, expected.high))


def test_the_interval_is_newcombes() -> None:
    """The worked example of the paper, table II (a): 56 of 70 against 48 of 80."""
    low, high = newcombe(np.array([48 / 80]), np.array([56 / 70]), 80, 70)
    assert (low[0], high[0]) == pytest.approx((0.0524, 0.3339), abs=1e-4)
    low, high = newcombe(np.array([0.0]), np.array([0.0]), 100, 100)
    assert low[0] < 0 < high[0]


@pytest.mark.parametrize(("first", "second", "shift"), [(300, 400, 0.0), (1000, 800, 0.1), (50, 2000, 0.3)])
def test_kolmogorov_smirnov_is_scipys(first: int, second: int, shift: float) -> None:
    rng = np.random.default_rng(first)
    a, b = np.sort(rng.normal(size=first)), np.sort(rng.normal(shift, 1, second))
    distance, p = kolmogorov_smirnov(a, b)
    expected = stats.ks_2samp(a, b, method="asymp")
    assert distance == pytest.approx(expected.statistic, abs=1e-12)
    assert p == pytest.approx(expected.pvalue, abs=0.02)


def test_kolmogorov_smirnov_of_the_same_sample_is_zero() -> None:
    values = np.sort(np.random.default_rng(0).random(50))
    assert kolmogorov_smirnov(values, values) == (0.0, 1.0)


def test_stability_index_by_hand() -> None:
    first, second = np.repeat([0.1, 0.9], [50, 50]), np.repeat([0.1, 0.9], [80, 20])
    p, q = np.array([50.5, 50.5]) / 101, np.array([80.5, 20.5]) / 101
    assert stability_index(first, second, bins=2) == pytest.approx(((q - p) * np.log(q / p)).sum())
    assert stability_index(first, first) == pytest.approx(0)
