"""The application: routes, page and middleware, put together for one classifier."""

import contextlib
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request

import affekt
from affekt.classifier import EmotionClassifier
from affekt.errors import AffektError
from affekt.serving.gate import Gate
from affekt.serving.keys import ApiKeys
from affekt.serving.metrics import Metrics
from affekt.serving.openapi import openapi_route
from affekt.serving.page import page_routes
from affekt.serving.problems import Problem, from_error, from_status, from_validation
from affekt.serving.rates import RateLimiter
from affekt.serving.routes import router
from affekt.serving.service import Service
from affekt.serving.settings import Settings
from affekt.serving.shield import Shield
from affekt.serving.shortcut import Shortcut


def create_app(
    classifier: EmotionClassifier,
    settings: Settings | None = None,
    keys: ApiKeys | None = None,
    *,
    metrics_folder: Path | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> FastAPI:
    """The server as an ASGI application.

    Args:
        classifier: the model that answers.
        settings: limits and switches.
        keys: API keys; none by default, so that everybody who reaches the server may ask.
        metrics_folder: where several processes share their counters.
        clock: seconds, for the rate limits.
    """
    settings = settings or Settings()
    metrics = Metrics(metrics_folder)
    service = Service(classifier, settings, metrics)
    rates = RateLimiter(settings.rate, settings.burst, settings.clients, clock)
    app = FastAPI(
        title="affekt",
        version=affekt.__version__,
        summary="Finds the emotions in English texts: any number at once, each with a calibrated score.",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan,
        middleware=[
            *_cors(settings),
            Middleware(Shield, settings=settings, metrics=metrics),
            Middleware(Gate, settings=settings, keys=keys or ApiKeys(), rates=rates, admit=service.admit),
            Middleware(Shortcut, service=service),
        ],
        exception_handlers=HANDLERS,
        redirect_slashes=False,
    )
    app.state.service = service
    app.include_router(router)
    app.router.routes.extend(page_routes() if settings.page else ())
    app.router.routes.append(openapi_route(app, service, secured=bool(keys)))
    return app


@contextlib.asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    service: Service = app.state.service
    await service.start()
    try:
        yield
    finally:
        await service.stop()


def _cors(settings: Settings) -> list[Middleware]:
    if not settings.cors_origins:
        return []
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=list(settings.cors_origins),
            allow_methods=["GET", "POST"],
            allow_headers=["authorization", "content-type", "x-api-key"],
        )
    ]


def _answer(problem: Problem) -> Response:
    headers = {name.decode(): value.decode() for name, value in problem.headers}
    return Response(problem.body, problem.status, headers)


async def _on_problem(_: Request, error: Any) -> Response:
    return _answer(error)


async def _on_validation(_: Request, error: Any) -> Response:
    found = error.errors()
    if any(entry["type"] == "json_invalid" for entry in found):
        return _answer(Problem(400, "bad-json", "The body is not valid JSON."))
    return _answer(from_validation([{**entry, "loc": entry["loc"][1:]} for entry in found], error.body))


async def _on_http(_: Request, error: Any) -> Response:
    answer = _answer(from_status(error.status_code, "" if error.status_code >= 500 else str(error.detail)))
    answer.headers.update(error.headers or {})
    return answer


async def _on_affekt(_: Request, error: Any) -> Response:
    return _answer(from_error(error))


HANDLERS: dict[int | type[Exception], Any] = {
    Problem: _on_problem,
    RequestValidationError: _on_validation,
    HTTPException: _on_http,
    AffektError: _on_affekt,
}
