"""The model card: metadata that the Hub can read, figures that are the manifest's, snippets that run."""

import contextlib
import io
import re
from pathlib import Path
from typing import Any

import pytest

from affekt.decision import Calibration, DecisionRule
from affekt.evaluation import Resampling, measure
from affekt.evaluation.measure import Naming
from affekt.export.card import CardFacts, model_card
from affekt.export.card_figures import evaluations, table
from affekt.model_folder import Manifest, RuleRecord
from models import manifest, model_folder
from simulated import simulate

yaml = pytest.importorskip("yaml")
LABELS = ("joy", "anger", "spam|ham")


def figures(data: str = "dev") -> dict[str, Any]:
    world = simulate(300, (0.3, 0.1, 0.0001))
    found = measure(
        world.logits, world.truth, LABELS, resampling=Resampling(20, repeats=1), naming=Naming("m", data, "custom")
    )
    return found.figures()


def made(**changes: object) -> Manifest:
    full = {"metrics": {"dev": figures()}, "recipe": {"name": "best", "lr": 2e-5, "encoder": "org/encoder-small"}}
    return manifest(LABELS, "custom").model_copy(update={**full, **changes})


def front_matter(card: str) -> dict[str, Any]:
    _, matter, _ = card.split("---\n", 2)
    return yaml.safe_load(matter)


def test_metadata_is_what_the_hub_expects() -> None:
    facts = CardFacts(datasets=("go_emotions",), licence="mit")
    data = front_matter(model_card(made(), facts))
    assert (data["license"], data["language"], data["pipeline_tag"]) == ("mit", ["en"], "text-classification")
    assert (data["base_model"], data["datasets"]) == ("org/encoder-small", ["go_emotions"])
    result = data["model-index"][0]["results"][0]
    assert result["dataset"] == {"type": "dev", "name": "dev"}
    assert [metric["type"] for metric in result["metrics"]] == ["f1"] * 4


def test_metadata_is_read_by_the_hubs_own_parser() -> None:
    hub = pytest.importorskip("huggingface_hub")
    card = hub.ModelCard(model_card(made()))
    assert card.data.license == "apache-2.0"
    assert card.data.eval_results[0].dataset_name == "dev"
    assert card.data.eval_results[0].metric_value == pytest.approx(
        made().metrics["dev"]["outcomes"]["per_label_cross_fitted"]["macro_f1"]["value"], abs=1e-4
    )


def test_figures_are_the_manifests_with_intervals() -> None:
    card, kept = model_card(made()), figures()
    best = kept["outcomes"][kept["headline"]]["macro_f1"]
    assert f"| macro-F1 | {best['value']:.3f} [{best['low']:.3f}, {best['high']:.3f}] |" in card
    assert "thresholds: per label, cross-fitted | thresholds: 0.5 |" in card
    assert f"| joy | {kept['per_label']['joy']['support']} |" in card


def test_what_is_not_defined_is_a_dash() -> None:
    row = next(line for line in model_card(made()).splitlines() if line.startswith("| spam\\|ham"))
    assert row.split("|")[-3].strip() == "–"


def test_sections_in_order() -> None:
    titles = re.findall(r"^## (.*)$", model_card(made(data={"train": {"texts": 4300}})), re.MULTILINE)
    assert titles == ["Use", "Figures", "Decisions", "Data", "Recipe", "Limits and ethics", "This folder"]


def test_a_bare_manifest_still_has_a_card() -> None:
    card = model_card(manifest())
    titles = re.findall(r"^## (.*)$", card, re.MULTILINE)
    assert titles == ["Use", "Decisions", "Limits and ethics", "This folder"]
    assert "base_model" not in front_matter(card)
    assert "model-index" not in front_matter(card)


@pytest.mark.parametrize("encoder", ["/home/someone/encoder", "../encoder", "C:\\models\\x", "runs/a/b", 3, None])
def test_paths_of_a_machine_stay_out(encoder: object) -> None:
    card = model_card(made(recipe={"name": "best", "encoder": encoder}))
    assert "base_model" not in front_matter(card)
    assert "Fine-tuned from" not in card
    assert str(encoder) not in card or encoder in (3, None)


def test_data_and_recipe_are_told() -> None:
    card = model_card(made(data={"train": {"texts": 43410, "sha256": "ab12"}, "seeds": [1, 2]}))
    assert "- train: texts 43,410, sha256 ab12" in card
    assert "- seeds: 1, 2" in card
    assert "| `lr` | `2e-05` |" in card


def test_every_label_set_and_its_policy_are_listed() -> None:
    rule = DecisionRule(Calibration.identity(3), (0.1, 0.25, 0.4), "best")
    card = model_card(made(rules={"custom": RuleRecord.of(LABELS, rule, "dev, 300 texts")}))
    assert "| custom | 3 | 0.10 to 0.40 | best label | dev, 300 texts |" in card


def test_reddit_is_named_only_where_labels_are_goemotions() -> None:
    assert "Reddit" in model_card(manifest())
    assert "Reddit" not in model_card(made())


def test_several_evaluations_or_one() -> None:
    one = figures()
    assert list(evaluations(one)) == [""]
    assert list(evaluations({"dev": one, "export": {"texts": 3}, "note": "x"})) == ["dev"]
    card = model_card(made(metrics={"a": figures("a"), "b": figures("b")}))
    assert ("On a: 300 texts" in card, "On b: 300 texts" in card) == (True, True)
    assert len(front_matter(card)["model-index"][0]["results"]) == 2


def test_names_cannot_break_the_metadata() -> None:
    card = model_card(made(name='a: "b"\n---\n- c'))
    assert front_matter(card.replace('# a: "b"', "# x"))["model-index"][0]["name"] == 'a: "b"\n---\n- c'


def test_tables_escape_bars() -> None:
    assert table(["a"], [["x|y"]]) == "| a |\n| --- |\n| x\\|y |"


class TestSnippets:
    """What the card tells people to type is typed here."""

    @staticmethod
    def blocks(card: str) -> list[str]:
        return re.findall(r"```python\n(.*?)```", card, re.DOTALL)

    def test_all_three_compile(self) -> None:
        blocks = self.blocks(model_card(made()))
        assert len(blocks) == 3
        for block in blocks:
            compile(block, "card", "exec")

    def test_all_three_run_and_agree(self, tmp_path: Path) -> None:
        pytest.importorskip("transformers")
        folder = model_folder(tmp_path / "tiny", LABELS, "custom")
        rule = DecisionRule(Calibration.identity(3), (0.5, 0.5, 0.5))
        folded = manifest(LABELS, "custom").model_copy(update={"rules": {"custom": RuleRecord.of(LABELS, rule)}})
        (folder / "affekt.json").write_text(folded.model_dump_json(exclude={"files"}), encoding="utf-8")
        card = model_card(folded, CardFacts(path=str(folder)))
        assert "all three give the same scores" in card
        found: list[dict[str, float]] = []
        for block in self.blocks(card):
            space: dict[str, Any] = {}
            with contextlib.redirect_stdout(io.StringIO()):
                exec(block, space)  # noqa: S102
            found.append(scores_of(space))
        for other in found[1:]:
            assert other == pytest.approx(found[0], abs=1e-5)

    def test_calibrated_models_say_that_raw_scores_differ(self) -> None:
        card = model_card(made())
        assert "all three give the same scores" not in card
        assert "sigmoid(slope * logit + intercept)" in card

    @pytest.mark.parametrize(("fitted_on", "advised"), [("80 texts of 'dev'", True), ("", False)])
    def test_a_threshold_that_nobody_fitted_is_not_called_the_best(self, fitted_on: str, advised: bool) -> None:
        record = RuleRecord.of(LABELS, DecisionRule.default(len(LABELS)), fitted_on)
        card = model_card(made(rules={"custom": record}))
        assert ("Do not decide at 0.5" in card) is advised
        assert ("Thresholds were set, not fitted" in card) is not advised


def test_the_first_sentence_can_be_read_with_and_without_a_known_encoder() -> None:
    assert "A classifier, fine-tuned from `org/encoder-small`, made with affekt; version " in model_card(made())
    assert "A classifier, made with affekt; version " in model_card(made(recipe={"encoder": "./folder"}))


def scores_of(space: dict[str, Any]) -> dict[str, float]:
    """Scores by label, from what a snippet leaves behind."""
    if "prediction" in space:
        return dict(space["prediction"].scores)
    if "model" in space:
        return dict(zip(space["model"].config.id2label.values(), space["scores"][0].tolist(), strict=True))
    text = "I can't believe you did this for me, thank you!"
    (answer,) = space["classifier"]([text])
    return {entry["label"]: entry["score"] for entry in answer}
