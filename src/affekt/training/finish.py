"""From trained weights to a model folder: saved, loaded as anybody will, measured, and given its decision rules."""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from transformers import AutoModelForSequenceClassification, PreTrainedModel

from affekt.data.dataset import Dataset
from affekt.decision import DecisionRule
from affekt.evaluation.measure import MIN_TEXTS, Naming, Resampling, measure
from affekt.export.card import CardFacts, model_card
from affekt.model_folder import Manifest, RuleRecord, write_model_folder
from affekt.taxonomy import taxonomies_for
from affekt.training.batching.batches import TokenIds
from affekt.training.networks.build import quiet
from affekt.training.networks.stock import model_logits, save_stock
from affekt.training.recipe import Recipe
from affekt.tuning.rules import fit_taxonomy_rules


@dataclass(frozen=True)
class Finished:
    """What a model folder needs besides weights.

    Attributes:
        name: the model's name.
        encoder: what training started from, for people.
        recipe: as resolved.
        labels: names in the order of the logits.
        train: the training set.
        pool: further texts that only a teacher labelled.
        table: the one that training and dev set were split off of, or that further sets were added to.
        dev: the set that rules are fitted on; None without one.
        history: figures of each epoch.
        resampling: of the figures.
    """

    name: str
    encoder: str
    recipe: Recipe
    labels: tuple[str, ...]
    train: Dataset
    dev: Dataset | None
    pool: int
    table: Dataset | None
    history: list[dict[str, Any]]
    resampling: Resampling


def stage(folder: Path, model: PreTrainedModel, weights: Mapping[str, Tensor], tokenizer: Any) -> None:
    """Write the Hugging Face files: stock architecture, float32 safetensors, tokenizer.

    Args:
        folder: replaced.
        model: what the weights were trained in; adapters are merged into it.
        weights: the trained ones, by name.
        tokenizer: as loaded.
    """
    shutil.rmtree(folder, ignore_errors=True)
    with quiet():
        save_stock(model, weights, folder)
    tokenizer.save_pretrained(folder)
    for file in folder.iterdir():
        file.chmod(0o644)  # weights are written for their owner alone


def staged_logits(
    folder: Path, recipe: Recipe, token_ids: TokenIds, pad_id: int, device: torch.device
) -> npt.NDArray[np.float32]:
    """Logits (texts, labels) of the saved files in float32, loaded as anybody will load them."""
    with quiet():
        model = AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32)
    return model_logits(model, recipe, token_ids, pad_id, device)


def make_manifest(made: Finished, logits: npt.NDArray[np.float32] | None) -> Manifest:
    """Rules and figures from dev logits; fixed rules and no figures without them."""
    taxonomy = _own_set(made.labels)
    known = np.zeros(0, dtype=np.intp)
    truth = np.zeros((0, len(made.labels)), dtype=bool)
    if made.dev is not None and logits is not None:
        known = np.flatnonzero(made.dev.known.all(axis=1))
        truth, logits = made.dev.positives[known], logits[known]
    fits = made.recipe.decisions == "fitted" and len(known) >= MIN_TEXTS and logits is not None
    rules = _fitted(made, truth, logits) if fits and logits is not None else _fixed(made)
    metrics: dict[str, Any] = {"epochs": made.history}
    if len(known) and logits is not None and made.dev is not None:
        naming = Naming(made.name, made.dev.name, taxonomy)
        figures = measure(
            logits, truth, made.labels,
            rule=rules[taxonomy].rule, rule_saw_texts=fits, naming=naming, resampling=made.resampling,
        )  # fmt: skip
        metrics["dev"] = figures.figures()
    return Manifest(
        name=made.name,
        labels=made.labels,
        taxonomy=taxonomy,
        cleaning=made.recipe.cleaning,
        max_length=made.recipe.max_length,
        rules=rules,
        recipe={"encoder": made.encoder, **made.recipe.model_dump(mode="json")},
        metrics=metrics,
        data=_data(made),
    )


def _own_set(labels: tuple[str, ...]) -> str:
    return next((name for name, known in taxonomies_for(labels).items() if known.labels == labels), "custom")


def _fitted(made: Finished, truth: npt.NDArray[np.bool_], logits: npt.NDArray[np.float32]) -> dict[str, RuleRecord]:
    dev = made.dev.name if made.dev is not None else "dev"
    said = f"{len(truth):,} texts of '{dev}'"
    return fit_taxonomy_rules(logits, truth, made.labels, empty=made.recipe.empty, fitted_on=said)


def _fixed(made: Finished) -> dict[str, RuleRecord]:
    sets = {_own_set(made.labels): made.labels}
    sets |= {name: known.labels for name, known in taxonomies_for(made.labels).items() if name not in sets}
    rules = {}
    for name, labels in sets.items():
        plain = DecisionRule.default(len(labels), made.recipe.threshold)
        rules[name] = RuleRecord.of(labels, replace(plain, empty=made.recipe.empty))
    return rules


def _data(made: Finished) -> dict[str, Any]:
    sets = (("train", made.train), ("dev", made.dev), ("table", made.table))
    parts = {role: _facts(part) for role, part in sets if part is not None}
    return parts | ({"pool": {"texts": made.pool, "labelled_by": "teachers"}} if made.pool else {})


def _facts(part: Dataset) -> dict[str, Any]:
    return {"name": part.name, "texts": len(part), "sha256": part.fingerprint()}


def write(out: Path, staged: Path, manifest: Manifest) -> Manifest:
    """Write the model folder, whole or not at all, from staged files."""

    def fill(folder: Path) -> None:
        for file in staged.iterdir():
            try:
                os.link(file, folder / file.name)
            except OSError:
                shutil.copy2(file, folder / file.name)
        (folder / "README.md").write_text(model_card(manifest, CardFacts()), encoding="utf-8")

    return write_model_folder(out, manifest, fill)
