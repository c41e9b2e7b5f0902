"""The questions' way past FastAPI gives what FastAPI's routes would."""

import json
from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from letters import MakeClient
from starlette.testclient import TestClient

from affekt.classifier import EmotionClassifier
from affekt.serving.app import HANDLERS, _lifespan
from affekt.serving.metrics import Metrics
from affekt.serving.questions import QUESTIONS
from affekt.serving.routes import router
from affekt.serving.service import Service
from affekt.serving.settings import Settings

ASKED = [
    ("/v1/classify", {"texts": ["happy", "sad " * 30], "scores": True, "taxonomy": "ekman", "explain": True}),
    ("/v1/classify", {"text": "happy", "top_k": 2}),
    ("/v1/explain", {"text": "happy and sad"}),
    ("/predict", {"inputs": ["happy", "sad"]}),
    ("/predict", {"inputs": "happy", "parameters": {"top_k": 1}}),
    ("/v1/classify", {}),
    ("/v1/classify", {"texts": ["a", 3], "other": 1}),
    ("/v1/classify", {"text": "a", "thresholds": {"joy": 7}}),
    ("/v1/classify", {"text": "a", "taxonomy": "none"}),
    ("/v1/explain", {"text": "a", "emotions": ["joy", "bliss"]}),
    ("/v1/explain", ["text"]),
    ("/predict", {"inputs": [["a", "b"]]}),
    ("/predict", "happy"),
]


@pytest.fixture
def plain(classifier: EmotionClassifier) -> Iterator[TestClient]:
    """FastAPI with nothing before it."""
    app = FastAPI(lifespan=_lifespan, exception_handlers=HANDLERS)
    app.state.service = Service(classifier, Settings(), Metrics())
    app.include_router(router)
    with TestClient(app) as client:
        yield client


@pytest.mark.parametrize(("path", "body"), ASKED)
def test_both_ways_answer_alike(client: TestClient, plain: TestClient, path: str, body: object) -> None:
    short, long = client.post(path, json=body), plain.post(path, json=body)
    assert short.status_code == long.status_code
    found, expected = short.json(), long.json()
    for answer in (found, expected):
        if isinstance(answer, dict):
            answer.pop("milliseconds", None)
    assert found == expected


@pytest.mark.parametrize("body", [b"", b"{", b"nonsense", b'{"text": 1e400e}', b"9" * 5000])
def test_what_is_not_json_is_refused_either_way(client: TestClient, plain: TestClient, body: bytes) -> None:
    for asked in (client, plain):
        answer = asked.post("/v1/classify", content=body, headers={"content-type": "application/json"})
        assert answer.status_code in (400, 422)


def test_every_question_is_documented(client: TestClient) -> None:
    paths = json.loads(client.get("/openapi.json").content)["paths"]
    assert {path for path, item in paths.items() if "post" in item} == set(QUESTIONS)


def test_questions_cannot_be_asked_with_get(make_client: MakeClient) -> None:
    client = make_client()
    assert {client.get(path).status_code for path in QUESTIONS} == {405}
