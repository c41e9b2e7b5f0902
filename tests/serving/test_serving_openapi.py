"""The OpenAPI document says what the server does: checked by schemathesis, which invents requests from it."""

from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from letters import MakeClient
from live_server import Live
from starlette.testclient import TestClient

QUESTIONS = ["POST /v1/classify", "POST /v1/explain", "POST /predict"]
OPERATIONS = [*QUESTIONS, "GET /v1/model", "GET /healthz", "GET /readyz", "GET /metrics"]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(
    ("name", "mode"),
    [(name, "as documented") for name in OPERATIONS] + [(name, "against the document") for name in QUESTIONS],
)
def test_answers_are_as_documented(live: Live, name: str, mode: str) -> None:
    schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed (extra dev)")
    document = schemathesis.openapi.from_url(f"{live.url}/openapi.json")
    operations = {operation.label: operation for operation in (found.ok() for found in document.get_all_operations())}
    assert sorted(operations) == sorted(OPERATIONS)
    wrong = mode == "against the document"
    kind = schemathesis.GenerationMode.NEGATIVE if wrong else schemathesis.GenerationMode.POSITIVE
    named = schemathesis.checks
    checks = [named.not_a_server_error, named.status_code_conformance, named.content_type_conformance]
    checks.append(named.response_schema_conformance)

    @given(operations[name].as_strategy(generation_mode=kind))
    @settings(
        max_examples=40 if name.startswith("POST") else 3,
        deadline=None,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )
    def every(case: Any) -> None:
        answer = case.call()
        refused = answer.status_code == 413  # a refusal, though not among those that schemathesis knows
        case.validate_response(
            answer, checks=[*checks, *([named.negative_data_rejection] if wrong and not refused else [])]
        )
        if not wrong:  # what the document allows is answered, unless it is more than fits in a body or in the queue
            assert answer.status_code in (200, 413, 429), answer.text

    every()


def test_the_document_names_this_models_label_sets_and_limits(client: TestClient) -> None:
    schemas = client.get("/openapi.json").json()["components"]["schemas"]
    taxonomy = schemas["ClassifyRequest"]["properties"]["taxonomy"]["anyOf"]
    assert taxonomy[0]["enum"] == ["goemotions", "core14", "ekman", "sentiment"]
    texts = schemas["ClassifyRequest"]["properties"]["texts"]["anyOf"][0]
    assert (texts["maxItems"], texts["items"]["maxLength"]) == (1000, 10_000)
    assert "HTTPValidationError" not in schemas


def schema(client: TestClient, name: str) -> Any:
    """A validator for one of the document's schemas."""
    validators = pytest.importorskip("jsonschema_rs", reason="jsonschema-rs comes with schemathesis (extra dev)")
    document = client.get("/openapi.json").json()
    return validators.Draft202012Validator(document | {"$ref": f"#/components/schemas/{name}"})


@pytest.mark.parametrize(
    ("path", "name", "body", "good"),
    [
        ("/v1/classify", "ClassifyRequest", body, good)
        for body, good in [
            ({"text": "happy"}, True),
            ({"text": "happy", "texts": None}, True),
            ({"text": None}, False),
            ({"text": "happy", "texts": ["sad"]}, False),
            ({"text": "happy", "top_k": 1, "thresholds": None}, True),
            ({"text": "happy", "top_k": 1, "thresholds": 0.5}, False),
            ({"text": "happy", "top_k": 2.0}, True),
            ({"text": "happy", "top_k": 2.5}, False),
            ({"text": "happy", "top_k": True}, False),
            ({"text": "happy", "top_k": "2"}, False),
            ({"text": "happy", "thresholds": {"pride": 0.5}}, True),
            ({"text": "happy", "thresholds": {"pride": 0.5}, "taxonomy": None}, True),
            ({"text": "happy", "thresholds": {"pride": 0.5}, "taxonomy": "ekman"}, False),
            ({"text": "happy", "thresholds": {"joy": 0.5}, "taxonomy": "ekman"}, True),
            ({"text": "happy", "thresholds": {"made-up": 0.5}}, False),
            ({"texts": ["happy"] * 9, "explain": False}, True),
            ({"texts": ["happy"] * 9, "explain": True}, False),
            ({"text": "x" * 2001, "explain": True}, False),
        ]
    ]
    + [
        ("/v1/explain", "ExplainRequest", {"text": "happy", "emotions": ["pride"]}, True),
        ("/v1/explain", "ExplainRequest", {"text": "happy", "emotions": ["pride"], "taxonomy": "ekman"}, False),
        ("/v1/explain", "ExplainRequest", {"text": "happy", "emotions": ["made-up"]}, False),
        ("/predict", "PredictRequest", {"inputs": ["happy"] * 1001}, False),
        ("/predict", "PredictRequest", {"inputs": [["x" * 10_001]]}, False),
        ("/predict", "PredictRequest", {"inputs": [["happy"], ["sad"]]}, True),
    ],
)
def test_the_document_allows_what_the_server_takes(
    client: TestClient, path: str, name: str, body: dict[str, Any], good: bool
) -> None:
    assert schema(client, name).is_valid(body) is good
    assert client.post(path, json=body).status_code == (200 if good else 422)


def test_every_path_says_what_it_is_for_and_shows_an_example(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    for path, item in document["paths"].items():
        for method, operation in item.items():
            assert operation["description"], path
            if method == "post":
                reference = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
                assert document["components"]["schemas"][reference.rpartition("/")[2]]["examples"], path


@pytest.mark.parametrize("path", ["/v1/classify", "/v1/explain", "/predict"])
def test_the_examples_work(client: TestClient, path: str) -> None:
    document = client.get("/openapi.json").json()
    operation = document["paths"][path]["post"]
    name = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
    for example in document["components"]["schemas"][name]["examples"]:
        assert client.post(path, json=example).status_code == 200


def test_keys_are_documented_where_they_are_needed(make_client: MakeClient) -> None:
    document = make_client(("one-0123456789abcdef",)).get("/openapi.json").json()
    assert document["paths"]["/v1/classify"]["post"]["security"] == [{"key": []}]
    assert "security" not in document["paths"]["/healthz"]["get"]
    assert "securitySchemes" not in make_client().get("/openapi.json").json()["components"]
