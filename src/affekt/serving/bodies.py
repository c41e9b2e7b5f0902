"""Bodies of requests: counted while they come in, and looked at before anything parses them."""

import asyncio
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from affekt.serving.problems import Problem

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]

_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_NOT_STRUCTURE = bytes(set(range(256)) - set(b"[]{},"))
_ONE_KIND = bytes.maketrans(b"{}", b"[]")


class ClientGone(Exception):  # noqa: N818
    """The client closed the connection before its request was whole."""


class BodyMemory:
    """The bytes that all bodies together may hold at one time.

    Args:
        most: that many.
    """

    def __init__(self, most: int) -> None:
        self._most, self.held = most, 0

    def take(self, size: int) -> None:
        """Count bytes in.

        Raises:
            Problem: 503 if there is no room.
        """
        if self.held + size > self._most:
            raise Problem(503, "busy", "Too many large requests are arriving at once; come again.", retry_after=1)
        self.held += size

    def give(self, size: int) -> None:
        """Count them out again."""
        self.held -= size


async def read_body(receive: Receive, announced: int, limit: int, seconds: float, memory: BodyMemory) -> bytearray:
    """A request's body; its size stays counted in ``memory`` until the caller gives it back.

    Args:
        receive: ASGI's.
        announced: the Content-Length, 0 if there is none.
        limit: most bytes.
        seconds: time for all of it to arrive.
        memory: shared by all requests.

    Raises:
        Problem: 413 if it is too large, 408 if it comes too slowly, 503 if too many are coming in.
        ClientGone: if it never comes.
    """
    if announced > limit:
        raise _too_large(limit)
    body = bytearray()
    try:
        async with asyncio.timeout(seconds):
            while await _read_piece(receive, body, limit, memory):
                pass
    except TimeoutError:
        memory.give(len(body))
        raise Problem(408, "timeout", f"The body did not arrive within {seconds:g} seconds.") from None
    except BaseException:
        memory.give(len(body))
        raise
    return body


async def _read_piece(receive: Receive, body: bytearray, limit: int, memory: BodyMemory) -> bool:
    """Append the next piece; whether more will come."""
    message = await receive()
    if message["type"] == "http.disconnect":
        raise ClientGone
    piece = message.get("body", b"")
    if len(body) + len(piece) > limit:
        raise _too_large(limit)
    memory.take(len(piece))
    body += piece
    return bool(message.get("more_body", False))


def check_json(body: bytes | bytearray, depth: int, values: int) -> None:
    """Refuse what a JSON parser should not even begin with; linear in the body's length.

    Strings are cut out, then everything but commas and brackets (of either kind). Commas bound the values: half a
    megabyte of ``0,0,0`` would keep the parser and the model of the body busy for a minute with a quarter of a million
    mistakes. Then each round takes out the innermost pairs of brackets, so that what is left after ``depth`` rounds is
    nested deeper or not balanced.

    Args:
        body: as sent.
        depth: deepest nesting.
        values: most values, the members of every list and object counted.

    Raises:
        Problem: 400, or 422 if there are too many values.
    """
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        raise Problem(400, "bad-json", "The body is not UTF-8.") from None
    if 0 in body:
        raise Problem(400, "bad-json", "The body is not valid JSON.")
    brackets = _STRING.sub(b"", body).translate(_ONE_KIND, _NOT_STRUCTURE)
    if brackets.count(b",") >= values:
        raise Problem(422, "too-many-values", f"The body holds more than {values} values; send fewer texts at once.")
    brackets = brackets.replace(b",", b"")
    for _ in range(depth):
        brackets = brackets.replace(b"[]", b"")
    if brackets:
        raise Problem(400, "bad-json", f"The body is not valid JSON, or is nested deeper than {depth} levels.")


def _too_large(limit: int) -> Problem:
    return Problem(413, "too-large", f"The body is larger than {limit} bytes.")
