"""The OpenAPI document, made as precise as the model is: its label sets, its labels, its limits."""

from functools import cache
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from affekt.answering import label_sets
from affekt.serving.service import Service

DESCRIPTION = """Every error has the body `{"error": {"code", "message", "field"}}`. A text may have several emotions
or none. Scores are calibrated probabilities; an emotion is found where its score reaches its threshold."""


def openapi_route(app: FastAPI, service: Service, *, secured: bool) -> Route:
    """``/openapi.json``, made once and kept as bytes: it is open to everybody, so it must cost nothing to ask for.

    Args:
        app: whose routes are described.
        service: whose model and limits are described.
        secured: whether keys are needed.
    """

    @cache
    def content() -> bytes:
        document = get_openapi(
            title=app.title, version=app.version, summary=app.summary, description=DESCRIPTION, routes=app.routes
        )
        _narrow(document["components"]["schemas"], service)
        for unused in ("HTTPValidationError", "ValidationError"):
            document["components"]["schemas"].pop(unused, None)
        if secured:
            _secure(document)
        return to_json(document)

    async def openapi(_: Request) -> Response:
        return Response(content(), media_type="application/json")

    return Route("/openapi.json", openapi, methods=["GET"], include_in_schema=False)


def _narrow(schemas: dict[str, Any], service: Service) -> None:
    settings, manifest = service.settings, service.served.classifier.manifest
    names = list(label_sets(manifest))
    for schema in ("ClassifyRequest", "ExplainRequest"):
        _text_branch(schemas[schema]["properties"]["taxonomy"]).update(enum=names)
    texts = schemas["ClassifyRequest"]["properties"]["texts"]
    branch = next(part for part in texts["anyOf"] if part.get("type") == "array")
    branch["maxItems"] = settings.texts
    branch["items"]["maxLength"] = settings.text_chars
    _text_branch(schemas["ClassifyRequest"]["properties"]["text"])["maxLength"] = settings.text_chars
    schemas["ExplainRequest"]["properties"]["text"]["maxLength"] = settings.explain_chars


def _text_branch(schema: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = next(part for part in schema["anyOf"] if part.get("type") == "string")
    return found


def _secure(document: dict[str, Any]) -> None:
    document["components"]["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
    for path, item in document["paths"].items():
        if path not in ("/healthz", "/readyz"):
            for operation in item.values():
                operation["security"] = [{"key": []}]
