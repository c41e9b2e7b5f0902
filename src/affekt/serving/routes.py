"""The paths of the API; each does nothing but ask, and write down what it is told."""

import time
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import Response
from pydantic_core import to_json

from affekt.explanation import Explanation
from affekt.serving import answers
from affekt.serving.problems import Problem
from affekt.serving.schemas import (
    ClassifyRequest,
    ClassifyResponse,
    ErrorResponse,
    ExplainRequest,
    ExplainResponse,
    Health,
    LabelScore,
    ModelResponse,
    PredictRequest,
)
from affekt.serving.service import Service

ERRORS: dict[int | str, dict[str, Any]] = {
    400: {"model": ErrorResponse, "description": "The body is not JSON, or is nested too deep."},
    401: {"model": ErrorResponse, "description": "An API key is needed."},
    408: {"model": ErrorResponse, "description": "The request did not arrive in time."},
    413: {"model": ErrorResponse, "description": "The body is too large, or its texts have too many tokens."},
    415: {"model": ErrorResponse, "description": "The body is compressed or is not sent as JSON."},
    422: {"model": ErrorResponse, "description": "A field is wrong; `field` names it."},
    429: {"model": ErrorResponse, "description": "Too much at once; `Retry-After` says when to come again."},
    503: {"model": ErrorResponse, "description": "The server is stopping, or took too long."},
}

Ranked = list[LabelScore] | list[list[LabelScore]]

router = APIRouter()


@router.post("/v1/classify", response_model=ClassifyResponse, responses=ERRORS, tags=["emotions"])
async def classify(body: ClassifyRequest, request: Request) -> Response:
    """Find the emotions in one text or many."""
    started = time.perf_counter()
    service, client = _of(request)
    texts, field = ([body.text], "text") if body.text is not None else (body.texts or [], "texts")
    service.check_count(texts, explain=body.explain)
    answer = service.answer(body.taxonomy, body.thresholds, body.top_k)
    predictions = await service.predict(client, texts, answer, truncate=body.truncate, field=field)
    explanations: list[Explanation | None] = [None] * len(texts)
    if body.explain:
        names = [list(prediction.emotions) or None for prediction in predictions]
        explanations = await service.explain_all(client, texts, body.taxonomy, names, field)
    return _json(
        {
            "model": service.model_name,
            "taxonomy": body.taxonomy or service.served.classifier.manifest.taxonomy,
            "thresholds": answers.used(answer),
            "results": [
                answers.result(prediction, scores=body.scores, explanation=explanation)
                for prediction, explanation in zip(predictions, explanations, strict=True)
            ],
            "milliseconds": _since(started),
        }
    )


@router.post("/v1/explain", response_model=ExplainResponse, responses=ERRORS, tags=["emotions"])
async def explain(body: ExplainRequest, request: Request) -> Response:
    """Say which words moved which emotion of a text."""
    started = time.perf_counter()
    service, client = _of(request)
    service.check_emotions(body.taxonomy, body.emotions)
    found = await service.explainer.explain(client, body.text, body.taxonomy, body.emotions, "text")
    return _json(
        {
            "model": service.model_name,
            "taxonomy": body.taxonomy or service.served.classifier.manifest.taxonomy,
            "explanation": answers.explained(found),
            "milliseconds": _since(started),
        }
    )


@router.post("/predict", response_model=Ranked, responses=ERRORS, tags=["compatible"])
async def predict(body: PredictRequest, request: Request) -> Response:
    """Every label's score, as clients of text-embeddings-inference and of Hugging Face endpoints expect it."""
    service, client = _of(request)
    service.check_count(body.texts, field="inputs")
    parameters = body.parameters
    raw = body.raw_scores or (parameters is not None and parameters.function_to_apply == "none")
    values = await service.values(client, body.texts, raw=raw, truncate=body.truncate, field="inputs")
    ranked = [answers.ranked(row, parameters.top_k if parameters else None) for row in values]
    return _json(ranked[0] if isinstance(body.inputs, str) and parameters is None else ranked)


@router.get("/v1/model", response_model=ModelResponse, responses={401: ERRORS[401], 429: ERRORS[429]}, tags=["server"])
async def model(request: Request) -> Response:
    """The model: its label sets, thresholds, figures and card; and the limits of this server."""
    return Response(_of(request)[0].model_description, media_type="application/json")


@router.get("/healthz", response_model=Health, tags=["server"])
async def healthz() -> Response:
    """Whether the process lives."""
    return _json({"status": "alive"})


@router.get("/readyz", response_model=Health, responses={503: ERRORS[503]}, tags=["server"])
async def readyz(request: Request) -> Response:
    """Whether requests will be answered: the model is warm, not stuck, and the server is not about to stop."""
    service: Service = request.app.state.service
    reason = service.not_ready()
    if reason:
        raise Problem(503, "not-ready", reason, retry_after=1)
    return _json({"status": "ready"})


@router.get("/metrics", response_class=Response, responses={401: ERRORS[401], 429: ERRORS[429]}, tags=["server"])
async def metrics(request: Request) -> Response:
    """Counters in Prometheus' text format."""
    return Response(_of(request)[0].metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")


def _of(request: Request) -> tuple[Service, str]:
    app: FastAPI = request.app
    return app.state.service, request.scope.get("state", {}).get("client", "unknown")


def _json(content: Any) -> Response:
    return Response(to_json(content), media_type="application/json")


def _since(started: float) -> float:
    return round(1000 * (time.perf_counter() - started), 3)
