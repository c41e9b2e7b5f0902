"""What is refused before the application sees it, and how."""

import json

import pytest
from letters import MakeClient
from starlette.testclient import TestClient

from affekt.serving.fair_queue import Job
from affekt.serving.gate import address

KEY, OTHER = "one-0123456789abcdef", "two-0123456789abcdef"
JSON = {"content-type": "application/json"}
QUESTION = json.dumps({"text": "happy"})


def code(answer: object) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]  # type: ignore[attr-defined]


@pytest.mark.parametrize("path", ["/v1/classify", "/v1/explain", "/predict"])
def test_questions_need_a_key_where_there_are_keys(make_client: MakeClient, path: str) -> None:
    client = make_client((KEY, OTHER))
    body = {"inputs": "happy"} if path == "/predict" else {"text": "happy"}
    refused = client.post(path, json=body)
    assert code(refused) == (401, "unauthorized")
    assert refused.headers["www-authenticate"] == "Bearer"
    assert code(client.post(path, json=body, headers={"authorization": "Bearer nonsense"})) == (401, "unauthorized")
    assert code(client.post(path, json=body, headers={"authorization": f"Basic {KEY}"})) == (401, "unauthorized")
    for headers in ({"authorization": f"Bearer {KEY}"}, {"authorization": f"bearer {OTHER}"}, {"x-api-key": OTHER}):
        assert client.post(path, json=body, headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/model", 401),
        ("/metrics", 401),
        ("/v1/nothing", 401),
        ("/", 200),
        ("/page/app.js", 200),
        ("/healthz", 200),
        ("/readyz", 200),
        ("/openapi.json", 200),
    ],
)
def test_what_is_open_without_a_key(make_client: MakeClient, path: str, status: int) -> None:
    assert make_client((KEY,)).get(path).status_code == status


def test_wrong_keys_are_rate_limited_too(make_client: MakeClient) -> None:
    client = make_client((KEY,), rate=0.001, burst=3)
    statuses = [client.get("/v1/model", headers={"x-api-key": f"guess-{n}"}).status_code for n in range(5)]
    assert statuses == [401, 401, 401, 429, 429]
    assert client.get("/v1/model", headers={"x-api-key": KEY}).status_code == 200


def test_each_client_has_its_own_rate(make_client: MakeClient) -> None:
    client = make_client((KEY, OTHER), rate=0.5, burst=2)
    statuses = [client.get("/v1/model", headers={"x-api-key": KEY}).status_code for _ in range(3)]
    assert statuses == [200, 200, 429]
    last = client.get("/v1/model", headers={"x-api-key": KEY})
    assert code(last) == (429, "rate-limited")
    assert last.headers["retry-after"] == "2"
    assert client.get("/v1/model", headers={"x-api-key": OTHER}).status_code == 200
    assert client.get("/healthz").status_code == 200


@pytest.mark.parametrize(
    ("client", "expected"),
    [
        (("10.1.2.3", 1), "10.1.2.3"),
        (("2001:db8:1:2:3:4:5:6", 1), "2001:db8:1:2::/64"),
        (("fe80::1%eth0", 1), "fe80::/64"),
        (("::ffff:x", 1), "::ffff:x"),
        (("::ffff:10.1.2.3", 1), "10.1.2.3"),
        (None, "unknown"),
    ],
)
def test_an_ipv6_subscriber_is_one_client(client: tuple[str, int] | None, expected: str) -> None:
    assert address({"client": client}) == expected


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "", "localhost.evil.example:80", "[::2]:8000"]
)
def test_other_names_are_refused_on_loopback(client: TestClient, host: str) -> None:
    assert code(client.get("/", headers={"host": host})) == (421, "wrong-host")


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:8000", "localhost:8000", "LOCALHOST", "[::1]:8000", "[::1]"])
def test_loopback_names_are_taken(client: TestClient, host: str) -> None:
    assert client.get("/healthz", headers={"host": host}).status_code == 200


def test_any_name_is_taken_on_other_addresses_unless_named(make_client: MakeClient) -> None:
    assert make_client(host="0.0.0.0").get("/healthz", headers={"host": "a.example"}).status_code == 200  # noqa: S104
    named = make_client(host="0.0.0.0", hosts=("a.example",))  # noqa: S104
    assert named.get("/healthz", headers={"host": "a.example:443"}).status_code == 200
    assert named.get("/healthz", headers={"host": "b.example"}).status_code == 421


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "gzip, gzip", "identity, gzip", "x"])
def test_compressed_bodies_are_refused(client: TestClient, coding: str) -> None:
    answer = client.post("/v1/classify", content=QUESTION, headers=JSON | {"content-encoding": coding})
    assert code(answer) == (415, "compressed")


@pytest.mark.parametrize(
    "kind",
    [
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/jsonx",
        "application/json; charset=utf-16",
        "text/json",
    ],
)
def test_only_json_is_taken(client: TestClient, kind: str) -> None:
    answer = client.post("/v1/classify", content=QUESTION, headers={"content-type": kind})
    assert code(answer) == (415, "unsupported-media-type")


@pytest.mark.parametrize(
    "kind", ["application/json", "Application/JSON; charset=UTF-8", 'application/json;charset="utf-8"']
)
def test_json_is_taken_however_it_is_spelled(client: TestClient, kind: str) -> None:
    assert client.post("/v1/classify", content=QUESTION, headers={"content-type": kind}).status_code == 200


def test_the_body_is_counted_before_it_is_parsed(make_client: MakeClient) -> None:
    client = make_client(body_bytes=2000)
    fits = json.dumps({"text": "x" * 1900})
    assert client.post("/v1/classify", content=fits, headers=JSON).status_code == 200
    answer = client.post("/v1/classify", content="{" + " " * 2000, headers=JSON)
    assert code(answer) == (413, "too-large")
    pieces = (b" " * 500 for _ in range(5))
    assert code(client.post("/v1/classify", content=pieces, headers=JSON)) == (413, "too-large")


def test_all_bodies_together_are_bounded(make_client: MakeClient) -> None:
    client = make_client(bodies_bytes=1024)
    assert code(client.post("/v1/classify", content=b" " * 1025, headers=JSON)) == (503, "busy")
    assert client.post("/v1/classify", content=QUESTION, headers=JSON).status_code == 200


@pytest.mark.parametrize("length", ["-1", "1e3", "x", "9" * 19])
def test_a_length_that_is_no_number_is_refused(client: TestClient, length: str) -> None:
    answer = client.post("/v1/classify", content=QUESTION, headers=JSON | {"content-length": length})
    assert answer.status_code in (400, 413)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[",
        b"nonsense",
        b'{"text": NaN}',
        b'{"text": "a"',
        b'{"text": "a"} x',
        b"[" * 5000 + b"]" * 5000,
        b"\xff" * 10,
        b'{"text": "a", "thresholds": ' + b"[" * 20 + b"]" * 20 + b"}",
        b'{"text": "a\x00"}',
        b'{"top_k": ' + b"9" * 5000 + b"}",
    ],
)
def test_what_is_not_json_is_a_mistake_of_the_client(client: TestClient, body: bytes) -> None:
    answer = client.post("/v1/classify", content=body, headers=JSON)
    assert answer.status_code in (400, 422)
    assert set(answer.json()["error"]) == {"code", "message", "field"}


@pytest.mark.parametrize("value", ["1e999", "-1e999", "NaN", "Infinity", "1e-400", "true", '"0.5"', "[0.5]"])
def test_numbers_that_are_none(client: TestClient, value: str) -> None:
    body = f'{{"text": "a", "thresholds": {value}}}'
    status = client.post("/v1/classify", content=body, headers=JSON).status_code
    assert status == (200 if value == "1e-400" else 422)


def test_overload_is_told_before_the_body_is_read(client: TestClient) -> None:
    batcher = client.app.state.service.batcher  # type: ignore[attr-defined]
    batcher._tokens_per_second = 0.001
    waiting = Job("10.0.0.1", [[1] * 100], [100])
    batcher._queue.push(waiting)
    answer = client.post("/v1/classify", content=b"not even JSON", headers=JSON)
    batcher._queue.drop(waiting)
    assert code(answer) == (429, "overloaded")
    assert int(answer.headers["retry-after"]) >= 1


def test_only_other_sites_that_were_named_may_ask(make_client: MakeClient) -> None:
    closed = make_client()
    asked = {"origin": "https://a.example", "access-control-request-method": "POST"}
    assert "access-control-allow-origin" not in closed.options("/v1/classify", headers=asked).headers
    answer = closed.post("/v1/classify", json={"text": "a"}, headers={"origin": "https://a.example"})
    assert "access-control-allow-origin" not in answer.headers
    open_to_one = make_client((KEY,), cors_origins=("https://a.example",))
    assert (
        open_to_one.options("/v1/classify", headers=asked).headers["access-control-allow-origin"] == "https://a.example"
    )
    refused = open_to_one.post("/v1/classify", json={"text": "a"}, headers={"origin": "https://a.example"})
    assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (401, "https://a.example")
    other = open_to_one.post("/v1/classify", json={"text": "a"}, headers={"origin": "https://b.example"})
    assert "access-control-allow-origin" not in other.headers
