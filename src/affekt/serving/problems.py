"""What a client gets when something is wrong: the same body for every error, with a code, a sentence and the field."""

import json
from collections.abc import Sequence
from typing import Any

from affekt.errors import AffektError

Header = tuple[bytes, bytes]


class Problem(Exception):  # noqa: N818 -- the word that HTTP uses (RFC 9457)
    """An answer that is not the one asked for.

    Args:
        status: HTTP status.
        code: stable word for programs.
        message: one sentence for people; never an internal detail.
        field: the part of the request that is wrong, e.g. ``texts.3``.
        retry_after: seconds after which it is worth trying again.
    """

    def __init__(
        self, status: int, code: str, message: str, *, field: str | None = None, retry_after: int | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.field, self.retry_after = status, code, message, field, retry_after

    @property
    def body(self) -> bytes:
        """The JSON body."""
        return problem_body(self.code, self.message, self.field)

    @property
    def headers(self) -> list[Header]:
        """Headers that belong to it."""
        found = [(b"content-type", b"application/json"), (b"content-length", str(len(self.body)).encode())]
        if self.retry_after is not None:
            found.append((b"retry-after", str(self.retry_after).encode()))
        if self.status == 401:
            found.append((b"www-authenticate", b"Bearer"))
        return found


def problem_body(code: str, message: str, field: str | None = None) -> bytes:
    """The JSON body of an error."""
    return json.dumps({"error": {"code": code, "message": message, "field": field}}).encode()


STATUS_CODES = {
    400: "bad-request",
    401: "unauthorized",
    403: "forbidden",
    404: "not-found",
    405: "method-not-allowed",
    408: "timeout",
    413: "too-large",
    415: "unsupported-media-type",
    421: "wrong-host",
    422: "invalid",
    429: "overloaded",
    431: "headers-too-large",
    500: "internal",
    503: "unavailable",
}
"""Code of an error about which only the status is known."""

LONGEST_FIELD = 100
"""Characters of a field's name that are repeated to the client."""

LONGEST_MESSAGE = 400
"""Characters of a sentence that may name what the client sent."""


def shortened(sentence: str, most: int = LONGEST_MESSAGE) -> str:
    """A sentence that cannot be made long by what it quotes."""
    return sentence if len(sentence) <= most else f"{sentence[: most - 1]}…"


SENTENCES = {
    404: "There is nothing at this path; GET /openapi.json lists what there is.",
    405: "This path does not take this method; GET /openapi.json lists what there is.",
    500: "Something went wrong on the server; the request was not at fault.",
}


def from_status(status: int, detail: str = "") -> Problem:
    """The problem for a bare HTTP status."""
    code = STATUS_CODES.get(status, "error")
    return Problem(status, code, SENTENCES.get(status, detail or "The request cannot be answered."))


def from_validation(errors: Sequence[Any], body: Any) -> Problem:
    """The problem for pydantic's errors: the one that lies deepest in the body, because it knows most.

    What the client sent is not repeated, except the names of fields.
    """
    if not isinstance(body, dict):
        return Problem(422, "invalid", "The body must be a JSON object.")
    paths = [_path(error, body) for error in errors]
    deepest = max(range(len(errors)), key=lambda index: len(paths[index]))
    message = str(errors[deepest]["msg"]).removeprefix("Value error, ").rstrip(".")
    field = ".".join(map(str, paths[deepest]))[:LONGEST_FIELD]
    return Problem(422, "invalid", f"{message}.", field=field or None)


def _path(error: Any, body: Any) -> list[Any]:
    """The parts of an error's location that are in the body (others name alternatives), or that it lacks."""
    path = []
    for part in error["loc"]:
        if (isinstance(body, dict) and part in body) or (isinstance(body, list) and part in range(len(body))):
            body = body[part]
            path.append(part)
    return [*path, error["loc"][-1]] if error["type"] == "missing" else path


def from_error(error: AffektError) -> Problem:
    """The problem for a mistake that the model's own checks found; their sentence names the parameter."""
    return Problem(422, error.code, shortened(str(error))) if error.code in ("setting", "data") else from_status(500)
