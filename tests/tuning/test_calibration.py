"""Calibration: finds the deformation that was put in, never turns the order round, and holds rare labels back."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affekt.errors import DataError, SettingError
from affekt.evaluation.metrics import expected_calibration_error
from affekt.tuning import calibration
from affekt.tuning.calibration import CALIBRATION_METHODS, MIN_SLOPE, fit_calibration
from simulated import World, simulate

METHODS = sorted(CALIBRATION_METHODS)


def log_loss(world: World, scores: np.ndarray) -> float:
    clipped = np.clip(scores.astype(np.float64), 1e-9, 1 - 1e-9)
    return float(-np.where(world.truth, np.log(clipped), np.log1p(-clipped)).mean())


@pytest.mark.parametrize("method", ["shared", "platt"])
def test_undoes_a_slope_and_an_intercept(method: str) -> None:
    world = simulate(20_000, (0.3, 0.1), slope=0.5, intercept=-1.0)
    fitted = fit_calibration(world.logits, world.truth, method)
    np.testing.assert_allclose(fitted.slope, 0.5, rtol=0.06)
    np.testing.assert_allclose(fitted.intercept, -1.0, atol=0.12)
    assert np.abs(fitted.apply(world.logits) - world.probability).mean() < 0.01


def test_temperature_undoes_a_temperature() -> None:
    world = simulate(20_000, (0.3, 0.1), slope=0.25)
    fitted = fit_calibration(world.logits, world.truth, "temperature")
    np.testing.assert_allclose(fitted.slope, 0.25, rtol=0.05)
    assert fitted.intercept == (0.0, 0.0)


def test_none_changes_nothing() -> None:
    world = simulate(100)
    fitted = fit_calibration(world.logits, world.truth, "none")
    assert (fitted.slope, fitted.intercept) == ((1.0,) * 5, (0.0,) * 5)


def test_undoes_what_focal_loss_does() -> None:
    """The minimiser of focal loss (alpha 0.25, gamma 2) reaches 0.5 only at a true probability of 0.75."""
    world = simulate(20_000, (0.3, 0.1))
    grid = np.linspace(1e-4, 1 - 1e-4, 4000)
    up, down = 0.25 * (1 - grid) ** 2 * -np.log(grid), 0.75 * grid**2 * -np.log1p(-grid)
    candidates = np.linspace(0.001, 0.999, 999)
    best = grid[(candidates[:, None] * up + (1 - candidates[:, None]) * down).argmin(axis=1)]
    assert best[np.searchsorted(candidates, 0.75)] == pytest.approx(0.5, abs=0.01)
    focal = np.interp(world.probability, candidates, best)
    logits = np.log(focal) - np.log1p(-focal)
    raw, fitted = focal, fit_calibration(logits, world.truth).apply(logits)
    assert expected_calibration_error(world.truth, raw).max() > 0.1
    assert expected_calibration_error(world.truth, fitted).max() < 0.03


def test_agrees_with_logistic_regression() -> None:
    linear_model = pytest.importorskip("sklearn.linear_model")
    world = simulate(4000, (0.2,), slope=0.7, intercept=0.3)
    model = linear_model.LogisticRegression(C=1e6, tol=1e-8).fit(world.logits, world.truth[:, 0])
    fitted = fit_calibration(world.logits, world.truth, "shared")
    assert fitted.slope[0] == pytest.approx(model.coef_[0, 0], abs=1e-3)
    assert fitted.intercept[0] == pytest.approx(model.intercept_[0], abs=1e-3)


def test_rare_labels_lean_on_the_others() -> None:
    """Of labels with the same true deformation, the rare one's own fit is noise; the prior takes most of it away."""
    worlds = [simulate(2000, (0.3, 0.3, 0.002), seed=s, slope=0.5, intercept=-1.0) for s in range(20)]
    held = np.array([fit_calibration(w.logits, w.truth).intercept for w in worlds])
    alone = np.array([fit_calibration(w.logits[:, 2:], w.truth[:, 2:], "shared").intercept[0] for w in worlds])
    assert np.abs(held[:, 2] + 1.0).mean() < 0.7 * np.abs(alone + 1.0).mean()
    assert np.abs(held[:, :2] + 1.0).max() < 0.3


@pytest.mark.parametrize("method", METHODS)
def test_is_no_worse_than_raw_scores(method: str) -> None:
    world = simulate(3000, slope=0.4, intercept=1.0)
    raw = fit_calibration(world.logits, world.truth, "none").apply(world.logits)
    fitted = fit_calibration(world.logits, world.truth, method).apply(world.logits)
    assert log_loss(world, fitted) <= log_loss(world, raw) + 1e-9


@pytest.mark.parametrize("method", METHODS)
def test_order_of_scores_is_kept_even_for_a_model_that_is_wrong(method: str) -> None:
    world = simulate(1000, (0.3, 0.1))
    fitted = fit_calibration(-world.logits, world.truth, method)
    assert min(fitted.slope) >= np.float32(MIN_SLOPE)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("value", [False, True])
def test_labels_of_one_kind_only_stay_finite(method: str, value: bool) -> None:
    world = simulate(300, (0.3, 0.1))
    truth = world.truth.copy()
    truth[:, 1] = value
    scores = fit_calibration(world.logits, truth, method).apply(world.logits)
    assert np.isfinite(scores).all()


@pytest.mark.parametrize("method", METHODS)
def test_separable_labels_stay_finite(method: str) -> None:
    logits = np.linspace(-3, 3, 100, dtype=np.float32)[:, None]
    fitted = fit_calibration(logits, logits > 0, method)
    assert np.isfinite([*fitted.slope, *fitted.intercept]).all()
    assert ((fitted.apply(logits) >= 0.5) == (logits > 0)).all()


@given(scale=st.floats(0.01, 50), shift=st.floats(-20, 20), seed=st.integers(0, 50), method=st.sampled_from(METHODS))
@settings(max_examples=40, deadline=None)
def test_any_logits_give_scores(scale: float, shift: float, seed: int, method: str) -> None:
    world = simulate(200, (0.3, 0.02), seed=seed)
    logits = world.logits * scale + shift
    scores = fit_calibration(logits, world.truth, method).apply(logits)
    assert np.isfinite(scores).all()
    assert scores.min() >= 0.0
    assert scores.max() <= 1.0


def test_rescaled_logits_give_the_same_shared_scores() -> None:
    world = simulate(2000)
    scores = [
        fit_calibration(logits, world.truth, "shared").apply(logits) for logits in (world.logits, 7 * world.logits - 3)
    ]
    np.testing.assert_allclose(scores[0], scores[1], atol=1e-3)


def test_gradient_at_the_fit_is_zero() -> None:
    world = simulate(1000)
    logits, truth = world.logits.astype(np.float64), world.truth
    prior = calibration._Prior(np.array([[1.0] * 5, [0.0] * 5]), np.ones((2, 5)))
    at = calibration._fit(logits, truth, prior)
    for part in range(2):
        step = np.zeros_like(at)
        step[part] = 1e-5
        slope = calibration._loss(logits, truth, prior, at + step) - calibration._loss(logits, truth, prior, at - step)
        np.testing.assert_allclose(slope / 2e-5, 0.0, atol=1e-3)


def test_unknown_method_lists_the_known() -> None:
    with pytest.raises(SettingError, match=r"no calibration 'isotonic'.*platt"):
        fit_calibration(np.zeros((2, 1)), np.zeros((2, 1)), "isotonic")


def test_mismatched_arrays_are_refused() -> None:
    with pytest.raises(DataError, match=r"\(3, 1\)"):
        fit_calibration(np.zeros((2, 1)), np.zeros((3, 1)))
