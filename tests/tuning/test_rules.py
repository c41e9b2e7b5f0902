"""Rules and cross-fitting: no text may help to decide itself, and label sets get rules of their own."""

import numpy as np
import pytest

from affekt.decision import DecisionRule, decide
from affekt.errors import DataError, SettingError
from affekt.taxonomy import GOEMOTIONS, TAXONOMIES
from affekt.tuning import (
    CrossFitted,
    cross_fitted_decisions,
    cross_fitted_macro_f1,
    cross_fitted_methods,
    cross_fitted_scores,
    fit_rule,
    fit_taxonomy_rules,
    fit_thresholds,
    set_logits,
)
from affekt.tuning import rules as module
from affekt.tuning.arrays import macro_f1
from affekt.tuning.folds import stratified_folds
from simulated import simulate


def test_a_rule_is_calibration_then_thresholds() -> None:
    world = simulate(1000, slope=0.5)
    rule = fit_rule(world.logits, world.truth, empty="best", method="per_label")
    scores = rule.calibration.apply(world.logits)
    assert rule.thresholds == fit_thresholds(scores, world.truth, "per_label")
    assert rule.empty == "best"


def test_a_rule_survives_being_saved() -> None:
    world = simulate(1000)
    rule = fit_rule(world.logits, world.truth)
    numbers = [*rule.calibration.slope, *rule.calibration.intercept, *rule.thresholds]
    assert all(number == float(np.float32(number)) for number in numbers)


def test_tuned_decisions_do_not_depend_on_how_logits_are_scaled() -> None:
    world = simulate(3000)
    plain = fit_rule(world.logits, world.truth).decide(world.logits)
    deformed = 0.3 * world.logits - 2
    other = fit_rule(deformed, world.truth).decide(deformed)
    assert (plain == other).mean() > 0.999


def test_cross_fitting_decides_every_fold_by_the_others() -> None:
    world = simulate(600)
    decisions = cross_fitted_decisions(world.logits, world.truth, folds=4, seed=9)
    fold = stratified_folds(world.truth, 4, 9)
    for held in range(4):
        out = fold == held
        rule = fit_rule(world.logits[~out], world.truth[~out], seed=9)
        np.testing.assert_array_equal(decisions[out], rule.decide(world.logits[out]))


def test_several_methods_at_once_are_each_alone() -> None:
    world = simulate(400)
    both = cross_fitted_methods(world.logits, world.truth, ("shared", "default"), seed=3)
    for method, decisions in both.items():
        alone = cross_fitted_decisions(world.logits, world.truth, method=method, seed=3)
        np.testing.assert_array_equal(decisions, alone)


def test_a_text_has_no_say_in_its_own_decision(monkeypatch: pytest.MonkeyPatch) -> None:
    world = simulate(400)
    fold = stratified_folds(world.truth, 5)
    monkeypatch.setattr(module, "stratified_folds", lambda *_: fold)
    before = cross_fitted_decisions(world.logits, world.truth)
    out = fold == 2
    changed = world.truth.copy()
    changed[out] = ~changed[out]
    np.testing.assert_array_equal(cross_fitted_decisions(world.logits, changed)[out], before[out])


@pytest.mark.parametrize("method", ["per_label", "default"])
def test_on_noise_the_fitted_figure_flatters_and_the_cross_fitted_does_not(method: str) -> None:
    """With logits that know nothing, no rule beats deciding everything: F1 = 2p / (1 + p)."""
    rng = np.random.default_rng(0)
    logits, truth = rng.standard_normal((400, 20)), rng.random((400, 20)) < 0.03
    chance = float(np.mean(2 * truth.mean(axis=0) / (1 + truth.mean(axis=0))))
    same = macro_f1(truth, fit_rule(logits, truth, method=method, calibration="none").decide(logits))
    honest = cross_fitted_macro_f1(logits, truth, method=method, calibration="none").mean
    assert honest < chance + 0.02
    assert same - honest > (0.02 if method == "per_label" else 0.0)


def test_cross_fitted_figure_foretells_fresh_texts() -> None:
    gaps = []
    for seed in range(6):
        world, fresh = simulate(1500, seed=seed), simulate(20_000, seed=100 + seed)
        told = cross_fitted_macro_f1(world.logits, world.truth, repeats=2).mean
        gaps.append(macro_f1(fresh.truth, fit_rule(world.logits, world.truth).decide(fresh.logits)) - told)
    assert abs(np.mean(gaps)) < 0.02


def test_repeats_are_other_partitions() -> None:
    world = simulate(500)
    figure = cross_fitted_macro_f1(world.logits, world.truth, repeats=3, seed=4)
    alone = [cross_fitted_macro_f1(world.logits, world.truth, repeats=1, seed=s).mean for s in (4, 5, 6)]
    assert list(figure.values) == alone
    assert figure.mean == pytest.approx(np.mean(alone))
    assert figure.spread == pytest.approx(np.std(alone, ddof=1))
    assert CrossFitted((0.5,)).spread == 0.0


def test_cross_fitted_scores_are_calibrated_by_the_others() -> None:
    world = simulate(3000, (0.3, 0.1), slope=0.4, intercept=1.0)
    scores = cross_fitted_scores(world.logits, world.truth)
    assert np.abs(scores - world.probability).mean() < 0.02


def test_empty_policy_reaches_every_text() -> None:
    world = simulate(400, (0.1, 0.05, 0.02))
    best = cross_fitted_decisions(world.logits, world.truth, empty="best")
    neutral = cross_fitted_decisions(world.logits, world.truth, empty="neutral", neutral=1)
    plain = cross_fitted_decisions(world.logits, world.truth)
    assert best.any(axis=1).all()
    nothing = ~plain.any(axis=1)
    assert nothing.any()
    assert neutral[nothing].tolist() == [[False, True, False]] * int(nothing.sum())
    np.testing.assert_array_equal(best[~nothing], plain[~nothing])


@pytest.mark.parametrize("repeats", [0, -1])
def test_no_repeats_is_refused(repeats: int) -> None:
    with pytest.raises(SettingError, match="repeats must be at least 1"):
        cross_fitted_macro_f1(np.zeros((10, 1)), np.zeros((10, 1)), repeats=repeats)


def test_infinite_logits_are_refused() -> None:
    with pytest.raises(DataError, match="not finite"):
        fit_rule([[np.inf], [0.0]], [[1], [0]])


@pytest.fixture(scope="module")
def records() -> dict:
    world = simulate(1500, np.linspace(0.02, 0.25, 28).tolist())
    return fit_taxonomy_rules(world.logits, world.truth, GOEMOTIONS, fitted_on="dev", empty="best")


class TestLabelSets:
    def test_every_known_set_has_a_rule(self, records: dict) -> None:
        assert list(records) == ["goemotions", "core14", "ekman", "sentiment"]
        for name, record in records.items():
            assert record.labels == TAXONOMIES[name].labels
            assert (record.fitted_on, record.empty) == ("dev", "best")
            assert isinstance(record.rule, DecisionRule)

    def test_own_rule_is_the_plain_one(self, records: dict) -> None:
        world = simulate(1500, np.linspace(0.02, 0.25, 28).tolist())
        assert records["goemotions"].rule == fit_rule(world.logits, world.truth, empty="best")

    def test_derived_rule_beats_one_half(self, records: dict) -> None:
        world = simulate(3000, np.linspace(0.02, 0.25, 28).tolist(), seed=1)
        taxonomy = TAXONOMIES["ekman"]
        own = records["goemotions"].rule.calibration
        logits = set_logits(world.logits, own, taxonomy, GOEMOTIONS)
        truth = taxonomy.combine_truth(world.truth, GOEMOTIONS)
        plain = decide(taxonomy.combine(own.apply(world.logits), GOEMOTIONS), (0.5,) * 7)
        assert macro_f1(truth, records["ekman"].rule.decide(logits)) > macro_f1(truth, plain)

    def test_labels_of_ones_own_are_called_custom(self) -> None:
        world = simulate(300, (0.3, 0.1))
        assert list(fit_taxonomy_rules(world.logits, world.truth, ("mine", "yours"))) == ["custom"]
        assert list(fit_taxonomy_rules(world.logits, world.truth, ("a", "b"), own="letters")) == ["letters"]

    def test_other_order_is_another_set(self) -> None:
        world = simulate(300, [0.2] * 28)
        records = fit_taxonomy_rules(world.logits, world.truth, GOEMOTIONS[::-1])
        assert records["custom"].labels == GOEMOTIONS[::-1]
        assert records["goemotions"].labels == GOEMOTIONS
