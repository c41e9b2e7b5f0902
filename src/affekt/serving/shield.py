"""The outermost layer: every answer gets its headers, every error its body, every request its line in the log."""

import asyncio
import logging
import time

from affekt.errors import AffektError
from affekt.serving.bodies import ClientGone, Message, Receive
from affekt.serving.gate import OPEN, QUESTIONS, App, Scope, Send
from affekt.serving.logs import describe
from affekt.serving.metrics import Metrics
from affekt.serving.problems import Header, Problem, from_error, from_status
from affekt.serving.settings import Settings

LOG = logging.getLogger("affekt.serving")
ACCESS = logging.getLogger("affekt.access")

PAGE_POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
    b"form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
OTHER_POLICY = b"default-src 'none'; frame-ancestors 'none'"

HEADERS: list[Header] = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
]

KNOWN = QUESTIONS | OPEN | {"/v1/model", "/metrics"}


class Shield:
    """ASGI middleware around everything else.

    Args:
        app: what comes after.
        settings: limits.
        metrics: told of every answer.
    """

    def __init__(self, app: App, settings: Settings, metrics: Metrics) -> None:
        self._app, self._settings, self._metrics = app, settings, metrics
        origin = b"cross-origin" if settings.cors_origins else b"same-origin"
        common = [*HEADERS, (b"cross-origin-resource-policy", origin)]
        self._page = [*common, (b"content-security-policy", PAGE_POLICY)]
        self._other = [*common, (b"content-security-policy", OTHER_POLICY), (b"cache-control", b"no-store")]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, whatever happens."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path: str = scope["path"]
        answer = _Answer(send, self._page if path == "/" or path.startswith("/page/") else self._other)
        started = time.perf_counter()
        try:
            await self._answered(scope, receive, answer)
        except ClientGone:
            self._metrics.cancelled.inc()
        except asyncio.CancelledError:
            self._metrics.cancelled.inc()
            raise
        finally:
            self._record(scope, path, answer.status, time.perf_counter() - started)

    async def _answered(self, scope: Scope, receive: Receive, answer: "_Answer") -> None:
        try:
            async with asyncio.timeout(self._settings.request_seconds + self._settings.answer_seconds):
                await self._app(scope, receive, answer.send)
            return
        except Problem as found:
            problem = found
        except TimeoutError:
            problem = Problem(503, "timeout", "The answer took too long and was given up.", retry_after=1)
        except AffektError as error:
            problem = from_error(error)
        except ClientGone:
            raise
        except Exception as error:  # noqa: BLE001 -- whatever it is, the client gets a sentence and the log gets the place
            LOG.error("%s", describe(error))
            problem = from_status(500)
        if not answer.status:
            self._metrics.refused.labels(problem.code).inc()
            await answer.send({"type": "http.response.start", "status": problem.status, "headers": problem.headers})
            await answer.send({"type": "http.response.body", "body": problem.body})

    def _record(self, scope: Scope, path: str, status: int, seconds: float) -> None:
        known = path if path in KNOWN else "page" if path.startswith("/page/") else "other"
        self._metrics.answered(known, status, seconds)
        if ACCESS.isEnabledFor(logging.INFO):
            client = scope.get("state", {}).get("client", "-")
            ACCESS.info("%s %s %d %.1fms %s", scope["method"], known, status, 1000 * seconds, client)


class _Answer:
    """ASGI's ``send`` with headers added, and the status that went through it (0 so far)."""

    def __init__(self, send: Send, headers: list[Header]) -> None:
        self._send, self._headers, self.status = send, headers, 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message = {**message, "headers": [*message.get("headers", ()), *self._headers]}
        await self._send(message)
