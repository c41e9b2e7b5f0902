"""The three questions that cost the model something: what is asked, as a model of the body, and how it is answered."""

import time
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel

from affekt.explanation import Explanation
from affekt.serving import answers
from affekt.serving.schemas import ClassifyRequest, ExplainRequest, PredictRequest
from affekt.serving.service import Service

Answering = Callable[[Service, str, Any], Awaitable[Any]]
"""(the service, who asks, the body) -> what becomes the answer's JSON."""


async def classify(service: Service, client: str, body: ClassifyRequest) -> dict[str, Any]:
    """The emotions of one text or many (:class:`~affekt.serving.schemas.ClassifyResponse`)."""
    started = time.perf_counter()
    texts, field = ([body.text], "text") if body.text is not None else (body.texts or [], "texts")
    service.check_count(texts, explain=body.explain)
    answer = service.answer(body.taxonomy, body.thresholds, body.top_k)
    predictions = await service.predict(client, texts, answer, truncate=body.truncate, field=field)
    explanations: list[Explanation | None] = [None] * len(texts)
    if body.explain:
        names = [list(prediction.emotions) or None for prediction in predictions]
        explanations = await service.explain_all(client, texts, body.taxonomy, names, field)
    return {
        "model": service.model_name,
        "taxonomy": body.taxonomy or service.taxonomy,
        "thresholds": answers.used(answer),
        "results": [
            answers.result(prediction, scores=body.scores, explanation=explanation)
            for prediction, explanation in zip(predictions, explanations, strict=True)
        ],
        "milliseconds": _since(started),
    }


async def explain(service: Service, client: str, body: ExplainRequest) -> dict[str, Any]:
    """Which words moved which emotion (:class:`~affekt.serving.schemas.ExplainResponse`)."""
    started = time.perf_counter()
    service.check_emotions(body.taxonomy, body.emotions)
    found = await service.explainer.explain(client, body.text, body.taxonomy, body.emotions, "text")
    return {
        "model": service.model_name,
        "taxonomy": body.taxonomy or service.taxonomy,
        "explanation": answers.explained(found),
        "milliseconds": _since(started),
    }


async def predict(service: Service, client: str, body: PredictRequest) -> list[Any]:
    """Every label's score, in the form of text-embeddings-inference and of Hugging Face endpoints."""
    service.check_count(body.texts, field="inputs")
    parameters = body.parameters
    raw = body.raw_scores or (parameters is not None and parameters.function_to_apply == "none")
    values = await service.values(client, body.texts, raw=raw, truncate=body.truncate, field="inputs")
    ranked = [answers.ranked(row, parameters.top_k if parameters else None) for row in values]
    return ranked[0] if isinstance(body.inputs, str) and parameters is None else ranked


QUESTIONS: Mapping[str, tuple[type[BaseModel], Answering]] = MappingProxyType(
    {
        "/v1/classify": (ClassifyRequest, classify),
        "/v1/explain": (ExplainRequest, explain),
        "/predict": (PredictRequest, predict),
    }
)
"""Path -> the body's model, and the function that answers."""


def _since(started: float) -> float:
    return round(1000 * (time.perf_counter() - started), 3)
