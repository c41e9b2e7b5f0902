"""From predictions to the JSON of the API."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import affekt
from affekt.answering import Answer, View, label_sets
from affekt.explanation import Explanation
from affekt.prediction import Prediction
from affekt.serving.served import FloatArray, ServedModel

DIGITS = 6
"""Scores are written with this many decimals; decisions are made before rounding."""

LIMITS = (
    "texts",
    "text_chars",
    "clean_chars",
    "request_tokens",
    "body_bytes",
    "explain_chars",
    "explain_texts",
    "rate",
    "burst",
)
"""Settings that clients are told."""


def result(prediction: Prediction, *, scores: bool, explanation: Explanation | None = None) -> dict[str, Any]:
    """The answer for one text (:class:`affekt.serving.schemas.Result`)."""
    values = prediction.scores
    found: dict[str, Any] = {
        "emotions": [{"label": label, "score": round(values[label], DIGITS)} for label in prediction.emotions],
        "windowed": prediction.windowed,
    }
    if scores:
        found["scores"] = {label: round(score, DIGITS) for label, score in values.items()}
    if explanation is not None:
        found["explanation"] = explained(explanation)
    return found


def explained(explanation: Explanation) -> dict[str, Any]:
    """An explanation without the text, which the client has."""
    found = explanation.to_dict()
    return {name: found[name] for name in ("method", "decided", "emotions")}


def thresholds(labels: Sequence[str], limits: Sequence[float] | FloatArray) -> dict[str, float]:
    """Label -> threshold."""
    return {label: round(float(limit), DIGITS) for label, limit in zip(labels, limits, strict=True)}


@lru_cache(maxsize=64)
def _used(labels: tuple[str, ...], limits: tuple[float, ...]) -> dict[str, float]:
    return thresholds(labels, limits)


def used(answer: Answer) -> dict[str, float] | None:
    """The thresholds that decided, None where ``top_k`` did."""
    return _used(answer.view.labels, tuple(map(float, answer.limits))) if answer.top_k is None else None


def ranked(values: Mapping[str, float], top_k: int | None) -> list[dict[str, Any]]:
    """Labels and scores, highest first, as the endpoints of Hugging Face give them."""
    order = sorted(values.items(), key=lambda entry: -entry[1])[:top_k]
    return [{"label": label, "score": round(score, DIGITS)} for label, score in order]


def model_name(served: ServedModel) -> dict[str, str]:
    """Which model answers."""
    manifest = served.classifier.manifest
    return {"name": manifest.name, "version": manifest.version}


def describe_model(served: ServedModel) -> dict[str, Any]:
    """``GET /v1/model`` (:class:`affekt.serving.schemas.ModelResponse`)."""
    manifest, settings = served.classifier.manifest, served.settings
    views = {name: View.of(manifest, name) for name in label_sets(manifest)}
    card = served.classifier.folder / "README.md"
    return {
        **model_name(served),
        "taxonomy": manifest.taxonomy,
        "label_sets": {
            name: {"labels": list(view.labels), "thresholds": thresholds(view.labels, view.rule.thresholds)}
            for name, view in views.items()
        },
        "max_tokens": manifest.max_length,
        "backend": served.classifier.backend.name,
        "metrics": manifest.metrics,
        "card": card.read_text(encoding="utf-8") if card.is_file() else "",
        "limits": {name: getattr(settings, name) for name in LIMITS},
        "affekt": affekt.__version__,
    }
