"""The questions' way past FastAPI: its routing and dependencies cost more than everything else that a request needs."""

import json
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import to_json

from affekt.serving.bodies import Receive
from affekt.serving.gate import App, Scope, Send
from affekt.serving.problems import Problem, from_validation
from affekt.serving.questions import QUESTIONS
from affekt.serving.service import Service


class Shortcut:
    """ASGI middleware that answers the questions itself, by the same functions as the routes, and passes on the rest.

    Args:
        app: what comes after.
        service: what answers.
    """

    def __init__(self, app: App, service: Service) -> None:
        self._app, self._service = app, service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a question, or pass the request on."""
        question = QUESTIONS.get(scope["path"]) if scope["type"] == "http" and scope["method"] == "POST" else None
        if question is None:
            await self._app(scope, receive, send)
            return
        model, answer = question
        asked = parse(model, (await receive())["body"])
        content = to_json(await answer(self._service, scope["state"]["client"], asked))
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": content})


def parse(model: type[BaseModel], body: bytes) -> Any:
    """A body as its model.

    Raises:
        Problem: 400 if it is not JSON, 422 if it is not what the model says.
    """
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        raise Problem(400, "bad-json", "The body is not valid JSON.") from None
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise from_validation(error.errors(include_url=False, include_context=False), content) from None
