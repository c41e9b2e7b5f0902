"""The gate: everything about a request that can be checked before the application sees it, cheapest first."""

import ipaddress
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from affekt.serving.bodies import BodyMemory, Message, Receive, check_json, read_body
from affekt.serving.keys import ApiKeys
from affekt.serving.problems import Problem
from affekt.serving.rates import RateLimiter
from affekt.serving.settings import Settings

Scope = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Admit = Callable[[str, int], None]

QUESTIONS = frozenset({"/v1/classify", "/v1/explain", "/predict"})
"""Paths that take a body and cost the model something."""

OPEN = frozenset({"/", "/healthz", "/readyz", "/openapi.json"})
"""Paths that need no key and count against no rate, with everything under ``/page/``."""

CHARS_PER_TOKEN = 5


class Gate:
    """ASGI middleware: host, key, rate, load, headers, then the body, all before anything is parsed.

    Args:
        app: what comes after.
        settings: limits.
        keys: who may come in; everybody if there are none.
        rates: the rate limiter.
        admit: raises a :class:`Problem` if a client's request of so many tokens could not be answered in time.
    """

    def __init__(self, app: App, settings: Settings, keys: ApiKeys, rates: RateLimiter, admit: Admit) -> None:
        self._app, self._settings, self._keys, self._rates, self._admit = app, settings, keys, rates, admit
        self._memory = BodyMemory(settings.bodies_bytes)
        self._hosts = frozenset(host.lower() for host in settings.allowed_hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through or raise a :class:`Problem`."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers: dict[bytes, bytes] = dict(scope["headers"])
        path: str = scope["path"]
        self._check_host(headers)
        if path not in OPEN and not path.startswith("/page/"):
            client = self._client(scope, headers)
            scope.setdefault("state", {})["client"] = client
            self._check_rate(client)
            if path in QUESTIONS and scope["method"] == "POST":
                await self._question(scope, receive, send, headers)
                return
        await self._app(scope, _nothing, send)

    async def _question(self, scope: Scope, receive: Receive, send: Send, headers: dict[bytes, bytes]) -> None:
        length = _content_length(headers)
        _check_type(headers)
        self._admit(scope["state"]["client"], length // CHARS_PER_TOKEN)
        body = await read_body(receive, length, self._settings.body_bytes, self._settings.request_seconds, self._memory)
        try:
            check_json(body, self._settings.json_depth, self._settings.json_values)
            await self._app(scope, _replay(bytes(body)), send)
        finally:
            self._memory.give(len(body))

    def _check_host(self, headers: dict[bytes, bytes]) -> None:
        if not self._hosts:
            return
        host = headers.get(b"host", b"").decode("latin-1").lower()
        if host.rpartition(":")[0] not in self._hosts and host not in self._hosts:
            raise Problem(421, "wrong-host", "This server does not answer under that name.", field="Host")

    def _client(self, scope: Scope, headers: dict[bytes, bytes]) -> str:
        """Who asks: the key's holder, or else the address."""
        if not len(self._keys):
            return address(scope)
        scheme, _, key = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
        if scheme.lower() != "bearer":
            key = headers.get(b"x-api-key", b"").decode("latin-1")
        if not key:
            self._check_rate(address(scope))
            raise Problem(401, "unauthorized", "Send an API key as 'Authorization: Bearer KEY'.", field="Authorization")
        client = self._keys.client(key.strip())
        if client is None:
            self._check_rate(address(scope))
            raise Problem(401, "unauthorized", "The API key is not known.", field="Authorization")
        return client

    def _check_rate(self, client: str) -> None:
        seconds = self._rates.take(client)
        if seconds:
            raise Problem(429, "rate-limited", "Too many requests from you; come again.", retry_after=seconds)


def address(scope: Scope) -> str:
    """The network that a request comes from: the address, or for IPv6 the /64 that one subscriber gets."""
    client = scope.get("client")
    if not client:
        return "unknown"
    host = str(client[0])
    if ":" not in host:
        return host
    try:
        found = ipaddress.IPv6Address(host.partition("%")[0])
    except ValueError:
        return host[:64]
    return str(found.ipv4_mapped or ipaddress.IPv6Network((found, 64), strict=False))


def _content_length(headers: dict[bytes, bytes]) -> int:
    value = headers.get(b"content-length", b"0")
    if not value.isdigit() or len(value) > 18:
        raise Problem(400, "bad-request", "The Content-Length is not a number.", field="Content-Length")
    return int(value)


def _check_type(headers: dict[bytes, bytes]) -> None:
    coding = headers.get(b"content-encoding", b"identity").strip().lower()
    if coding != b"identity" or headers.get(b"transfer-encoding", b"chunked").strip().lower() != b"chunked":
        raise Problem(415, "compressed", "Bodies are taken uncompressed only.", field="Content-Encoding")
    kind, _, rest = headers.get(b"content-type", b"").lower().partition(b";")
    charset = rest.replace(b" ", b"").replace(b'"', b"").partition(b"charset=")[2].partition(b";")[0]
    if kind.strip() != b"application/json" or charset not in (b"", b"utf-8", b"utf8"):
        raise Problem(
            415, "unsupported-media-type", "Send the body as 'Content-Type: application/json'.", field="Content-Type"
        )


def _replay(body: bytes) -> Receive:
    """An ASGI ``receive`` that gives a body already read, then never returns (the connection watches the client)."""
    messages = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def receive() -> Message:
        return next(messages, {"type": "http.disconnect"})

    return receive


async def _nothing() -> Message:
    """An ASGI ``receive`` for requests whose bodies nobody reads."""
    return {"type": "http.request", "body": b"", "more_body": False}
