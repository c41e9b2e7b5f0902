"""Metrics: equal to scikit-learn's wherever it has them, by hand where it has not, and defined where it warns."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from affekt.errors import DataError, SettingError
from affekt.evaluation import metrics
from simulated import simulate

TRUTH = hnp.arrays(np.bool_, (25, 4))
SCORES = hnp.arrays(np.float64, (25, 4), elements=st.integers(0, 8).map(lambda n: n / 8))
reference = pytest.importorskip("sklearn.metrics")


@pytest.fixture(autouse=True)
def _quiet() -> None:
    """scikit-learn warns of labels that are not defined; that is what is tested here."""
    warnings.filterwarnings("ignore", category=UserWarning, module="sklearn")


@given(truth=TRUTH, decisions=TRUTH)
@settings(max_examples=60, deadline=None)
def test_decision_metrics_are_scikit_learns(truth: np.ndarray, decisions: np.ndarray) -> None:
    average = {"y_true": truth, "y_pred": decisions, "zero_division": 0}
    expected = {
        "macro_f1": reference.f1_score(average="macro", **average),
        "micro_f1": reference.f1_score(average="micro", **average),
        "weighted_f1": reference.f1_score(average="weighted", **average),
        "samples_f1": reference.f1_score(average="samples", **average),
        "jaccard": reference.jaccard_score(average="samples", **average),
        "subset_accuracy": reference.accuracy_score(truth, decisions),
        "hamming_loss": reference.hamming_loss(truth, decisions),
    }
    for name, value in expected.items():
        assert getattr(metrics, name)(truth, decisions) == pytest.approx(value, abs=1e-12), name


@given(truth=TRUTH, decisions=TRUTH)
@settings(max_examples=40, deadline=None)
def test_label_scores_are_scikit_learns(truth: np.ndarray, decisions: np.ndarray) -> None:
    expected = reference.precision_recall_fscore_support(truth, decisions, average=None, zero_division=0)
    for ours, theirs in zip(metrics.f1_scores(truth, decisions), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-12)


@given(truth=TRUTH, scores=SCORES)
@settings(max_examples=60, deadline=None)
def test_ranking_metrics_are_scikit_learns_ties_included(truth: np.ndarray, scores: np.ndarray) -> None:
    precision, area = metrics.average_precision(truth, scores), metrics.roc_auc(truth, scores)
    for label in range(4):
        gold, score = truth[:, label], scores[:, label]
        if gold.any():
            assert precision[label] == pytest.approx(reference.average_precision_score(gold, score))
        else:
            assert np.isnan(precision[label])
        if gold.any() and not gold.all():
            assert area[label] == pytest.approx(reference.roc_auc_score(gold, score))
        else:
            assert np.isnan(area[label])


@given(truth=TRUTH, scores=SCORES)
@settings(max_examples=40, deadline=None)
def test_precision_recall_curve_is_scikit_learns(truth: np.ndarray, scores: np.ndarray) -> None:
    gold, score = truth[:, 0], scores[:, 0]
    thresholds, precision, recall = metrics.precision_recall(gold, score)
    assert (np.diff(thresholds) < 0).all()
    if not gold.any():
        assert (recall == 0).all()
        return
    their_precision, their_recall, their_thresholds = reference.precision_recall_curve(gold, score)
    np.testing.assert_allclose(thresholds[::-1], their_thresholds)
    np.testing.assert_allclose(precision[::-1], their_precision[:-1])
    np.testing.assert_allclose(recall[::-1], their_recall[:-1])


def test_reliability_with_equal_widths_is_scikit_learns() -> None:
    calibration = pytest.importorskip("sklearn.calibration")
    world = simulate(4000, (0.3,))
    ours = metrics.reliability(world.truth, world.probability, bins=10)
    rate, score = calibration.calibration_curve(world.truth[:, 0], world.probability[:, 0], n_bins=10)
    filled = ours.texts[:, 0] > 0
    np.testing.assert_allclose(ours.rate[filled, 0], rate)
    np.testing.assert_allclose(ours.mean_score[filled, 0], score)


def test_calibration_error_by_hand() -> None:
    """Bin (0, 0.5]: mean 0.3, rate 0.5; bin (0.5, 1]: mean 0.9, rate 0. Error (2 * 0.2 + 1 * 0.9) / 3."""
    scores, truth = [[0.2], [0.4], [0.9]], [[1], [0], [0]]
    assert metrics.expected_calibration_error(truth, scores, bins=2)[0] == pytest.approx(1.3 / 3)


def test_edges_belong_to_the_bin_below_and_zero_to_the_first() -> None:
    diagram = metrics.reliability(np.zeros((4, 1)), [[0.0], [0.5], [0.51], [1.0]], bins=2)
    assert diagram.texts[:, 0].tolist() == [2, 2]


def test_bins_of_equal_mass_hold_as_many_texts() -> None:
    world = simulate(1000, (0.3, 0.01))
    diagram = metrics.reliability(world.truth, world.probability, bins=8, binning="mass")
    assert (np.abs(diagram.texts - 125) <= 1).all()
    assert (np.diff(diagram.mean_score, axis=0) >= 0).all()


@pytest.mark.parametrize("binning", ["width", "mass"])
def test_calibrated_scores_have_little_error_and_shifted_ones_have_theirs(binning: metrics.Binning) -> None:
    world = simulate(30_000, (0.3, 0.1))
    good = metrics.expected_calibration_error(world.truth, world.probability, binning=binning)
    bad = metrics.expected_calibration_error(world.truth, np.clip(world.probability + 0.1, 0, 1), binning=binning)
    assert (good < 0.01).all()
    np.testing.assert_allclose(bad, 0.1, atol=0.015)


@given(truth=TRUTH, scores=SCORES, bins=st.integers(1, 40))
@settings(max_examples=40, deadline=None)
def test_calibration_error_lies_between_0_and_1_and_bins_lose_no_text(
    truth: np.ndarray, scores: np.ndarray, bins: int
) -> None:
    for binning in ("width", "mass"):
        error = metrics.expected_calibration_error(truth, scores, bins, binning)
        assert ((error >= 0) & (error <= 1)).all()
        assert (metrics.reliability(truth, scores, bins, binning).texts.sum(axis=0) == 25).all()


def test_perfect_decisions_are_perfect() -> None:
    truth = np.eye(4, dtype=bool)
    for name in ("macro_f1", "micro_f1", "weighted_f1", "samples_f1", "jaccard", "subset_accuracy"):
        assert getattr(metrics, name)(truth, truth) == 1.0
    assert metrics.hamming_loss(truth, truth) == 0.0
    assert metrics.average_precision(truth, truth.astype(float)).tolist() == [1.0] * 4
    assert metrics.roc_auc(truth, truth.astype(float)).tolist() == [1.0] * 4


@given(truth=TRUTH, scores=SCORES)
@settings(max_examples=30, deadline=None)
def test_ranking_metrics_see_only_the_order(truth: np.ndarray, scores: np.ndarray) -> None:
    for metric in (metrics.average_precision, metrics.roc_auc):
        np.testing.assert_allclose(metric(truth, scores), metric(truth, 3 * scores**3 - 7))


@given(truth=TRUTH, scores=SCORES)
@settings(max_examples=30, deadline=None)
def test_auc_of_turned_scores_is_the_rest(truth: np.ndarray, scores: np.ndarray) -> None:
    both = metrics.roc_auc(truth, scores) + metrics.roc_auc(truth, -scores)
    np.testing.assert_allclose(both[~np.isnan(both)], 1.0)


def test_label_without_positives_counts_in_macro_f1_but_not_in_mean_precision() -> None:
    truth, scores = np.array([[1, 0], [0, 0]]), np.array([[0.9, 0.8], [0.1, 0.2]])
    assert metrics.macro_f1(truth, truth) == 0.5
    assert metrics.mean_defined(metrics.average_precision(truth, scores)) == 1.0
    assert np.isnan(metrics.mean_defined([np.nan, np.nan]))


def test_nothing_true_and_nothing_decided() -> None:
    nothing = np.zeros((3, 2))
    for name in ("macro_f1", "micro_f1", "weighted_f1", "samples_f1", "jaccard", "hamming_loss"):
        assert getattr(metrics, name)(nothing, nothing) == 0.0
    assert metrics.subset_accuracy(nothing, nothing) == 1.0


def test_mistakes_are_sentences() -> None:
    with pytest.raises(DataError, match=r"needed is \(2, 2\)"):
        metrics.micro_f1(np.zeros((2, 2)), np.zeros((3, 2)))
    with pytest.raises(SettingError, match="bins must be at least 1, not 0"):
        metrics.reliability(np.zeros((2, 2)), np.zeros((2, 2)), bins=0)
    with pytest.raises(DataError, match="not finite"):
        metrics.roc_auc([[1]], [[np.nan]])
