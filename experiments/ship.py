"""From finished runs to the model that ships: thresholds, figures, export, card, folder; ``make ship`` does all of it.

    python experiments/ship.py --data DIR --encoders DIR --work DIR [--install DIR]

Calibration and thresholds come from out-of-fold logits of the training texts; dev chooses the seed and is measured. The
calibration is folded into the last layer, so that any program's sigmoid gives the calibrated score.
The whole model, with PyTorch weights and both graphs, is left in WORK/shipped; --install takes what the package needs.
"""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from corpus import Corpus, Floats
from runs import SHIPPED, STUDENT
from safetensors.numpy import load_file, save_file
from work import arguments, logits_path, out_of_fold

import affekt
from affekt.backends import FILES
from affekt.decision import Calibration, DecisionRule
from affekt.evaluation.measure import Naming, Resampling, measure
from affekt.export import export
from affekt.export.card import CardFacts, model_card
from affekt.export.card_text import INTENDED
from affekt.files import atomic_folder
from affekt.model_folder import Manifest, RuleRecord, update_manifest, write_model_folder
from affekt.training.recipe import Recipe, get_recipe
from affekt.tuning.arrays import macro_f1
from affekt.tuning.folding import fold_calibration, folded_rules
from affekt.tuning.rules import fit_taxonomy_rules

NAME, ENCODER = "affekt-goemotions-minilm", "sentence-transformers/all-MiniLM-L6-v2"
STAGES = (
    " It learned twice: first at its encoder's whole width, with a layer more that takes the mean over the tokens and "
    "with the settings below but for those under `first`; then, made narrower, with the settings below."
)
SMALL = (
    " This copy ships inside affekt and holds the int8 ONNX graph alone: use it with affekt, ONNX Runtime or "
    "transformers.js; the PyTorch snippets below need a folder with weights, as affekt train writes it."
)


def dev_logits(corpus: Corpus) -> dict[str, Floats]:
    """Seed's name -> logits of dev, of the students whose weights are there."""
    found = {}
    for folder in sorted((corpus.place.work / "models").glob(f"{SHIPPED.name}-seed*")):
        with np.load(logits_path(corpus.place, replace(SHIPPED, name=folder.name)), allow_pickle=False) as kept:
            found[folder.name] = kept["dev"].astype(np.float32)
    return found


def choose(corpus: Corpus, logits: dict[str, Floats], rule: DecisionRule) -> str:
    """The seed with the best macro-F1 on dev by a rule that never saw dev."""
    figures = {name: macro_f1(corpus.dev.positives, rule.decide(found)) for name, found in logits.items()}
    for name, figure in figures.items():
        print(f"{name}: macro-F1 {figure:.4f} on dev, thresholds from out-of-fold logits")
    return max(figures, key=lambda name: figures[name])


def fold(folder: Path, calibration: Calibration) -> None:
    """Fold a calibration into a classifier's last layer, in place."""
    path = folder / "model.safetensors"
    tensors = load_file(path)
    weight, bias = fold_calibration(tensors["classifier.weight"], tensors["classifier.bias"], calibration)
    save_file(tensors | {"classifier.weight": weight, "classifier.bias": bias}, path, metadata={"format": "pt"})


def describe(corpus: Corpus, name: str, logits: Floats, rules: dict[str, RuleRecord]) -> Manifest:
    """The manifest: rules, figures, recipe, and what it learned from."""
    train, dev, recipe = corpus.train, corpus.dev, student_recipe(name)
    facts = {
        role: {"name": part.name, "texts": len(part), "sha256": part.fingerprint()}
        for role, part in (("train", train), ("dev", dev))
    }
    pool = {
        "name": f"{len(corpus.pool):,} texts that only the teachers labelled",
        "made of": "training texts, cut, joined and misspelt; XED; BRIGHTER",
    }
    return Manifest(
        name=NAME,
        version="0.1.0",
        labels=train.labels,
        taxonomy="goemotions",
        cleaning=recipe.cleaning,
        max_length=recipe.max_length,
        rules=rules,
        recipe={"encoder": ENCODER, **recipe.model_dump(mode="json"), "first": first_settings(recipe)},
        metrics={"dev": figures(corpus, logits, rules["goemotions"].rule)},
        data=facts | {"distillation": pool},
    )


def figures(corpus: Corpus, logits: Floats, rule: DecisionRule) -> dict[str, Any]:
    """What a model reaches on dev."""
    naming = Naming(NAME, corpus.dev.name, "goemotions")
    found = measure(
        logits, corpus.dev.positives, corpus.train.labels, rule=rule, naming=naming, resampling=Resampling()
    )  # fmt: skip
    return found.figures()


def first_settings(recipe: Recipe) -> dict[str, Any]:
    """What the settings were, where they were others, before the student was made narrower."""
    first = get_recipe(STUDENT.recipe, STUDENT.settings).model_dump(mode="json")
    return {
        name: value for name, value in first.items() if value != recipe.model_dump(mode="json")[name] and name != "seed"
    }


def student_recipe(name: str) -> Recipe:
    """The settings of a student."""
    return get_recipe(SHIPPED.recipe, (*SHIPPED.settings, f"seed={name.removeprefix(f'{SHIPPED.name}-seed')}"))


def make(corpus: Corpus) -> Path:
    """The whole model folder, its graphs exported and compared."""
    folds = f"out-of-fold logits of the {len(corpus.train):,} training texts ({len(corpus.folds)} folds)"
    rules = fit_taxonomy_rules(
        out_of_fold(corpus, SHIPPED), corpus.train.positives, corpus.train.labels, fitted_on=folds
    )  # fmt: skip
    logits = dev_logits(corpus)
    name = choose(corpus, logits, rules["goemotions"].rule)
    own = rules["goemotions"].rule.calibration
    calibrated = logits[name] * np.float32(own.slope) + np.float32(own.intercept)
    manifest = describe(corpus, name, calibrated, folded_rules(rules, "goemotions"))
    out, source = corpus.place.work / "shipped", corpus.place.work / "models" / name

    def fill(folder: Path) -> None:
        shutil.copytree(source, folder, dirs_exist_ok=True)
        fold(folder, own)
        (folder / "README.md").write_text(model_card(manifest, facts()), encoding="utf-8")

    write_model_folder(out, manifest, fill)
    report = export(out, corpus.dev, calibration=corpus.train.texts)
    assert report.int8 is not None
    print(f"{name}: int8 flips {report.int8.flipped:.2%}, {report.int8.macro_f1 - report.int8.reference_macro_f1:+.4f}")
    return out


def facts(intended: str = INTENDED + STAGES) -> CardFacts:
    """What the card says besides the manifest."""
    return CardFacts(ENCODER, datasets=("go_emotions",), intended=intended)


def install(corpus: Corpus, source: Path, target: Path) -> None:
    """Put what the package needs where it looks: the tokenizer and the int8 graph, with its own figures and card."""
    small = FILES["onnx-int8"]
    with atomic_folder(target) as folder:
        (folder / "onnx").mkdir()
        for name in ("config.json", "tokenizer.json", "tokenizer_config.json", "affekt.json", small):
            shutil.copy2(source / name, folder / name)
        manifest = update_manifest(folder, lambda old: old)
        logits = affekt.load(folder, backend="onnx-int8").logits(corpus.dev.texts)
        dev = figures(corpus, logits, manifest.rules["goemotions"].rule)
        manifest = update_manifest(folder, lambda old: old.model_copy(update={"metrics": old.metrics | {"dev": dev}}))
        (folder / "README.md").write_text(model_card(manifest, facts(INTENDED + STAGES + SMALL)), encoding="utf-8")
        update_manifest(folder, lambda old: old)
    print(f"Installed in {target}: {(target / small).stat().st_size / 1e6:.1f} MB")


def main() -> None:
    """Make it, and install it if asked to."""
    parser = arguments(__doc__)
    parser.add_argument("--install", type=Path, help="model folder of the package to replace")
    asked = parser.parse_args()
    corpus = Corpus.at(asked)
    made = make(corpus)
    if asked.install:
        install(corpus, made, asked.install)


if __name__ == "__main__":
    main()
