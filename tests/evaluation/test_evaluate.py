"""Evaluating a classifier on a table: labels are matched or refused, and texts that were seen before are recognised."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from affekt.data.dataset import Dataset
from affekt.decision import DecisionRule
from affekt.errors import DataError, SettingError
from affekt.evaluation import Resampling, evaluate
from affekt.evaluation.evaluate import match_truth
from affekt.evaluation.provenance import LEARNED
from affekt.model_folder import Manifest, RuleRecord
from affekt.taxonomy import GOEMOTIONS, TAXONOMIES, identity
from affekt.tuning import fit_taxonomy_rules
from models import manifest
from simulated import simulate

WORLD = simulate(400, np.linspace(0.05, 0.3, 28).tolist())
QUICK = Resampling(resamples=20, repeats=1)


@dataclass
class Recorded:
    """Stands in for a classifier: its logits of "text 7" are row 7 of the simulated world."""

    manifest: Manifest

    def logits(self, texts: list[str]) -> np.ndarray:
        return WORLD.logits[[int(text.split()[1]) for text in texts], : len(self.manifest.labels)]


def texts(count: int = 400) -> tuple[str, ...]:
    return tuple(f"text {row}" for row in range(count))


def dataset(labels: tuple[str, ...] = GOEMOTIONS, truth: np.ndarray = WORLD.truth) -> Dataset:
    return Dataset(texts(len(truth)), labels, truth.astype(np.float32), name="table")


def model(**changes: object) -> Recorded:
    return Recorded(manifest().model_copy(update=changes))


def test_saved_rule_is_the_headline_on_new_texts() -> None:
    found = evaluate(model(), dataset(), resampling=QUICK)
    assert (found.model, found.data, found.label_set) == ("tiny", "table", "goemotions")
    assert (found.headline, found.best.fitted) == ("saved", "other texts")
    np.testing.assert_array_equal(found.logits, WORLD.logits)
    np.testing.assert_array_equal(found.truth, WORLD.truth)


def test_texts_that_the_rule_was_fitted_on_are_recognised_by_the_manifest() -> None:
    found = evaluate(model(data={"dev": {"sha256": dataset().fingerprint()}}), dataset(), resampling=QUICK)
    assert (found.headline, found.outcomes["saved"].fitted) == ("per_label_cross_fitted", "these texts")


def test_and_by_the_rule() -> None:
    rules = fit_taxonomy_rules(WORLD.logits, WORLD.truth, GOEMOTIONS, fitted_on=f"dev {dataset().fingerprint()}")
    for taxonomy in ("goemotions", "ekman"):
        found = evaluate(model(rules=rules), dataset(), taxonomy=taxonomy, resampling=QUICK)
        assert found.outcomes["saved"].fitted == "these texts"


def test_label_sets_are_measured_in_their_own_labels() -> None:
    found = evaluate(model(), dataset(), taxonomy="ekman", resampling=QUICK)
    assert found.labels == TAXONOMIES["ekman"].labels
    np.testing.assert_array_equal(found.truth, TAXONOMIES["ekman"].combine_truth(WORLD.truth, GOEMOTIONS))
    assert "saved" not in found.outcomes


def test_tables_labelled_in_the_set_itself_serve_as_well() -> None:
    ekman = TAXONOMIES["ekman"]
    table = dataset(ekman.labels, ekman.combine_truth(WORLD.truth, GOEMOTIONS))
    direct = evaluate(model(), table, taxonomy="ekman", resampling=QUICK)
    assert direct.macro_f1 == evaluate(model(), dataset(), taxonomy="ekman", resampling=QUICK).macro_f1


def test_columns_are_matched_by_name() -> None:
    table = dataset(GOEMOTIONS[::-1], WORLD.truth[:, ::-1])
    np.testing.assert_array_equal(evaluate(model(), table, resampling=QUICK).truth, WORLD.truth)


def test_only_labelled_texts_if_asked_for() -> None:
    found = evaluate(model(), dataset(), taxonomy="core14", labelled_only=True, resampling=QUICK)
    kept = TAXONOMIES["core14"].combine_truth(WORLD.truth, GOEMOTIONS).any(axis=1)
    assert len(found.truth) == kept.sum() < 400
    assert found.truth.any(axis=1).all()
    assert any(f"{400 - kept.sum()} texts without any of the labels" in note for note in found.notes)


def test_no_text_left_is_a_mistake() -> None:
    empty = dataset(truth=np.zeros((5, 28)))
    with pytest.raises(DataError, match="'table' has no text to measure on"):
        evaluate(model(), empty, labelled_only=True)


def test_labels_that_the_table_never_has_are_noted() -> None:
    found = evaluate(model(), dataset(GOEMOTIONS[:26], WORLD.truth[:, :26]), resampling=QUICK)
    assert any("does not have surprise, neutral" in note for note in found.notes)
    assert not found.truth[:, 26:].any()


def test_labels_that_the_model_does_not_know_are_noted() -> None:
    small = Recorded(manifest(("admiration", "anger"), "custom"))
    found = evaluate(small, dataset(), resampling=QUICK)
    np.testing.assert_array_equal(found.truth, WORLD.truth[:, [0, 2]])
    assert any("does not know amusement" in note and "and 20 more" in note for note in found.notes)


@pytest.mark.parametrize("labels", [("spam", "ham"), ("joyy", *GOEMOTIONS[:20])])
def test_labels_that_are_not_the_models_are_refused(labels: tuple[str, ...]) -> None:
    table = dataset(labels, WORLD.truth[:, : len(labels)])
    with pytest.raises(DataError, match=rf"labels that are not the model's \({labels[0]}.*--label-names"):
        evaluate(model(), table, resampling=QUICK)


def test_unknown_labels_in_rows_are_refused() -> None:
    targets = WORLD.truth.astype(np.float32)
    targets[3, 4] = np.nan
    with pytest.raises(DataError, match="not known of 1 of the"):
        evaluate(model(), Dataset(texts(), GOEMOTIONS, targets), resampling=QUICK)


def test_a_table_is_recognised_though_some_of_its_texts_are_left_out() -> None:
    targets = WORLD.truth.astype(np.float32)
    targets[3, 4] = np.nan
    table = Dataset(texts(), GOEMOTIONS, targets)
    found = evaluate(model(data={"table": {"sha256": table.fingerprint()}}), table, known_only=True, resampling=QUICK)
    assert len(found.truth) == 399
    assert LEARNED in found.notes
    assert (found.headline, found.outcomes["saved"].fitted) == ("per_label_cross_fitted", "these texts")


def test_unknown_label_set_is_refused() -> None:
    with pytest.raises(SettingError, match="plutchik"):
        evaluate(model(), dataset(), taxonomy="plutchik")


def test_coarse_labels_are_no_truth_for_fine_ones() -> None:
    ekman = TAXONOMIES["ekman"]
    table = dataset(ekman.labels, ekman.combine_truth(WORLD.truth, GOEMOTIONS))
    truth, notes = match_truth(table, GOEMOTIONS, ekman)
    np.testing.assert_array_equal(truth, ekman.combine_truth(WORLD.truth, GOEMOTIONS))
    assert notes == ()
    _, notes = match_truth(table, GOEMOTIONS, identity("goemotions", GOEMOTIONS))
    assert any("does not have admiration" in note for note in notes)


def test_a_path_is_read_as_a_table(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    rows = "\n".join(f"text {row},{int(joy)},{int(sad)}" for row, (joy, sad) in enumerate(WORLD.truth[:60, :2]))
    path.write_text(f"text,joy,sadness\n{rows}\n", encoding="utf-8")
    two = Recorded(manifest(("joy", "sadness"), "custom"))
    found = evaluate(two, path, resampling=QUICK)
    np.testing.assert_array_equal(found.truth, WORLD.truth[:60, :2])


def test_own_rule_of_custom_labels_is_used() -> None:
    labels = ("joy", "sadness")
    rule = DecisionRule.default(2, 0.3)
    made = manifest(labels, "custom").model_copy(update={"rules": {"custom": RuleRecord.of(labels, rule)}})
    found = evaluate(Recorded(made), dataset(labels, WORLD.truth[:, :2]), resampling=QUICK)
    assert found.rule == rule
