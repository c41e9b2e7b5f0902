"""The classifier as the server uses it: prepared within limits, run in any order, put together per text."""

import asyncio
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from letters import make_classifier

from affekt.classifier import EmotionClassifier
from affekt.engine import combine
from affekt.errors import DataError, ModelFolderError, SettingError
from affekt.serving.batcher import BatchLimits, MicroBatcher
from affekt.serving.explaining import Explainer
from affekt.serving.problems import Problem, from_error, from_status, from_validation
from affekt.serving.served import INLINE_CHARS, Row, ServedModel
from affekt.serving.settings import Settings


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> ServedModel:
    return ServedModel(make_classifier(tmp_path_factory.mktemp("served")), Settings(lanes=3))


def test_warming_runs_the_model_and_says_how_fast_it_is(tmp_path: Path) -> None:
    model = ServedModel(make_classifier(tmp_path), Settings(request_tokens=16, text_chars=1))
    assert model.warm() > 0
    assert model.classifier.backend.calls  # type: ignore[attr-defined]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.text(max_size=150), min_size=1, max_size=12))
def test_rows_give_what_the_engine_gives(served: ServedModel, texts: list[str]) -> None:
    prepared = served.prepare(texts)
    assert prepared.costs == [len(row) for row in prepared.rows]
    assert len(prepared.windowed) == len(texts)
    logits = combine(np.stack(served.run(prepared.rows)), prepared.owner)
    assert np.allclose(logits, served.classifier.logits(texts), atol=1e-6)


def test_only_the_first_window_of_a_text_cut_short(served: ServedModel) -> None:
    for texts in (["x" * 300], ["x" * 300, "y"]):
        assert len(served.prepare(texts, truncate=True).rows) == len(texts)
        assert served.prepare(texts).windowed[0]


def test_one_lane_for_engines_that_do_not_take_more(served: ServedModel, classifier: EmotionClassifier) -> None:
    assert served.lanes == 1
    assert served.batch_tokens == classifier.backend.plan.token_budget
    assert ServedModel(classifier, Settings(batch_tokens=99)).batch_tokens == 99


@pytest.mark.parametrize("length", [10, INLINE_CHARS + 1000])
def test_long_texts_are_prepared_aside(served: ServedModel, length: int) -> None:
    prepared = asyncio.run(served.prepare_aside(["a" * length]))
    assert sum(prepared.costs) >= length


def test_answers_settings_are_made_once(served: ServedModel) -> None:
    assert served.answer("ekman", 0.5, None) is served.answer("ekman", 0.5, None)
    assert served.answer("ekman", (("joy", 0.25),), None).view.labels[3] == "joy"


def test_an_explanation_nobody_waits_for_is_given_up(tmp_path: Path) -> None:
    model = ServedModel(make_classifier(tmp_path, seconds_per_token=0.001), Settings())

    async def main() -> None:
        batcher: MicroBatcher[Row, np.ndarray] = MicroBatcher(model.run, BatchLimits(tokens=64, queue_wait=1000.0))
        batcher.start()
        explainer = Explainer(model, batcher)
        task = asyncio.create_task(explainer.explain("a", "happy " * 40, None, None, "text"))
        await asyncio.sleep(0.3)
        assert batcher.waiting > 0
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await asyncio.sleep(0.2)
        assert batcher.waiting == 0
        assert explainer._running == 0
        explainer.close()
        await batcher.close()

    asyncio.run(main())


def test_problems_have_one_body() -> None:
    problem = Problem(429, "overloaded", "Ünïcode \ud83d “ok”.", field="x", retry_after=3)
    assert json.loads(problem.body) == {
        "error": {"code": "overloaded", "message": "Ünïcode \ud83d “ok”.", "field": "x"}
    }
    headers = dict(problem.headers)
    assert headers[b"retry-after"] == b"3"
    assert int(headers[b"content-length"]) == len(problem.body)


@pytest.mark.parametrize(
    ("status", "code"), [(404, "not-found"), (405, "method-not-allowed"), (418, "error"), (500, "internal")]
)
def test_bare_statuses_become_problems(status: int, code: str) -> None:
    assert (from_status(status).status, from_status(status).code) == (status, code)


def test_own_mistakes_and_foreign_ones_are_told_apart() -> None:
    assert from_error(SettingError("A.", hint="B.")).message == "A. B."
    assert from_error(DataError("A.")).status == 422
    inside = from_error(ModelFolderError("The folder '/srv/secret' is torn."))
    assert (inside.status, "/srv" in inside.message) == (500, False)


def test_the_deepest_error_is_told_and_long_names_are_cut() -> None:
    body = {"a": {"b" * 500: [1]}, "c": 1}
    errors = [
        {"type": "x", "loc": ("c",), "msg": "shallow"},
        {"type": "x", "loc": ("a", "dict[str,int]", "b" * 500, 0), "msg": "Value error, deep."},
        {"type": "missing", "loc": ("d",), "msg": "Field required"},
    ]
    problem = from_validation(errors, body)
    assert problem.message == "deep."
    assert problem.field is not None
    assert (problem.field[:4], len(problem.field)) == ("a.bb", 100)
    assert from_validation(errors[2:], body).field == "d"
    assert from_validation(errors, []).message == "The body must be a JSON object."
