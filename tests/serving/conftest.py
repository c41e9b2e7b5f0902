"""An application in this process for most tests, and a real server process for what only a socket can show."""

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
from letters import MakeClient, make_classifier
from live_server import Live
from starlette.testclient import TestClient

from affekt.classifier import EmotionClassifier
from affekt.serving.app import create_app
from affekt.serving.keys import ApiKeys
from affekt.serving.settings import Settings


@pytest.fixture(scope="session")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> EmotionClassifier:
    return make_classifier(tmp_path_factory.mktemp("letters"))


@pytest.fixture
def make_client(classifier: EmotionClassifier) -> Iterator[MakeClient]:
    """Makes clients of applications with the settings given; unlimited rate unless a test asks for one."""
    with contextlib.ExitStack() as stack:

        def make(keys: tuple[str, ...] = (), *, model: EmotionClassifier | None = None, **settings: Any) -> TestClient:
            app = create_app(model or classifier, Settings(**{"rate": 0} | settings), ApiKeys(keys))
            return stack.enter_context(TestClient(app, base_url="http://127.0.0.1", client=("10.0.0.1", 5000)))

        yield make


@pytest.fixture
def client(make_client: MakeClient) -> TestClient:
    return make_client()


@pytest.fixture(scope="session")
def live() -> Iterator[Live]:
    """One server for the tests that leave it as they found it; impatient, so that they need not wait long."""
    with Live(request_seconds=1.5, keep_alive_seconds=3.0, connections=200) as server:
        yield server
