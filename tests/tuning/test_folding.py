"""Folding: a plain sigmoid of the folded layer is the calibrated score, and every label set answers as before."""

import numpy as np
import pytest

from affekt.decision import Calibration, sigmoid
from affekt.errors import SettingError
from affekt.taxonomy import GOEMOTIONS, TAXONOMIES
from affekt.tuning import fit_taxonomy_rules, set_logits
from affekt.tuning.folding import fold_calibration, folded_rules
from simulated import simulate


def test_plain_sigmoid_is_the_calibrated_score() -> None:
    rng = np.random.default_rng(0)
    hidden, weight, bias = rng.standard_normal((50, 16)), rng.standard_normal((4, 16)), rng.standard_normal(4)
    calibration = Calibration((0.5, 1.5, 1.0, 2.0), (-1.0, 0.3, 0.0, 2.0))
    folded_weight, folded_bias = fold_calibration(weight, bias, calibration)
    expected = calibration.apply(hidden @ weight.T + bias)
    np.testing.assert_allclose(sigmoid(hidden @ folded_weight.T + folded_bias), expected, atol=1e-5)
    assert folded_weight.dtype == folded_bias.dtype == np.float32


def test_every_label_set_answers_as_before() -> None:
    world = simulate(800, np.linspace(0.03, 0.3, 28).tolist(), slope=0.5, intercept=0.7)
    rules = fit_taxonomy_rules(world.logits, world.truth, GOEMOTIONS, fitted_on="dev")
    calibration = rules["goemotions"].rule.calibration
    folded_logits = world.logits * np.float32(calibration.slope) + np.float32(calibration.intercept)
    folded = folded_rules(rules, "goemotions")
    assert folded["goemotions"].fitted_on == "dev"
    own = folded["goemotions"].rule
    assert own.calibration == Calibration.identity(28)
    np.testing.assert_array_equal(own.decide(folded_logits), rules["goemotions"].rule.decide(world.logits))
    for name in ("core14", "ekman", "sentiment"):
        before = set_logits(world.logits, calibration, TAXONOMIES[name], GOEMOTIONS)
        after = set_logits(folded_logits, own.calibration, TAXONOMIES[name], GOEMOTIONS)
        assert folded[name] == rules[name]
        np.testing.assert_array_equal(folded[name].rule.decide(after), rules[name].rule.decide(before))


def test_another_number_of_labels_is_refused() -> None:
    with pytest.raises(SettingError, match="2 labels cannot be folded into a layer of 3"):
        fold_calibration(np.zeros((3, 8)), np.zeros(3), Calibration.identity(2))
