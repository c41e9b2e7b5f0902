"""Connections under guard: uvicorn's HTTP protocol, with limits on what a client may make the server hold or wait for.

uvicorn waits as long as it takes for a request to arrive and reads headers of any size. Here a connection that does not
deliver a whole request in time is closed, whatever it has sent; heads and bodies are counted as they come in; and when
all connections are taken, the one that has waited longest for its next request makes room for a new one, so that idle
connections, however many, keep nobody out.
"""

import asyncio
import logging
import sys
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from affekt.serving.problems import Problem
from affekt.serving.settings import Settings

QUIET = logging.getLogger("affekt.protocol")
QUIET.setLevel(logging.ERROR)

SWEEP = 0.5
"""Seconds between two looks at the connections that wait."""

CHUNKING = 4
"""A body sent in chunks may take this many times its size on the wire."""


class Guard:
    """The connections of one server.

    Two dictionaries hold the connections that the server waits for, each in order of time, so that only their fronts
    are ever looked at: those that owe a request, and those that have had an answer and may ask again.

    Attributes:
        settings: limits.
        open: connections now.
        closed_for_time: connections closed because no whole request arrived in time.
        evicted: connections closed to make room.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.open: set[GuardedProtocol] = set()
        self.closed_for_time = 0
        self.evicted = 0
        self._owing: dict[GuardedProtocol, float] = {}
        self._resting: dict[GuardedProtocol, float] = {}
        self._sweeper: asyncio.TimerHandle | None = None

    def protocol(self, **rest: Any) -> "GuardedProtocol":
        """A new connection, as uvicorn asks for it."""
        return GuardedProtocol(self, **rest)

    def admit(self, connection: "GuardedProtocol") -> bool:
        """Count a new connection in; False if every connection is busy."""
        if len(self.open) >= self.settings.connections and not self._evict():
            return False
        self.open.add(connection)
        self.owes(connection)
        if self._sweeper is None:
            self._sweeper = connection.loop.call_later(SWEEP, self._sweep, connection.loop)
        return True

    def owes(self, connection: "GuardedProtocol") -> None:
        """A connection's time to deliver a request begins now."""
        self.busy(connection)
        self._owing[connection] = connection.loop.time()

    def rests(self, connection: "GuardedProtocol") -> None:
        """A connection has had its answer and is kept for the next request."""
        self.busy(connection)
        self._resting[connection] = connection.loop.time()

    def busy(self, connection: "GuardedProtocol") -> None:
        """A connection has delivered its request."""
        self._owing.pop(connection, None)
        self._resting.pop(connection, None)

    def gone(self, connection: "GuardedProtocol") -> None:
        """A connection is closed."""
        self.open.discard(connection)
        self.busy(connection)

    def _evict(self) -> bool:
        fronts = [next(iter(waiting.items()), None) for waiting in (self._owing, self._resting)]
        longest = min((front for front in fronts if front is not None), key=lambda front: front[1], default=None)
        if longest is None:
            return False
        self.evicted += 1
        longest[0].transport.abort()
        self.gone(longest[0])
        return True

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        self._close(self._owing, now - self.settings.request_seconds)
        self._close(self._resting, now - self.settings.keep_alive_seconds)
        self._sweeper = loop.call_later(SWEEP, self._sweep, loop) if self.open else None

    def _close(self, waiting: dict["GuardedProtocol", float], limit: float) -> None:
        for connection, since in list(waiting.items()):
            if since > limit:
                return
            if connection.time_is_up():
                self.closed_for_time += 1
                waiting.pop(connection, None)
            else:
                self.owes(connection)


class GuardedProtocol(HttpToolsProtocol):
    """One connection.

    Args:
        guard: the server's.
        rest: what uvicorn gives a protocol.
    """

    def __init__(self, guard: Guard, **rest: Any) -> None:
        super().__init__(**rest)
        self.guard = guard
        self.logger = QUIET  # uvicorn would write a line for every malformed request
        self._inner, self.app = self.app, self._watched
        self._request: asyncio.Task[Any] | None = None
        self._in_head = False
        self._in_request = False
        self._head_bytes = 0
        self._wire_bytes = 0

    async def _watched(self, scope: Any, receive: Any, send: Any) -> None:
        """The application, in a task that ends when the client goes."""
        self._request = asyncio.current_task()
        try:
            await self._inner(scope, receive, send)
        except asyncio.CancelledError:
            if not self.transport.is_closing():
                raise

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take the connection in, or answer 503 at once."""
        super().connection_made(transport)
        if not self.guard.admit(self):
            self._refuse(Problem(503, "too-many-connections", "All connections are in use.", retry_after=1))

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop working for a client that is gone."""
        self.guard.gone(self)
        super().connection_lost(exc)
        if self._request is not None and not self._request.done():
            self._request.cancel()

    def data_received(self, data: bytes) -> None:
        """Parse, and count what does not end in a whole request."""
        if self.transport.is_closing():
            return
        self._wire_bytes += len(data)
        super().data_received(data)
        if not self._in_request or self.transport.is_closing():
            return
        settings = self.guard.settings
        if self._in_head and self._wire_bytes > settings.header_bytes + settings.url_bytes:
            sentence = f"The headers are longer than {settings.header_bytes} bytes."
            self._refuse(Problem(431, "headers-too-large", sentence))
        elif self._wire_bytes > settings.header_bytes + CHUNKING * settings.body_bytes:
            self._refuse(Problem(413, "too-large", f"The body is larger than {settings.body_bytes} bytes."))

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._in_request = self._in_head = True
        self._head_bytes = 0
        self.guard.owes(self)

    def on_url(self, url: bytes) -> None:
        """Part of the request's target."""
        super().on_url(url)
        if len(self.url) > self.guard.settings.url_bytes:
            raise Problem(414, "url-too-long", f"The path is longer than {self.guard.settings.url_bytes} bytes.")

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header; trailers after the body are dropped."""
        if not self._in_head:
            return
        self._head_bytes += len(name) + len(value) + 4
        settings = self.guard.settings
        if len(self.headers) >= settings.headers or self._head_bytes > settings.header_bytes:
            limits = f"{settings.headers} headers or {settings.header_bytes} bytes"
            raise Problem(431, "headers-too-large", f"The head of the request has more than {limits}.")
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is there: the application starts, or the request waits behind those before it."""
        self._in_head = False
        if len(self.pipeline) >= self.guard.settings.pipelined:
            raise Problem(400, "bad-request", "Too many requests were sent ahead of their answers.")
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The whole request is there."""
        self._in_request = False
        self._wire_bytes = 0
        super().on_message_complete()
        if self.cycle.response_complete:
            self.guard.rests(self)
        else:
            self.guard.busy(self)

    def on_response_complete(self) -> None:
        """The answer is written: the wait for the client to take it, and to ask again, begins."""
        super().on_response_complete()
        if not self.pipeline and not self._in_request:
            self.guard.rests(self)

    def time_is_up(self) -> bool:
        """Close a connection that has waited too long; False if it is the server that makes it wait."""
        if self.transport.is_closing() or self.transport.get_write_buffer_size():
            self.transport.abort()
        elif not self._in_request:
            self.transport.close()
        elif self.pipeline or (self._answering and not self.cycle.more_body):
            return False
        else:
            seconds = self.guard.settings.request_seconds
            self._refuse(Problem(408, "timeout", f"The request did not arrive within {seconds:g} seconds."))
        return True

    @property
    def _answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002
        """The answer to what is not HTTP, or not within the limits, in the form of every other error."""
        cause = getattr(sys.exception(), "__context__", None)
        self._refuse(cause if isinstance(cause, Problem) else Problem(400, "bad-request", "This is not valid HTTP."))

    def _unsupported_upgrade_warning(self) -> None:
        """Upgrades are ignored, as HTTP allows, without a line in the log for each."""

    def _refuse(self, problem: Problem) -> None:
        """Write an error past the application, unless an answer is already on its way, and close."""
        if not (self._answering and self.cycle.response_started):
            head = [STATUS_LINE[problem.status], b"connection: close\r\n"]
            head += [b"%s: %s\r\n" % header for header in problem.headers]
            self.transport.write(b"".join([*head, b"\r\n", problem.body]))
        self.transport.close()
