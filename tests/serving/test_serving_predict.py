"""The endpoint that clients of text-embeddings-inference and of Hugging Face endpoints have clients for."""

import pytest
from starlette.testclient import TestClient

from affekt.classifier import EmotionClassifier


def test_a_text_gives_every_label_highest_first(client: TestClient, classifier: EmotionClassifier) -> None:
    answer = client.post("/predict", json={"inputs": "I am happy"}).json()
    assert [set(entry) for entry in answer] == [{"label", "score"}] * 28
    scores = [entry["score"] for entry in answer]
    assert scores == sorted(scores, reverse=True)
    expected = dict(zip(classifier.labels, classifier.scores("I am happy")[0].tolist(), strict=True))
    assert {entry["label"]: entry["score"] for entry in answer} == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("inputs", [["happy", "sad"], [["happy"], ["sad"]]])
def test_texts_give_a_list_each(client: TestClient, inputs: object) -> None:
    answer = client.post("/predict", json={"inputs": inputs}).json()
    assert [entry[0]["label"] for entry in answer] == ["joy", "sadness"]


def test_raw_scores_are_logits(client: TestClient, classifier: EmotionClassifier) -> None:
    answer = client.post("/predict", json={"inputs": "happy", "raw_scores": True}).json()
    assert answer[0]["score"] == pytest.approx(float(classifier.logits("happy").max()), abs=1e-5)
    same = client.post("/predict", json={"inputs": "happy", "parameters": {"function_to_apply": "none"}}).json()
    assert same == [answer]


def test_the_hosted_form_has_options_and_a_list_around_it(client: TestClient) -> None:
    answer = client.post("/predict", json={"inputs": "happy", "parameters": {"top_k": 2, "unknown": 1}}).json()
    assert [len(entry) for entry in answer] == [2]
    assert client.post("/predict", json={"inputs": [], "parameters": {}}).json() == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"inputs": 3}, "inputs"),
        ({}, "inputs"),
        ({"inputs": [["a", "b"]]}, "inputs.0"),
        ({"inputs": ["x"] * 1001}, "inputs"),
        ({"inputs": ["ok", "x" * 10_001]}, "inputs.1"),
        ({"inputs": "a", "parameters": {"function_to_apply": "softmax"}}, "parameters.function_to_apply"),
    ],
)
def test_mistakes_are_named(client: TestClient, body: object, field: str) -> None:
    answer = client.post("/predict", json=body)
    assert answer.status_code == 422
    assert answer.json()["error"]["field"] == field


def test_the_hub_client_reads_the_answer(client: TestClient) -> None:
    hub = pytest.importorskip("huggingface_hub")
    payload = {"inputs": "I am happy", "parameters": {"top_k": 3}}
    answer = client.post("/predict", json=payload)
    elements = hub.TextClassificationOutputElement.parse_obj_as_list(answer.content)[0]
    assert elements[0].label == "joy"
