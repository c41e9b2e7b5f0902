"""The OpenAPI document, made as precise as the model is: its label sets, its labels, its limits."""

from collections.abc import Callable
from functools import cache
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from affekt.answering import View, label_sets
from affekt.serving.service import Service

DESCRIPTION = """Every error has the body `{"error": {"code", "message", "field"}}`. A text may have several emotions
or none. Scores are calibrated probabilities; an emotion is found where its score reaches its threshold."""

Schema = dict[str, Any]
NUMBER: Schema = {"type": "integer"}
GIVEN: Schema = {"not": {"type": "null"}}


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
    """Say in the schemas what pydantic cannot know: this model's label sets and labels, and this server's limits."""
    settings, manifest = service.settings, service.served.classifier.manifest
    sets = {name: list(View.of(manifest, name).labels) for name in label_sets(manifest)}
    classify, explain = schemas["ClassifyRequest"], schemas["ExplainRequest"]
    for schema in (classify, explain):
        _branch(schema["properties"]["taxonomy"], "string").update(enum=list(sets))
    _limit_texts(classify["properties"]["texts"], settings.texts, settings.text_chars)
    _branch(classify["properties"]["text"], "string").update(maxLength=settings.text_chars)
    _limit_texts(schemas["PredictRequest"]["properties"]["inputs"], settings.texts, settings.text_chars)
    explain["properties"]["text"].update(maxLength=settings.explain_chars)
    classify["not"] = {"required": ["top_k", "thresholds"], "properties": {"top_k": NUMBER, "thresholds": GIVEN}}
    few = {"maxItems": settings.explain_texts, "items": {"maxLength": settings.explain_chars}}
    classify["allOf"] = [
        _where("explain", {"const": True}, {"texts": few, "text": {"maxLength": settings.explain_chars}}),
        *_by_set(sets, manifest.taxonomy, lambda labels: {"thresholds": {"propertyNames": {"enum": labels}}}),
    ]
    explain["allOf"] = _by_set(sets, manifest.taxonomy, lambda labels: {"emotions": {"items": {"enum": labels}}})


def _by_set(sets: dict[str, list[str]], own: str, narrowed: Callable[[list[str]], Schema]) -> list[Schema]:
    """Which labels may be named depends on the label set that is asked for."""
    asked = [_where("taxonomy", {"const": name}, narrowed(labels)) for name, labels in sets.items()]
    unsaid = {"properties": {"taxonomy": {"type": "null"}}}
    return [*asked, {"if": unsaid, "then": {"properties": narrowed(sets[own])}}]


def _where(name: str, value: Schema, narrowed: Schema) -> Schema:
    return {"if": {"required": [name], "properties": {name: value}}, "then": {"properties": narrowed}}


def _limit_texts(schema: Schema, most: int, characters: int) -> None:
    """Bound every list in a choice of schemas, and every text in it or beside it."""
    for part in schema["anyOf"]:
        if part.get("type") == "array":
            part["maxItems"] = most
            inner = part["items"].get("items", part["items"])
            inner["maxLength"] = characters
        elif part.get("type") == "string":
            part["maxLength"] = characters


def _branch(schema: Schema, kind: str) -> Schema:
    found: Schema = next(part for part in schema["anyOf"] if part.get("type") == kind)
    return found


def _secure(document: dict[str, Any]) -> None:
    document["components"]["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
    for path, item in document["paths"].items():
        if path not in ("/healthz", "/readyz"):
            for operation in item.values():
                operation["security"] = [{"key": []}]
