"""Intervals: figures agree with the metrics, resamples with the definition, and coverage with the promise."""

import numpy as np
import pytest

from affekt.errors import SettingError
from affekt.evaluation import bootstrap, metrics
from affekt.evaluation.bootstrap import OVERALL, Interval, bootstrap_intervals, metrics_of, resampled_means, text_facts
from simulated import simulate


@pytest.fixture(scope="module")
def case() -> tuple[np.ndarray, np.ndarray]:
    world = simulate(400)
    return world.truth, world.probability >= 0.3


def test_values_are_the_metrics(case: tuple[np.ndarray, np.ndarray]) -> None:
    found = bootstrap_intervals(*case, resamples=5)
    for name in OVERALL:
        assert found.overall[name].value == pytest.approx(getattr(metrics, name)(*case), abs=1e-6), name
    scores = metrics.f1_scores(*case)
    for name in ("precision", "recall", "f1"):
        np.testing.assert_allclose(found.labels[name].value, getattr(scores, name), atol=1e-6)


def test_a_resample_is_the_metric_of_its_texts(case: tuple[np.ndarray, np.ndarray]) -> None:
    """Draw by hand with the same generator, measure the drawn texts with the plain metrics."""
    truth, decisions = case
    drawn = np.random.default_rng(5).integers(0, 400, 400)
    means = next(iter(resampled_means(text_facts(truth, decisions), 1, seed=5)))
    found = metrics_of(means)
    for name in OVERALL:
        assert found[name][0] == pytest.approx(getattr(metrics, name)(truth[drawn], decisions[drawn]), abs=1e-6), name


def test_intervals_hold_the_value_and_narrow_with_texts(case: tuple[np.ndarray, np.ndarray]) -> None:
    small, large = (simulate(n, (0.3, 0.2)) for n in (200, 5000))
    width = []
    for world in (small, large):
        found = bootstrap_intervals(world.truth, world.probability >= 0.4, resamples=300)
        for interval in found.overall.values():
            assert interval.low <= interval.value <= interval.high
        width.append(found.overall["macro_f1"].high - found.overall["macro_f1"].low)
    assert width[0] / width[1] == pytest.approx(np.sqrt(5000 / 200), rel=0.4)


def test_standard_error_of_a_mean_is_the_textbooks() -> None:
    """Exact match is a plain proportion: its 95 % interval is 2 * 1.96 * sqrt(p (1 - p) / n) wide."""
    truth = np.ones((2000, 1), dtype=bool)
    decisions = np.arange(2000)[:, None] < 600
    interval = bootstrap_intervals(truth, decisions, resamples=2000).overall["subset_accuracy"]
    assert interval.value == pytest.approx(0.3)
    assert interval.high - interval.low == pytest.approx(2 * 1.96 * np.sqrt(0.3 * 0.7 / 2000), rel=0.08)


def test_coverage_is_as_promised() -> None:
    """Over many samples of one world, the 90 % interval of macro-F1 holds the world's own figure 90 % of times."""
    big = simulate(200_000, (0.3, 0.15), seed=999)
    true = metrics.macro_f1(big.truth, big.probability >= 0.35)
    held = []
    for seed in range(120):
        world = simulate(400, (0.3, 0.15), seed=seed)
        found = bootstrap_intervals(world.truth, world.probability >= 0.35, resamples=200, level=0.9, seed=seed)
        held.append(found.overall["macro_f1"].low <= true <= found.overall["macro_f1"].high)
    assert 0.81 <= np.mean(held) <= 0.97


def test_seed_decides_and_chunks_do_not(case: tuple[np.ndarray, np.ndarray], monkeypatch: pytest.MonkeyPatch) -> None:
    first = bootstrap_intervals(*case, resamples=50, seed=1)
    assert bootstrap_intervals(*case, resamples=50, seed=1).overall == first.overall
    assert bootstrap_intervals(*case, resamples=50, seed=2).overall != first.overall
    monkeypatch.setattr(bootstrap, "CHUNK_BYTES", 4 * 400 * 3)
    np.testing.assert_allclose(
        bootstrap_intervals(*case, resamples=50, seed=1).labels["f1"].low, first.labels["f1"].low, atol=1e-7
    )


def test_label_without_positives_is_no_trouble() -> None:
    truth = np.zeros((20, 2), dtype=bool)
    truth[:, 0] = True
    found = bootstrap_intervals(truth, truth, resamples=20)
    assert found.labels["f1"].value.tolist() == [1.0, 0.0]
    assert found.overall["macro_f1"] == Interval(0.5, 0.5, 0.5)


def test_interval_reads_well() -> None:
    assert str(Interval(0.5234, 0.5071, 0.5389)) == "0.523 [0.507, 0.539]"


@pytest.mark.parametrize(("resamples", "level"), [(0, 0.95), (10, 0.0), (10, 1.0), (10, 95.0)])
def test_impossible_resampling_is_refused(resamples: int, level: float) -> None:
    with pytest.raises(SettingError, match=r"resamples must|level must"):
        bootstrap_intervals([[1]], [[1]], resamples=resamples, level=level)
