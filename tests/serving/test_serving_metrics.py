"""What Prometheus is told."""

import os
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from affekt.serving.metrics import Metrics, _alive


def test_counts_follow_what_happens(client: TestClient) -> None:
    client.post("/v1/classify", json={"texts": ["happy", "sad"]})
    client.post("/v1/classify", json={"texts": []})
    client.get("/wp-login.php")
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    text = answer.text
    assert 'affekt_requests_total{path="/v1/classify",status="200"} 1.0' in text
    assert 'affekt_requests_total{path="/v1/classify",status="422"} 1.0' in text
    assert 'affekt_requests_total{path="other",status="404"} 1.0' in text
    assert "affekt_texts_total 2.0" in text
    assert "affekt_batch_rows_sum 2.0" in text
    assert "affekt_queue_rows 0.0" in text
    assert 'affekt_request_seconds_count{path="/v1/classify"} 2.0' in text


def test_paths_cannot_fill_the_memory(client: TestClient) -> None:
    for number in range(20):
        client.get(f"/made-up/{number}")
    assert "made-up" not in client.get("/metrics").text


def test_refusals_are_counted_by_code(client: TestClient) -> None:
    client.post("/v1/classify", content=b"x", headers={"content-type": "text/plain"})
    assert 'affekt_refused_total{code="unsupported-media-type"} 1.0' in client.get("/metrics").text


def test_processes_that_died_are_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    forgotten: list[int] = []
    monkeypatch.setattr("affekt.serving.metrics.mark_process_dead", lambda pid, **_: forgotten.append(pid))
    dead = 2**22 + 1
    for pid in (os.getpid(), dead):
        (tmp_path / f"gauge_livesum_{pid}.db").touch()
    Metrics(tmp_path)
    assert forgotten == [dead]


def test_whether_a_process_lives() -> None:
    assert _alive(os.getpid())
    assert _alive(1)
    assert not _alive(2**22 + 1)
