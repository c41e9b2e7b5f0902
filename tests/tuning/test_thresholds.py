"""Thresholds: every method keeps the invariants; each does what its name says on cases small enough to check."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from affekt.decision import decide
from affekt.errors import DataError, SettingError
from affekt.tuning.arrays import count, f1_of, macro_f1
from affekt.tuning.thresholds import (
    THRESHOLD_METHODS,
    Evidence,
    best_cuts,
    bootstrap_thresholds,
    fit_thresholds,
)
from simulated import simulate

METHODS = sorted(THRESHOLD_METHODS)
SCORES = hnp.arrays(np.float32, (30, 3), elements=st.floats(0, 1, width=32))
TRUTH = hnp.arrays(np.bool_, (30, 3))


def brute_force(scores: np.ndarray, truth: np.ndarray) -> float:
    """The highest F1 of one label over every threshold that matters."""
    cuts = [scores >= limit for limit in np.unique(scores)]
    return max(float(f1_of(count(truth[:, None], cut[:, None]))[0]) for cut in cuts)


@pytest.mark.parametrize("method", METHODS)
class TestEveryMethod:
    @given(scores=SCORES, truth=TRUTH, shrink=st.floats(0, 1e6))
    @settings(max_examples=25, deadline=None)
    def test_gives_float32_numbers_between_0_and_1(
        self, method: str, scores: np.ndarray, truth: np.ndarray, shrink: float
    ) -> None:
        thresholds = fit_thresholds(scores, truth, method, shrink=shrink)
        assert len(thresholds) == 3
        assert all(0.0 <= t <= 1.0 for t in thresholds)
        assert thresholds == tuple(float(np.float32(t)) for t in thresholds)

    @given(seed=st.integers(0, 50))
    @settings(max_examples=10, deadline=None)
    def test_does_not_depend_on_the_order_of_texts(self, method: str, seed: int) -> None:
        world = simulate(200, seed=seed)
        order = np.random.default_rng(seed).permutation(200)
        if method == "bagged":
            pytest.skip("resamples texts by their place")
        same = fit_thresholds(world.probability[order], world.truth[order], method)
        np.testing.assert_allclose(same, fit_thresholds(world.probability, world.truth, method), rtol=1e-6)

    def test_follows_the_order_of_labels(self, method: str) -> None:
        world = simulate(500)
        swapped = fit_thresholds(world.probability[:, ::-1], world.truth[:, ::-1], method)
        np.testing.assert_allclose(swapped[::-1], fit_thresholds(world.probability, world.truth, method), rtol=1e-6)

    def test_same_seed_same_thresholds(self, method: str) -> None:
        world = simulate(300)
        first, second = (fit_thresholds(world.probability, world.truth, method, seed=7) for _ in range(2))
        assert first == second

    def test_labels_without_positives_or_negatives_are_no_trouble(self, method: str) -> None:
        world = simulate(300, (0.2, 0.2, 0.2))
        truth = world.truth.copy()
        truth[:, 1], truth[:, 2] = False, True
        assert np.isfinite(fit_thresholds(world.probability, truth, method)).all()

    def test_no_positive_at_all_is_no_trouble(self, method: str) -> None:
        assert np.isfinite(fit_thresholds(np.full((5, 2), 0.3), np.zeros((5, 2)), method)).all()

    def test_one_text_is_no_trouble(self, method: str) -> None:
        assert np.isfinite(fit_thresholds([[0.4, 0.6]], [[0, 1]], method)).all()

    def test_separable_labels_are_separated(self, method: str) -> None:
        if method in ("fixed", "shared", "shrunk"):
            pytest.skip("one threshold for all labels, in whole or in part")
        truth = np.repeat([[True, False]], 40, axis=0)
        truth[20:] = ~truth[20:]
        scores = np.where(truth, 0.9, 0.2)
        assert macro_f1(truth, decide(scores, fit_thresholds(scores, truth, method))) == 1.0

    def test_beats_one_half_where_labels_are_rare(self, method: str) -> None:
        if method == "fixed":
            pytest.skip("is one half")
        world, fresh = simulate(4000, seed=1), simulate(4000, seed=2)
        tuned = fit_thresholds(world.probability, world.truth, method)
        gain = macro_f1(fresh.truth, fresh.probability >= tuned) - macro_f1(fresh.truth, fresh.probability >= 0.5)
        assert gain > 0.02


class TestBestCuts:
    @given(scores=SCORES, truth=TRUTH)
    @settings(max_examples=60, deadline=None)
    def test_no_cut_is_better_and_decisions_reach_it(self, scores: np.ndarray, truth: np.ndarray) -> None:
        thresholds, f1 = best_cuts(scores.astype(np.float64), truth.astype(np.float64))
        for label in range(3):
            if truth[:, label].any():
                assert f1[label] == pytest.approx(brute_force(scores[:, label], truth[:, label]))
        known = np.where(np.isnan(thresholds), 0.5, thresholds)
        reached = f1_of(count(truth, decide(scores, known.tolist())))
        np.testing.assert_allclose(reached[truth.any(axis=0)], f1[truth.any(axis=0)])

    def test_by_hand(self) -> None:
        """Down to 0.6 two of three positives and one mistake: 4/6; down to 0.3 all three and two: 6/8."""
        scores = np.array([0.9, 0.8, 0.6, 0.4, 0.3, 0.1])[:, None]
        truth = np.array([1, 0, 1, 0, 1, 0])[:, None]
        thresholds, f1 = best_cuts(scores, truth.astype(np.float64))
        assert f1[0] == pytest.approx(6 / 8)
        assert thresholds[0] == pytest.approx(0.2)

    def test_never_cuts_among_equal_scores(self) -> None:
        thresholds, f1 = best_cuts(np.array([[0.5], [0.5], [0.2]]), np.array([[1.0], [0.0], [0.0]]))
        assert f1[0] == pytest.approx(2 / 3)
        assert 0.2 < thresholds[0] <= 0.5

    def test_neighbours_in_float32_are_still_told_apart(self) -> None:
        upper = np.float32(0.3)
        scores = np.array([[upper], [np.nextafter(upper, np.float32(0))]], dtype=np.float32)
        thresholds, _ = best_cuts(scores.astype(np.float64), np.array([[1.0], [0.0]]))
        assert decide(scores, [float(thresholds[0])]).ravel().tolist() == [True, False]

    def test_weights_of_a_text_are_as_good_as_copies(self) -> None:
        world = simulate(60, (0.3, 0.2))
        weights = np.random.default_rng(0).integers(0, 4, 60)
        copied = np.repeat(np.arange(60), weights)
        weighted = best_cuts(world.probability, world.truth.astype(float), weights[None].astype(float))[1][0]
        plain = best_cuts(world.probability[copied], world.truth[copied].astype(float))[1]
        np.testing.assert_allclose(weighted, plain)

    def test_no_positive_gives_nan(self) -> None:
        thresholds, f1 = best_cuts(np.array([[0.5], [0.2]]), np.zeros((2, 1)))
        assert np.isnan(thresholds[0])
        assert f1[0] == 0.0


def test_plug_in_is_half_of_the_expected_f1() -> None:
    """Lipton et al. (2014): deciding for two texts of 0.8 expects 2 * 1.6 / (2 + 1.8), more than for one or all."""
    scores = np.array([[0.8], [0.8], [0.1], [0.1]])
    assert fit_thresholds(scores, np.zeros((4, 1)), "plug_in")[0] == pytest.approx(1.6 / 3.8)


def test_plug_in_is_right_for_scores_that_are_probabilities() -> None:
    world = simulate(60_000, (0.2, 0.05))
    tuned = fit_thresholds(world.probability, world.truth, "plug_in")
    best = best_cuts(world.probability, world.truth.astype(float))[1]
    np.testing.assert_allclose(f1_of(count(world.truth, world.probability >= tuned)), best, atol=0.004)


def test_shared_is_one_number() -> None:
    world = simulate(500)
    assert len(set(fit_thresholds(world.probability, world.truth, "shared"))) == 1


def test_fixed_is_one_half() -> None:
    assert fit_thresholds([[0.1, 0.2]], [[0, 1]], "fixed") == (0.5, 0.5)


def test_shrinking_goes_from_own_to_common() -> None:
    world = simulate(800)
    own = np.array(fit_thresholds(world.probability, world.truth, "per_label"))
    common = np.array(fit_thresholds(world.probability, world.truth, "shared"))
    paths = [np.array(fit_thresholds(world.probability, world.truth, "shrunk", shrink=k)) for k in (0, 5, 50, 1e9)]
    np.testing.assert_allclose(paths[0], own, rtol=1e-4)
    np.testing.assert_allclose(paths[-1], common, rtol=1e-4)
    distances = np.array([np.abs(path - common) for path in paths])
    assert (np.diff(distances, axis=0) <= 1e-6).all()


def test_rare_labels_are_shrunk_most() -> None:
    world = simulate(2000)
    trust = Evidence(world.probability, world.truth, shrink=20.0).trust
    assert (np.argsort(trust) == np.argsort(world.truth.sum(axis=0), kind="stable")).all()
    assert (Evidence(world.probability, world.truth, shrink=0.0).trust == 1.0).all()


def test_blending_ends_at_per_label_and_plug_in() -> None:
    world = simulate(1500, (0.3, 0.1))
    ends = [fit_thresholds(world.probability, world.truth, "blended", shrink=k) for k in (0, 1e12)]
    np.testing.assert_allclose(ends[0], fit_thresholds(world.probability, world.truth, "per_label"))
    expected = best_cuts(world.probability, world.probability)[0]
    np.testing.assert_allclose(ends[1], expected, rtol=1e-4)


def test_smoothed_prefers_a_plateau_to_a_lucky_peak() -> None:
    """The raw optimum is a thin peak at 0.9; all along 0.2-0.6 F1 is nearly as high."""
    rng = np.random.default_rng(0)
    positives = np.concatenate([rng.uniform(0.6, 0.7, 30), np.full(40, 0.901)])
    negatives = np.concatenate([rng.uniform(0.01, 0.2, 500), np.full(14, 0.899)])
    scores = np.concatenate([positives, negatives])[:, None]
    truth = np.arange(len(scores))[:, None] < len(positives)
    assert 0.2 <= fit_thresholds(scores, truth, "smoothed")[0] <= 0.62


@pytest.mark.parametrize("method", ["bagged", "smoothed", "steady"])
def test_steadier_than_raw_optima(method: str) -> None:
    """Over samples of the same world, the threshold of a rare label moves less than the raw optimum does."""
    worlds = [simulate(1500, (0.2, 0.01), seed=s) for s in range(60)]
    spread = {
        name: np.std([fit_thresholds(w.probability, w.truth, name)[1] for w in worlds])
        for name in (method, "per_label")
    }
    assert spread[method] < 0.95 * spread["per_label"]


def test_default_generalises_better_than_raw_optima() -> None:
    gains = []
    for seed in range(12):
        world, fresh = simulate(1500, seed=seed), simulate(6000, seed=1000 + seed)
        figures = [
            macro_f1(fresh.truth, fresh.probability >= fit_thresholds(world.probability, world.truth, method))
            for method in ("default", "per_label")
        ]
        gains.append(figures[0] - figures[1])
    assert np.mean(gains) > 2 * np.std(gains, ddof=1) / np.sqrt(len(gains))


def test_bootstrap_thresholds_show_how_sure_each_label_is() -> None:
    world = simulate(2000, (0.2, 0.005))
    drawn = bootstrap_thresholds(world.probability, world.truth, resamples=30)
    assert drawn.shape == (30, 2)
    assert np.nanstd(drawn[:, 1]) > np.nanstd(drawn[:, 0])


def test_logits_are_not_scores() -> None:
    with pytest.raises(DataError, match="look like logits"):
        fit_thresholds([[2.0, -1.0]], [[1, 0]])


@pytest.mark.parametrize("shrink", [-1.0, float("nan"), float("inf")])
def test_shrink_outside_its_range_is_refused(shrink: float) -> None:
    with pytest.raises(SettingError, match="shrink must be"):
        fit_thresholds([[0.5]], [[1]], shrink=shrink)


def test_unknown_method_lists_the_known() -> None:
    with pytest.raises(SettingError, match=r"no threshold method 'magic'.*steady"):
        fit_thresholds([[0.5]], [[1]], "magic")
