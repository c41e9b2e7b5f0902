"""What the API answers, and that it is what the classifier itself says."""

import json

import numpy as np
import pytest
from letters import METRICS, MakeClient
from starlette.testclient import TestClient

from affekt.classifier import EmotionClassifier
from affekt.explanation import explain
from affekt.serving.schemas import ClassifyResponse, ExplainResponse, ModelResponse

TEXTS = ["I am so happy", "sad and angry", "", "thanks 😂 my love", "nothing " * 40, "I am so happy"]


@pytest.mark.parametrize("taxonomy", [None, "goemotions", "ekman", "sentiment", "core14"])
def test_answers_are_the_classifiers_own(
    client: TestClient, classifier: EmotionClassifier, taxonomy: str | None
) -> None:
    answer = client.post("/v1/classify", json={"texts": TEXTS, "taxonomy": taxonomy, "scores": True})
    assert answer.status_code == 200
    expected = classifier.predict(TEXTS, taxonomy=taxonomy)
    for found, wanted in zip(answer.json()["results"], expected, strict=True):
        assert [emotion["label"] for emotion in found["emotions"]] == list(wanted.emotions)
        assert found["scores"] == pytest.approx(dict(wanted.scores), abs=1e-6)
        assert found["windowed"] == wanted.windowed


def test_the_answer_has_its_documented_form(client: TestClient) -> None:
    body = client.post("/v1/classify", json={"text": "happy", "scores": True, "explain": True}).content
    answer = ClassifyResponse.model_validate_json(body)
    assert (answer.model.name, answer.model.version, answer.taxonomy) == ("letters", "1.2", "goemotions")
    assert answer.thresholds is not None
    assert answer.thresholds["joy"] == 0.4
    assert answer.results[0].explanation is not None


def test_one_text_or_many_give_the_same(client: TestClient) -> None:
    one = client.post("/v1/classify", json={"text": "I love it"}).json()["results"]
    many = client.post("/v1/classify", json={"texts": ["I love it"]}).json()["results"]
    assert one == many


def test_scores_come_only_when_asked_for(client: TestClient) -> None:
    assert "scores" not in client.post("/v1/classify", json={"text": "x"}).json()["results"][0]


def test_thresholds_are_used_and_reported(client: TestClient) -> None:
    low = client.post("/v1/classify", json={"text": "happy", "thresholds": 0.0}).json()
    assert len(low["results"][0]["emotions"]) == 28
    assert set(low["thresholds"].values()) == {0.0}
    some = client.post("/v1/classify", json={"text": "happy sad", "thresholds": {"joy": 1.0}}).json()
    assert [emotion["label"] for emotion in some["results"][0]["emotions"]] == ["sadness"]
    assert (some["thresholds"]["joy"], some["thresholds"]["sadness"]) == (1.0, 0.4)


def test_top_k_decides_in_place_of_thresholds(client: TestClient) -> None:
    answer = client.post("/v1/classify", json={"text": "nothing", "top_k": 3}).json()
    scores = [emotion["score"] for emotion in answer["results"][0]["emotions"]]
    assert len(scores) == 3
    assert scores == sorted(scores, reverse=True)
    assert answer["thresholds"] is None


def test_a_long_text_is_windowed_unless_truncated(client: TestClient) -> None:
    text = "plain " * 30 + "happy"
    windowed = client.post("/v1/classify", json={"text": text}).json()["results"][0]
    cut = client.post("/v1/classify", json={"text": text, "truncate": True}).json()["results"][0]
    assert (windowed["windowed"], [emotion["label"] for emotion in windowed["emotions"]]) == (True, ["joy"])
    assert (cut["windowed"], cut["emotions"]) == (False, [])


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        ({}, None, "either 'texts' or 'text'"),
        ({"text": "a", "texts": ["b"]}, None, "either 'texts' or 'text'"),
        ({"texts": []}, "texts", "at least 1"),
        ({"texts": ["a", 3]}, "texts.1", "string"),
        ({"texts": "a"}, "texts", "list"),
        ({"text": "a", "taxonomy": "plutchik"}, "taxonomy", "plutchik"),
        ({"text": "a", "thresholds": 1.5}, "thresholds", "less than or equal to 1"),
        ({"text": "a", "thresholds": {"joy": 2.0}}, "thresholds.joy", "less than or equal to 1"),
        ({"text": "a", "thresholds": {"bliss": 0.5}}, "thresholds", "bliss"),
        ({"text": "a", "top_k": 0}, "top_k", "greater than or equal to 1"),
        ({"text": "a", "top_k": 1, "thresholds": 0.5}, None, "in place of"),
        ({"text": "a", "top_k": "3"}, "top_k", "integer"),
        ({"text": "a", "model": "/etc/passwd"}, "model", "not permitted"),
        ({"text": "x" * 10_001}, "text", "10000"),
        ({"texts": ["a", "x" * 10_001]}, "texts.1", "10000"),
        ({"texts": ["a"] * 1001}, "texts", "1000"),
        ({"texts": ["a"] * 9, "explain": True}, "texts", "8"),
        ({"text": "word " * 500, "explain": True}, "text", "2000"),
    ],
)
def test_mistakes_are_named(client: TestClient, body: object, field: str | None, words: str) -> None:
    answer = client.post("/v1/classify", json=body)
    assert answer.status_code == 422
    error = answer.json()["error"]
    assert set(error) == {"code", "message", "field"}
    assert error["field"] == field
    assert words in error["message"]


def test_emoji_that_grow_in_cleaning_are_bounded(make_client: MakeClient) -> None:
    client = make_client(text_chars=1000, clean_chars=2000)
    answer = client.post("/v1/classify", json={"texts": ["fine", "😂" * 900]})
    assert answer.status_code == 422
    assert answer.json()["error"]["field"] == "texts.1"
    assert "spelled out" in answer.json()["error"]["message"]


def test_tokens_of_a_request_are_bounded(make_client: MakeClient) -> None:
    answer = make_client(request_tokens=100).post("/v1/classify", json={"texts": ["a" * 60, "b" * 60]})
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too-many-tokens")


@pytest.mark.parametrize(
    "text",
    [
        "\u0000",
        "\ufeff",
        "a\u0301" * 500,
        "\u202eabc",
        "👨‍👩‍👧‍👦" * 40,
        "Z̸͕" * 200,
        "\U000e0041" * 100,
        "﷽" * 300,
        "\ud83d",
    ],
)
def test_strange_characters_get_an_answer(client: TestClient, text: str) -> None:
    body = json.dumps({"texts": [text, "happy"]})
    answer = client.post("/v1/classify", content=body, headers={"content-type": "application/json"})
    assert answer.status_code in (200, 422)
    if answer.status_code == 200:
        assert answer.json()["results"][1]["emotions"][0]["label"] == "joy"


def test_a_text_on_which_the_model_fails_fails_alone(client: TestClient) -> None:
    answer = client.post("/v1/classify", json={"text": "poison"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "internal")
    assert "poison" not in answer.text
    assert client.post("/v1/classify", json={"text": "happy"}).status_code == 200


def test_explanations_are_the_classifiers_own(client: TestClient, classifier: EmotionClassifier) -> None:
    text = "I am happy, not sad 😂"
    answer = client.post("/v1/explain", json={"text": text, "taxonomy": "ekman"})
    found = ExplainResponse.model_validate_json(answer.content)
    expected = explain(classifier, text, taxonomy="ekman").to_dict()
    assert json.loads(answer.content)["explanation"]["emotions"] == expected["emotions"]
    joy = next(part for part in found.explanation.emotions if part.emotion == "joy")
    strongest = max(joy.words, key=lambda word: word.weight)
    assert (strongest.text, text[strongest.start : strongest.end]) == ("happy", "happy")
    assert sum(word.weight for word in joy.words) == pytest.approx(
        float(np.log(joy.score / (1 - joy.score)) - np.log(joy.baseline / (1 - joy.baseline))), abs=0.02
    )


def test_an_emotion_that_was_not_found_can_be_explained(client: TestClient) -> None:
    answer = client.post("/v1/explain", json={"text": "I am happy", "emotions": ["fear"]}).json()["explanation"]
    assert [part["emotion"] for part in answer["emotions"]] == ["fear"]
    assert not answer["decided"]


@pytest.mark.parametrize(
    "body", [{"text": "a", "emotions": ["bliss"]}, {"text": "a", "emotions": []}, {"texts": ["a"]}]
)
def test_explain_names_mistakes(client: TestClient, body: object) -> None:
    assert client.post("/v1/explain", json=body).status_code == 422


def test_explanations_in_progress_are_bounded(make_client: MakeClient) -> None:
    client = make_client()
    service = client.app.state.service  # type: ignore[attr-defined]
    service.explainer._running = service.settings.explanations
    answer = client.post("/v1/explain", json={"text": "happy"})
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")


def test_the_model_describes_itself(client: TestClient, classifier: EmotionClassifier) -> None:
    answer = ModelResponse.model_validate_json(client.get("/v1/model").content)
    assert answer.label_sets["goemotions"].labels == list(classifier.labels)
    assert set(answer.label_sets) == set(classifier.taxonomies)
    assert "reads letters" in answer.card
    assert answer.limits["text_chars"] == 10_000
    assert (answer.max_tokens, answer.metrics) == (64, METRICS)


def test_health_and_readiness(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"status": "alive"}
    assert client.get("/readyz").json() == {"status": "ready"}
    service = client.app.state.service  # type: ignore[attr-defined]
    service.batcher._running["stuck"] = -1e9
    assert client.get("/readyz").status_code == 503
    assert client.get("/healthz").status_code == 200
    service.batcher._running.clear()


def test_not_ready_before_it_is_warm(client: TestClient) -> None:
    client.app.state.service._warm = False  # type: ignore[attr-defined]
    answer = client.get("/readyz")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("GET", "/v1/classify", 405),
        ("DELETE", "/v1/model", 405),
        ("POST", "/", 405),
        ("GET", "/docs", 404),
    ],
)
def test_unknown_paths_and_methods(client: TestClient, method: str, path: str, status: int) -> None:
    answer = client.request(method, path)
    assert answer.status_code == status
    assert set(answer.json()["error"]) == {"code", "message", "field"}
    if status == 405:
        assert answer.headers["allow"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/classify", b'{"texts":[%s]}' % b",".join([b"0"] * 200_000)),
        ("/v1/classify", b'{"texts":[%s]}' % b",".join([b"[]"] * 150_000)),
        ("/v1/classify", b"{%s}" % b",".join(b'"%d":0' % n for n in range(50_000))),
        ("/v1/classify", b'{"text":"a","thresholds":{%s}}' % b",".join(b'"%d":[]' % n for n in range(40_000))),
        ("/predict", b'{"inputs":[%s]}' % b",".join([b"0"] * 200_000)),
        ("/predict", b'{"inputs":[%s]}' % b",".join([b"[0]"] * 120_000)),
        ("/v1/explain", b'{"text":"a","emotions":[%s]}' % b",".join([b'"a"'] * 120_000)),
    ],
)
def test_a_body_of_nothing_but_mistakes_is_not_even_parsed(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, path: str, body: bytes
) -> None:
    """Each of these once kept everybody waiting, up to a minute, while pydantic listed the mistakes."""
    monkeypatch.setattr("affekt.serving.shortcut.parse", lambda *_: pytest.fail("parsed"))
    answer = client.post(path, content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "too-many-values")


def test_an_error_is_one_sentence_however_much_it_could_quote(client: TestClient) -> None:
    names = {f"{n:060d}": 0.5 for n in range(900)}
    answer = client.post("/v1/classify", json={"text": "a", "thresholds": names})
    assert answer.status_code == 422
    assert len(answer.content) < 600
    assert answer.json()["error"]["message"].endswith("…")


def test_a_text_whose_variants_are_too_much_is_said_to_be_too_long(client: TestClient) -> None:
    answer = client.post("/v1/explain", json={"text": "a " * 1000})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["field"]) == (422, "text-too-long", "text")
    assert "to be explained" in error["message"]
