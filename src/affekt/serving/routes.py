"""The paths of the API, as FastAPI documents them."""

from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import Response
from pydantic_core import to_json

from affekt.serving import questions
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
    return _json(await questions.classify(*_of(request), body))


@router.post("/v1/explain", response_model=ExplainResponse, responses=ERRORS, tags=["emotions"])
async def explain(body: ExplainRequest, request: Request) -> Response:
    """Say which words moved which emotion of a text."""
    return _json(await questions.explain(*_of(request), body))


@router.post("/predict", response_model=Ranked, responses=ERRORS, tags=["compatible"])
async def predict(body: PredictRequest, request: Request) -> Response:
    """Every label's score, as clients of text-embeddings-inference and of Hugging Face endpoints expect it."""
    return _json(await questions.predict(*_of(request), body))


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
