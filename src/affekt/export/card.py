"""The model card: ``README.md`` of a model folder, made from its manifest."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from affekt.export import card_text as text
from affekt.export.card_figures import evaluation_section, evaluations, hub_result, table
from affekt.model_folder import Manifest
from affekt.taxonomy import GOEMOTIONS

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?")


@dataclass(frozen=True)
class CardFacts:
    """What a card says that a manifest does not hold.

    Attributes:
        encoder: Hub id of the encoder that was fine-tuned; the recipe's ``encoder`` by default. Paths are left out.
        datasets: Hub ids or names of the data sets.
        licence: SPDX identifier of the weights.
        path: what the snippets load: a Hub id, or a path as readers will have it.
        intended: a paragraph on what the model is for, instead of the usual one.
    """

    encoder: str | None = None
    datasets: tuple[str, ...] = ()
    licence: str = "apache-2.0"
    path: str = "path/to/this/folder"
    intended: str = text.INTENDED


def model_card(manifest: Manifest, facts: CardFacts = CardFacts()) -> str:
    """The text of a model card: metadata for the Hub, then use, figures, data, recipe and limits for people.

    Args:
        manifest: of the model folder. Figures are read from its ``metrics``: one
            :meth:`~affekt.evaluation.results.Evaluation.figures`, or several by name.
        facts: what the manifest does not hold.
    """
    base = _hub_id(facts.encoder or manifest.recipe.get("encoder"))
    sections = {
        "Use": _use(manifest, facts),
        "Figures": "\n\n".join(evaluation_section(*item) for item in evaluations(manifest.metrics).items()),
        "Decisions": _decisions(manifest),
        "Data": _data(manifest, facts),
        "Recipe": _recipe(manifest, base),
        "Limits and ethics": _limits(manifest),
        "This folder": text.FOLDER,
    }
    parts = [_front_matter(manifest, facts, base), _head(manifest, facts, base)]
    parts += [f"## {title}\n\n{body.strip()}" for title, body in sections.items() if body.strip()]
    return "\n\n".join(parts) + "\n"


def _front_matter(manifest: Manifest, facts: CardFacts, base: str | None) -> str:
    """YAML between dashes; each value is written as JSON, which YAML contains."""
    results = [hub_result(*item) for item in evaluations(manifest.metrics).items()]
    entries: dict[str, Any] = {
        "license": facts.licence,
        "language": ["en"],
        "library_name": "transformers",
        "pipeline_tag": "text-classification",
        "tags": ["emotion", "emotion-classification", "multi-label", "affekt"],
        "base_model": base,
        "datasets": list(facts.datasets),
        "model-index": [{"name": manifest.name, "results": results}] if results else None,
    }
    lines = [f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in entries.items() if value]
    return "\n".join(["---", *lines, "---"])


def _head(manifest: Manifest, facts: CardFacts, base: str | None) -> str:
    start = f", fine-tuned from `{base}`" if base else ""
    return (
        f"# {manifest.name}\n\n"
        f"Finds the emotions in an English text: any number of {len(manifest.labels)} labels, each with a score. "
        f"A classifier{start}, made with affekt; version {manifest.version}.\n\n"
        f"{facts.intended}\n\n**Labels:** {', '.join(manifest.labels)}."
    )


def _use(manifest: Manifest, facts: CardFacts) -> str:
    calibration = manifest.rules[manifest.taxonomy].rule.calibration
    plain = set(calibration.slope) == {1.0} and set(calibration.intercept) == {0.0}
    advice = text.OWN_THRESHOLDS if manifest.rules[manifest.taxonomy].fitted_on else text.ONE_THRESHOLD
    scores = f"{text.SAME_SCORES if plain else text.CALIBRATED} {advice}"
    snippets = (text.AFFEKT_USE, text.TRANSFORMERS_USE, scores)
    return "\n\n".join(s.format(path=facts.path, max_length=manifest.max_length) for s in snippets)


def _decisions(manifest: Manifest) -> str:
    columns = ["label set", "labels", "thresholds", "if nothing passes", "fitted on"]
    rows = [
        [
            name, str(len(record.labels)), f"{min(record.thresholds):.2f} to {max(record.thresholds):.2f}",
            text.POLICIES[record.empty], record.fitted_on or "not fitted",
        ]
        for name, record in manifest.rules.items()
    ]  # fmt: skip
    return f"{text.DECISIONS}\n\n{table(columns, rows)}"


def _data(manifest: Manifest, facts: CardFacts) -> str:
    lines = [f"- {name}" for name in facts.datasets]
    return "\n".join(lines + [f"- {role}: {_fact(value)}" for role, value in manifest.data.items()])


def _recipe(manifest: Manifest, base: str | None) -> str:
    rows = [
        [f"`{key}`", f"`{json.dumps(value, ensure_ascii=False)}`"]
        for key, value in manifest.recipe.items()
        if key != "encoder"
    ]
    start = f"Fine-tuned from `{base}`." if base else ""
    return f"{start}\n\n{table(['setting', 'value'], rows)}" if rows else start


def _limits(manifest: Manifest) -> str:
    known = set(GOEMOTIONS).issuperset(manifest.labels)
    return text.LIMITS.format(max_length=manifest.max_length) + ("\n" + text.GOEMOTIONS_LIMITS if known else "")


def _hub_id(encoder: object) -> str | None:
    """The encoder's name if readers can find it; a path on some machine says nothing to them."""
    return encoder if isinstance(encoder, str) and _HUB_ID.fullmatch(encoder) else None


def _fact(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_fact(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(_fact, value))
    return f"{value:,}" if isinstance(value, int) else str(value)
