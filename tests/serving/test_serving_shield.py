"""Every answer carries its headers, no error shows what is inside, and the log holds no text."""

import asyncio
import logging

import pytest
from letters import MakeClient
from starlette.testclient import TestClient

from affekt.serving.bodies import ClientGone, Message
from affekt.serving.logs import describe
from affekt.serving.metrics import Metrics
from affekt.serving.settings import Settings
from affekt.serving.shield import Shield

SECRET = "my-secret-diary"


@pytest.mark.parametrize("path", ["/", "/page/app.js", "/v1/model", "/nowhere", "/healthz", "/metrics", "/v1/classify"])
def test_every_answer_is_hardened(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "server" not in headers


def test_the_page_may_run_its_own_files_only(client: TestClient) -> None:
    policy = client.get("/").headers["content-security-policy"]
    assert "script-src 'self'" in policy
    assert all(word not in policy for word in ("unsafe", "http:", "https:", "data:", "*"))


def test_answers_of_the_api_are_not_kept(client: TestClient) -> None:
    assert client.post("/v1/classify", json={"text": "a"}).headers["cache-control"] == "no-store"


class Broken:
    """An application that fails in the way it is told."""

    def __init__(self, error: BaseException, *, after_start: bool = False, sleep: float = 0.0) -> None:
        self.error, self.after_start, self.sleep = error, after_start, sleep

    async def __call__(self, _scope: object, _receive: object, send: object) -> None:
        if self.after_start:
            await send({"type": "http.response.start", "status": 200, "headers": []})  # type: ignore[operator]
        await asyncio.sleep(self.sleep)
        raise self.error


def answer_of(app: Broken, **settings: float) -> tuple[list[Message], Metrics]:
    sent: list[Message] = []
    metrics = Metrics()

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    scope = {"type": "http", "path": "/v1/classify", "method": "POST", "headers": []}
    asyncio.run(Shield(app, Settings(**settings), metrics)(scope, receive, send))  # type: ignore[arg-type]
    return sent, metrics


def test_an_unexpected_error_shows_nothing(caplog: pytest.LogCaptureFixture) -> None:
    sent, _ = answer_of(Broken(RuntimeError(f"at /srv/model: {SECRET}")))
    assert sent[0]["status"] == 500
    assert b"/srv" not in sent[1]["body"]
    assert b"RuntimeError" not in sent[1]["body"]
    assert SECRET not in caplog.text
    assert "RuntimeError at" in caplog.text


def test_an_answer_that_takes_too_long_is_given_up() -> None:
    sent, _ = answer_of(Broken(RuntimeError(), sleep=60), answer_seconds=0.01, request_seconds=0.01)
    assert sent[0]["status"] == 503
    assert (b"retry-after", b"1") in sent[0]["headers"]


def test_an_answer_that_has_begun_is_not_begun_again() -> None:
    sent, _ = answer_of(Broken(RuntimeError(), after_start=True))
    assert [message["type"] for message in sent] == ["http.response.start"]


def test_a_client_that_left_is_counted_and_gets_nothing() -> None:
    sent, metrics = answer_of(Broken(ClientGone()))
    assert sent == []
    assert b"affekt_cancelled_total 1.0" in metrics.text()


def test_a_cancelled_request_stays_cancelled() -> None:
    with pytest.raises(asyncio.CancelledError):
        answer_of(Broken(asyncio.CancelledError()))


def test_the_log_has_a_line_but_no_text(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    client.post("/v1/classify", json={"text": f"happy {SECRET}"})
    client.post("/v1/classify", json={"text": f"poison {SECRET}"})
    client.post("/v1/explain", json={"text": f"sad {SECRET}"})
    client.get(f"/{SECRET}?{SECRET}")
    ours = "".join(record.getMessage() for record in caplog.records if record.name.startswith("affekt"))
    assert SECRET not in ours
    assert "POST /v1/classify 200" in ours
    assert "GET other 404" in ours


def test_the_log_has_texts_where_that_was_asked_for(make_client: MakeClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    make_client(log_texts=True).post("/v1/classify", json={"text": "happy\nday"})
    assert "text 'happy\\nday'" in caplog.text


def test_an_exception_is_described_by_kind_and_place() -> None:
    try:
        raise ValueError(SECRET)
    except ValueError as error:
        found = describe(error)
    assert found.startswith("ValueError at ")
    assert __file__ in found
    assert SECRET not in found
