"""The web page: a few files, read once, served from memory."""

import hashlib
from collections.abc import Iterator
from importlib.resources import files

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

KINDS = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}


def page_routes() -> Iterator[Route]:
    """``/`` and ``/page/...``, each answered with 304 to who has it already."""
    for entry in sorted(files(__name__).iterdir(), key=lambda entry: entry.name):
        kind = KINDS.get(entry.name[entry.name.rfind(".") :])
        if kind is not None:
            path = "/" if entry.name == "index.html" else f"/page/{entry.name}"
            yield _route(path, entry.read_bytes(), kind)


def _route(path: str, content: bytes, kind: str) -> Route:
    tag = f'"{hashlib.sha256(content).hexdigest()[:24]}"'
    headers = {"etag": tag, "cache-control": "no-cache"}

    async def file(request: Request) -> Response:
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(content, media_type=None, headers={**headers, "content-type": kind})

    return Route(path, file, methods=["GET"], include_in_schema=False)
