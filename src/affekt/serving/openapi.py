"""The OpenAPI document, made as precise as the model is: its label sets, its labels, its limits."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from affekt.answering import label_sets
from affekt.serving.service import Service

DESCRIPTION = """Every error has the body `{"error": {"code", "message", "field"}}`. A text may have several emotions
or none. Scores are calibrated probabilities; an emotion is found where its score reaches its threshold."""


def describe(app: FastAPI, service: Service, *, secured: bool) -> None:
    """Make ``app.openapi()`` say what this server, with this model, takes."""

    def openapi() -> dict[str, Any]:
        if not app.openapi_schema:
            document = get_openapi(
                title=app.title, version=app.version, summary=app.summary, description=DESCRIPTION, routes=app.routes
            )
            _narrow(document["components"]["schemas"], service)
            document["components"]["schemas"].pop("HTTPValidationError", None)
            document["components"]["schemas"].pop("ValidationError", None)
            if secured:
                _secure(document)
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


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
