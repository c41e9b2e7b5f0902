"""What a client gets when something is wrong: the same body for every error, with a code, a sentence and the field."""

import json
from collections.abc import Sequence
from typing import Any

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

SENTENCES = {
    404: "There is nothing at this path; GET /openapi.json lists what there is.",
    405: "This path does not take this method; GET /openapi.json lists what there is.",
    500: "Something went wrong on the server; the request was not at fault.",
}


def from_status(status: int, detail: str = "") -> Problem:
    """The problem for a bare HTTP status."""
    code = STATUS_CODES.get(status, "error")
    return Problem(status, code, SENTENCES.get(status, detail or "The request cannot be answered."))


def from_validation(errors: Sequence[Any]) -> Problem:
    """The problem for the first of pydantic's errors; what the client sent is not repeated."""
    first = errors[0]
    field = ".".join(str(part) for part in first["loc"] if part not in ("body", "query"))
    if first["type"] == "json_invalid":
        return Problem(400, "bad-json", "The body is not valid JSON.")
    message = str(first["msg"]).removeprefix("Value error, ").rstrip(".")
    return Problem(422, "invalid", f"{message}.", field=field or None)
