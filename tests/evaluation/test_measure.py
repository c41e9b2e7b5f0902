"""Evaluations of arrays: complete, honest about what was fitted on what, and ready for people and programs."""

import io
import json
import math

import numpy as np
import pytest
from rich.console import Console

from affekt.decision import DecisionRule, sigmoid
from affekt.errors import DataError, SettingError
from affekt.evaluation import Evaluation, Resampling, compare_models, measure, metrics
from affekt.evaluation.bootstrap import OVERALL
from affekt.evaluation.measure import Naming
from affekt.tuning import cross_fitted_macro_f1, fit_rule
from simulated import simulate

LABELS = ("joy", "anger", "grief", "neutral")
QUICK = Resampling(resamples=40, repeats=3)


def world(seed: int = 0, texts: int = 600) -> tuple[np.ndarray, np.ndarray]:
    made = simulate(texts, (0.3, 0.1, 0.02, 0.4), seed=seed, slope=0.6, intercept=0.5)
    return made.logits, made.truth


@pytest.fixture(scope="module")
def found() -> Evaluation:
    return measure(*world(), LABELS, resampling=QUICK, naming=Naming("m [1]", "d", "mine"))


def printed(renderable: object, width: int = 200) -> str:
    out = io.StringIO()
    Console(file=out, width=width).print(renderable)
    return out.getvalue()


def test_every_way_of_deciding_says_what_it_was_fitted_on(found: Evaluation) -> None:
    assert {name: outcome.fitted for name, outcome in found.outcomes.items()} == {
        "at_0.5": "nothing",
        "shared": "these texts",
        "shared_cross_fitted": "other folds",
        "per_label": "these texts",
        "per_label_cross_fitted": "other folds",
    }
    assert [name for name, outcome in found.outcomes.items() if not outcome.honest] == ["shared", "per_label"]


def test_figures_are_the_metrics_of_the_decisions(found: Evaluation) -> None:
    for outcome in found.outcomes.values():
        for name in OVERALL:
            expected = getattr(metrics, name)(found.truth, outcome.decisions)
            assert outcome.intervals.overall[name].value == pytest.approx(expected, abs=1e-6)


def test_at_half_is_the_plain_model(found: Evaluation) -> None:
    np.testing.assert_array_equal(found.outcomes["at_0.5"].decisions, sigmoid(found.logits) >= 0.5)


def test_cross_fitted_outcome_is_the_median_partition(found: Evaluation) -> None:
    outcome = found.outcomes["per_label_cross_fitted"]
    expected = cross_fitted_macro_f1(found.logits, found.truth, repeats=3)
    assert outcome.partitions == expected.values
    assert outcome.macro_f1 == pytest.approx(sorted(expected.values)[1])


def test_without_a_saved_rule_the_headline_is_cross_fitted(found: Evaluation) -> None:
    assert found.headline == "per_label_cross_fitted"
    assert found.macro_f1 == found.outcomes["per_label_cross_fitted"].macro_f1


def test_a_saved_rule_that_has_not_seen_the_texts_is_the_headline() -> None:
    rule = fit_rule(*world(seed=5))
    found = measure(*world(), LABELS, rule=rule, resampling=QUICK)
    assert (found.headline, found.best.fitted) == ("saved", "other texts")
    np.testing.assert_array_equal(found.best.decisions, rule.decide(found.logits))
    np.testing.assert_array_equal(found.scores, rule.calibration.apply(found.logits))
    assert found.rule == rule


def test_a_saved_rule_that_has_seen_them_is_not() -> None:
    rule = fit_rule(*world())
    found = measure(*world(), LABELS, rule=rule, rule_saw_texts=True, resampling=QUICK)
    assert found.headline == "per_label_cross_fitted"
    assert found.outcomes["saved"].fitted == "these texts"
    assert found.outcomes["saved"].macro_f1 == found.outcomes["per_label"].macro_f1
    assert not np.array_equal(found.scores, rule.calibration.apply(found.logits))


def test_policy_of_the_saved_rule_finds_the_neutral_column() -> None:
    rule = DecisionRule(DecisionRule.default(4).calibration, (0.99,) * 4, "neutral")
    found = measure(*world(), LABELS, rule=rule, resampling=QUICK)
    nothing = (sigmoid(found.logits) < 0.99).all(axis=1)
    assert found.best.decisions[nothing].tolist() == [[False, False, False, True]] * int(nothing.sum())


def test_ranking_and_calibration_belong_to_the_logits(found: Evaluation) -> None:
    np.testing.assert_array_equal(found.average_precision, metrics.average_precision(found.truth, found.logits))
    np.testing.assert_array_equal(found.roc_auc, metrics.roc_auc(found.truth, found.logits))
    assert found.means()["ece"] < found.means()["ece_raw"]


def test_few_texts_are_measured_but_not_tuned_on() -> None:
    logits, truth = world(texts=20)
    found = measure(logits, truth, LABELS, resampling=QUICK)
    assert (list(found.outcomes), found.headline) == (["at_0.5"], "at_0.5")
    assert any("not tuned on fewer than 50" in note for note in found.notes)
    assert found.per_label()["joy"]["threshold"] == 0.5


def test_label_without_a_positive_is_noted_and_null_in_json() -> None:
    logits, truth = world()
    truth = truth.copy()
    truth[:, 2] = False
    found = measure(logits, truth, LABELS, resampling=QUICK)
    assert any("No text has grief" in note for note in found.notes)
    assert math.isnan(found.per_label()["grief"]["average_precision"])
    assert json.loads(found.to_json())["per_label"]["grief"]["average_precision"] is None
    assert "–" in printed(found.table())


def test_json_holds_everything_and_is_strict(found: Evaluation) -> None:
    data = json.loads(found.to_json(), parse_constant=lambda name: pytest.fail(f"not JSON: {name}"))
    assert (data["model"], data["data"], data["label_set"], data["texts"]) == ("m [1]", "d", "mine", 600)
    assert set(data["outcomes"]) == set(found.outcomes)
    best = data["outcomes"][data["headline"]]
    assert best["macro_f1"]["low"] <= best["macro_f1"]["value"] <= best["macro_f1"]["high"]
    assert (best["fitted_on"], best["honest"], len(best["partitions"])) == ("other folds", True, 3)
    joy = data["per_label"]["joy"]
    assert joy["support"] == int(found.truth[:, 0].sum())
    assert joy["f1"]["value"] == pytest.approx(metrics.f1_scores(found.truth, found.best.decisions).f1[0])
    assert joy["threshold"] == found.outcomes["per_label"].rule.thresholds[0]


def test_figures_for_a_model_folder_are_the_headline_and_one_half(found: Evaluation) -> None:
    kept = found.figures()
    assert set(kept["outcomes"]) == {"per_label_cross_fitted", "at_0.5"}
    assert kept == json.loads(json.dumps(kept))


def test_table_shows_every_label_and_marks_what_flatters(found: Evaluation) -> None:
    text = printed(found.table())
    for label in LABELS:
        assert label in text
    assert text.count("these: flatters") == 2
    assert "m [1] on d: 600 texts, 4 labels" in text
    assert f"{found.macro_f1:.3f} [" in text


def test_unknown_outcome_lists_the_known(found: Evaluation) -> None:
    assert found.outcome("shared") is found.outcomes["shared"]
    with pytest.raises(SettingError, match=r"no outcome 'best'.*at_0.5"):
        found.outcome("best")


def test_mismatched_arrays_are_refused() -> None:
    with pytest.raises(DataError, match="as the scores have"):
        measure(np.zeros((60, 4)), np.zeros((60, 3)), LABELS)


@pytest.mark.parametrize("settings", [{"resamples": 0}, {"repeats": 0}, {"repeats": -1}])
def test_resampling_out_of_range_is_refused(settings: dict) -> None:
    with pytest.raises(SettingError, match="must be at least 1"):
        Resampling(**settings)


class TestTwoModels:
    def test_a_spoilt_model_loses(self) -> None:
        logits, truth = world()
        spoilt = logits + 1.5 * np.random.default_rng(77).standard_normal(logits.shape)
        good, bad = (
            measure(values, truth, LABELS, resampling=QUICK, naming=Naming(name))
            for values, name in ((logits, "good"), (spoilt, "bad"))
        )
        match = compare_models(good, bad)
        assert match.outcomes == ("per_label_cross_fitted",) * 2
        assert match.comparison.overall["macro_f1"].gain.low > 0
        data = json.loads(match.to_json())
        assert data["differences"]["macro_f1"]["first"] == pytest.approx(good.macro_f1, abs=1e-6)
        assert list(data["label_f1_gain"]) == list(LABELS)
        text = printed(match.table())
        assert "Paired comparison on 600 texts (thresholds: per label, cross-fitted)" in text
        assert "good has the better F1 on:" in text

    def test_the_table_fits_80_columns_whatever_the_models_are_called(self) -> None:
        logits, truth = world()
        match = compare_models(
            *(measure(logits, truth, LABELS, resampling=QUICK, naming=Naming("affekt-goemotions-minilm")) for _ in "ab")
        )
        lines = printed(match.table(), width=80).splitlines()
        assert max(map(len, lines)) <= 80
        assert sum("[+0.000, +0.000]" in line for line in lines) == len(match.comparison.overall)
        assert "…" not in "".join(lines)

    def test_rules_of_different_standing_are_compared_cross_fitted(self) -> None:
        logits, truth = world()
        saved = measure(logits, truth, LABELS, rule=fit_rule(*world(seed=3)), resampling=QUICK)
        match = compare_models(saved, measure(logits, truth, LABELS, resampling=QUICK))
        assert match.outcomes == ("per_label_cross_fitted",) * 2

    def test_same_names_are_told_apart(self, found: Evaluation) -> None:
        match = compare_models(found, found)
        assert match.names == ("m [1] (1)", "m [1] (2)")
        assert "On no label do they differ" in printed(match.table())

    def test_other_texts_cannot_be_compared(self, found: Evaluation) -> None:
        other = measure(*world(seed=1), LABELS, resampling=QUICK)
        with pytest.raises(DataError, match="not measured on the same texts"):
            compare_models(found, other)
