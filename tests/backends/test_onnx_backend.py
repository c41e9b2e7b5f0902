"""ONNX Runtime's engine: the faster of one thread and all is found once, and changes no logit."""

from pathlib import Path

import numpy as np
import pytest

from affekt.backends import TokenBatch
from affekt.backends import onnx as engine
from affekt.backends.onnx import TRIAL, OnnxBackend
from models import random_rows

BATCH = TokenBatch.of(random_rows((9,)))


@pytest.fixture
def graph(tiny_model: Path) -> Path:
    return tiny_model / "onnx" / "model_quantized.onnx"


@pytest.mark.parametrize(("gain", "kept"), [(0.0, False), (1e9, True)])
def test_all_threads_are_tried_once_and_kept_if_they_are_faster(
    graph: Path, monkeypatch: pytest.MonkeyPatch, gain: float, kept: bool
) -> None:
    opened = []
    original = engine._open
    monkeypatch.setattr(engine, "GAIN", gain)
    monkeypatch.setattr(engine, "_open", lambda *given: opened.append(given[1]) or original(*given))
    backend = OnnxBackend(graph, 2)
    found = [backend.logits(BATCH) for _ in range(TRIAL + 3)]
    assert opened == [1, 2]
    assert (backend._alone is not backend._session) == kept
    assert all((logits == found[0]).all() for logits in found)


def test_one_thread_has_nothing_to_try(graph: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    backend = OnnxBackend(graph, 1)
    monkeypatch.setattr(engine, "_open", None)
    for _ in range(TRIAL + 1):
        backend.logits(BATCH)


def test_token_types_are_given_to_graphs_that_ask(graph: Path) -> None:
    backend = OnnxBackend(graph, 1)
    asked = {}

    class Session:
        def run(self, _: None, feed: dict[str, np.ndarray]) -> list[np.ndarray]:
            asked.update(feed)
            return [np.zeros((1, 28), np.float32)]

    backend._alone, backend._inputs = Session(), ("input_ids", "token_type_ids")
    backend.logits(BATCH)
    assert set(asked) == {"input_ids", "token_type_ids"}
    assert not asked["token_type_ids"].any()
