"""What only a socket can show: bytes that are no HTTP, senders that dawdle, clients that leave, idle crowds."""

import asyncio
import http.client
import json
import random
import socket
import time

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from live_server import Live, drain, memory_mib

HOST = b"Host: 127.0.0.1\r\n"
JSON = HOST + b"Content-Type: application/json\r\n"


def question(body: bytes, headers: bytes = JSON) -> bytes:
    return b"POST /v1/classify HTTP/1.1\r\n" + headers + b"Content-Length: %d\r\n\r\n" % len(body) + body


HAPPY = question(b'{"text": "happy"}')


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1]) if answer else 0


def error_code(answer: bytes) -> str:
    code: str = json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["code"]
    return code


def still_well(live: Live) -> None:
    assert httpx.post(f"{live.url}/v1/classify", json={"text": "happy"}, timeout=20).status_code == 200


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
        (b"GET / HTTP/9.9\r\n" + HOST + b"\r\n", 400),
        (b"GET /\x00 HTTP/1.1\r\n" + HOST + b"\r\n", 400),
        (b"GET / HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\n", 400),
        (
            b"POST /v1/classify HTTP/1.1\r\n"
            + JSON
            + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            400,
        ),
        (b"POST /v1/classify HTTP/1.1\r\n" + JSON + b"Content-Length: -1\r\n\r\n", 400),
        (b"POST /v1/classify HTTP/1.1\r\n" + JSON + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (b"GET / HTTP/1.1\r\n" + HOST + b"Bad Header: x\r\n\r\n", 400),
        (b"GET /" + b"a" * 3000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", 414),
        (b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"a" * 20_000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"a" * 30_000, 431),
        (b"GET / HTTP/1.1\r\n" + HOST + b"".join(b"X%d: a\r\n" % n for n in range(70)) + b"\r\n", 431),
        (question(b"", HOST), 415),
        (question(b"x" * 600_000), 413),
        (b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421),
        (b"GET / HTTP/1.1\r\n\r\n", 421),
    ],
)
def test_what_is_wrong_is_told_in_one_form(live: Live, sent: bytes, expected: int) -> None:
    answer = live.send(sent)
    assert status(answer) == expected
    assert error_code(answer)
    assert b"uvicorn" not in answer.lower()
    still_well(live)


@pytest.mark.parametrize(
    "sent",
    [
        b"CONNECT example.org:80 HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET / HTTP/1.1\r\n" + HOST + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + HOST + b"Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n",
        b"TRACE / HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET http://evil.example/ HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET /%00%ff%2e%2e/ HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET /page/../../../etc/passwd HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET /page/%2e%2e%2f%2e%2e%2fapp.py HTTP/1.1\r\n" + HOST + b"\r\n",
        b"\r\n" * 50 + b"GET /healthz HTTP/1.0\r\n" + HOST + b"\r\n",
    ],
)
def test_odd_requests_do_no_harm(live: Live, sent: bytes) -> None:
    answer = live.send(sent)
    assert status(answer) < 500
    assert b"root:" not in answer
    assert b"import " not in answer or b"text/" in answer
    still_well(live)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300), st.integers(0, 200), st.booleans())
def test_fuzzed_bytes_do_no_harm(live: Live, noise: bytes, place: int, replace: bool) -> None:
    place = min(place, len(HAPPY))
    sent = HAPPY[:place] + noise + HAPPY[place + (len(noise) if replace else 0) :]
    with live.connect() as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        connection.settimeout(5)
        answer = drain(connection)
    assert not answer or status(answer) in range(200, 500)
    assert b"Traceback" not in answer


def test_fuzzing_did_not_hurt(live: Live) -> None:
    still_well(live)


@pytest.mark.parametrize("sent", [b"", b"GET / HT", HAPPY[:60], HAPPY[:-4], b"\r\n"])
def test_who_does_not_finish_is_cut_off(live: Live, sent: bytes) -> None:
    with live.connect() as connection:
        started = time.monotonic()
        connection.sendall(sent)
        connection.settimeout(10)
        answer = drain(connection)
        assert time.monotonic() - started < 6
    assert status(answer) in (0, 408)


@pytest.mark.parametrize(
    "start",
    [
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ",
        b"POST /predict HTTP/1.1\r\n" + JSON + b"Content-Length: 5000\r\n\r\n",
    ],
)
def test_a_drip_is_cut_off_as_soon_as_silence(live: Live, start: bytes) -> None:
    with live.connect() as connection:
        started = time.monotonic()
        connection.sendall(start)
        connection.settimeout(0.05)
        answer = b""
        while time.monotonic() - started < 10:
            try:
                answer += connection.recv(4096)
                break
            except TimeoutError:
                connection.sendall(b" ")
            except ConnectionError:
                break
        assert time.monotonic() - started < 6
    assert status(answer) in (0, 408)


def test_who_is_finished_is_kept_for_a_while_and_then_let_go(live: Live) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", live.port, timeout=15)
    for pause in (0.3, 0.3, 2.0, 0.0):
        connection.request("POST", "/v1/classify", b'{"text": "happy"}', {"Content-Type": "application/json"})
        answer = connection.getresponse()
        assert (answer.status, b"joy" in answer.read()) == (200, True)
        time.sleep(pause)
    started = time.monotonic()
    assert connection.sock.recv(1) == b""
    assert 1 < time.monotonic() - started < 10
    connection.close()


def test_a_client_that_takes_nothing_is_cut_off() -> None:
    """Its answers are large and it reads none of them: the server must not keep them for ever."""
    with Live(request_seconds=1.0, keep_alive_seconds=1.0) as server, server.connect() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        body = json.dumps({"texts": ["x"] * 1000, "scores": True}).encode()
        connection.settimeout(2)
        try:
            for _ in range(20):
                connection.sendall(question(body))
        except (TimeoutError, ConnectionError):
            pass
        deadline = time.monotonic() + 15
        while time.monotonic() < deadline and _open_connections(server) > 0:
            time.sleep(0.3)
        assert _open_connections(server) == 0
        still_well(server)


def _open_connections(server: Live) -> int:
    """Established connections that the server has, by the kernel's table."""
    port = f":{server.port:04X}"
    with open("/proc/net/tcp", encoding="ascii") as table:
        rows = [line.split() for line in table][1:]
    return sum(row[1].endswith(port) and row[3] == "01" for row in rows)


def test_requests_sent_ahead_are_answered_in_order_up_to_a_limit(live: Live) -> None:
    ahead = b"".join(question(b'{"text": "%s"}' % word) for word in (b"happy", b"sad", b"angry"))
    answer = live.send(ahead)
    assert [answer.find(word) for word in (b'"joy","score"', b'"sadness","score"', b'"anger","score"')] == sorted(
        answer.find(word) for word in (b'"joy","score"', b'"sadness","score"', b'"anger","score"')
    )
    assert answer.count(b"HTTP/1.1 200") == 3
    flood = live.send(HAPPY * 500)
    assert flood.count(b"HTTP/1.1 200") < 500
    still_well(live)


def test_chunked_bodies_are_counted_on_the_wire(live: Live) -> None:
    head = b"POST /v1/classify HTTP/1.1\r\n" + JSON + b"Transfer-Encoding: chunked\r\n\r\n"
    good = live.send(head + b'6\r\n{"text\r\nb\r\n": "happy"}\r\n0\r\n\r\n')
    assert status(good) == 200
    with live.connect() as connection:
        connection.settimeout(10)
        connection.sendall(head)
        try:
            for _ in range(100):
                connection.sendall(b"1;" + b"x" * 60_000 + b"\r\n \r\n")
        except ConnectionError:
            pass
        answer = drain(connection)
    assert status(answer) in (0, 400, 413)
    trailers = live.send(head + b'11\r\n{"text": "happy"}\r\n0\r\n' + b"T: x\r\n" * 200 + b"\r\n")
    assert status(trailers) in (200, 400)
    still_well(live)


def test_a_crowd_of_idle_connections_keeps_nobody_out(live: Live) -> None:
    crowd = []
    try:
        for number in range(600):
            opened = live.connect()
            if number % 3 == 0:
                opened.sendall(b"GET /heal")
            crowd.append(opened)
            if number % 100 == 99:
                still_well(live)
    finally:
        for opened in crowd:
            opened.close()
    still_well(live)


def test_when_every_connection_is_busy_the_next_is_told_so() -> None:
    with Live(slow=0.002, connections=3, queue_ms=60_000.0) as server:
        body = json.dumps({"texts": ["y" * 50] * 20}).encode()
        busy = [server.connect() for _ in range(3)]
        for opened in busy:
            opened.sendall(question(body))
        time.sleep(0.5)
        answer = server.send(HAPPY)
        assert (status(answer), error_code(answer)) == (503, "too-many-connections")
        assert b"retry-after: 1" in answer
        for opened in busy:
            opened.settimeout(30)
            assert status(opened.recv(65536)) == 200
            opened.close()
        still_well(server)


def test_clients_that_leave_cost_nothing_more() -> None:
    with Live(slow=0.002, batch_tokens=64, queue_ms=60_000.0) as server:
        body = json.dumps({"texts": ["y" * 50] * 600, "taxonomy": "ekman"}).encode()
        for _ in range(3):
            with server.connect() as connection:
                connection.sendall(question(body))
                time.sleep(0.3)
        started = time.monotonic()
        still_well(server)
        assert time.monotonic() - started < 10  # what was left behind would have taken 100 s each
        text = httpx.get(f"{server.url}/metrics", timeout=10).text
        assert "affekt_cancelled_total 3.0" in text
        assert "affekt_queue_rows 0.0" in text
        log = server.stop()
    assert "Traceback" not in log


def test_more_than_can_be_answered_is_refused_at_once() -> None:
    with Live(slow=0.002, queue_ms=50.0) as server:
        body = json.dumps({"texts": ["y" * 50] * 20}).encode()  # 2 s of work
        waiting = [server.connect() for _ in range(12)]
        for opened in waiting:
            opened.sendall(question(body))
        time.sleep(0.3)
        refused = 0
        for opened in waiting:
            opened.settimeout(0.2)
            answer = drain(opened)
            opened.close()
            if answer:
                assert (status(answer), error_code(answer)) == (429, "overloaded")
                assert b"\r\nretry-after: " in answer
                refused += 1
        assert 0 < refused < 12
        started = time.monotonic()
        assert status(server.send(HAPPY)) in (200, 429)
        assert time.monotonic() - started < 15


async def _ask_many(url: str, count: int, seed: int) -> list[tuple[str, dict[str, float]]]:
    """Distinct texts with the scores that came back for each; some clients hang up in the middle."""
    generator = random.Random(seed)
    found: list[tuple[str, dict[str, float]]] = []
    async with httpx.AsyncClient(base_url=url, timeout=60) as client:

        async def one(number: int) -> None:
            text = f"{generator.choice(['happy', 'sad', 'thanks', 'dull'])} {number} {'z' * generator.randrange(80)}"
            try:
                answer = await client.post(
                    "/v1/classify",
                    json={"text": text, "scores": True},
                    timeout=0.02 if number % 10 == 0 else 60,
                )
            except httpx.TimeoutException:
                return
            if answer.status_code == 200:
                found.append((text, answer.json()["results"][0]["scores"]))

        for start in range(0, count, 60):
            await asyncio.gather(*(one(number) for number in range(start, start + 60)))
    return found


def test_answers_are_never_mixed_up_under_load(live: Live, classifier: object) -> None:
    found = asyncio.run(_ask_many(live.url, 600, 1))
    assert len(found) > 300
    expected = classifier.predict([text for text, _ in found])  # type: ignore[attr-defined]
    for (_, scores), wanted in zip(found, expected, strict=True):
        assert scores == pytest.approx(dict(wanted.scores), abs=1e-6)


def test_told_to_stop_it_finishes_what_it_has_begun() -> None:
    with Live(slow=0.002) as server, httpx.Client(base_url=server.url, timeout=30) as client:
        client.get("/healthz")
        with server.connect() as connection:
            connection.sendall(question(json.dumps({"texts": ["happy " + "x" * 40] * 10}).encode()))
            time.sleep(0.3)
            server.process.terminate()
            connection.settimeout(20)
            answer = drain(connection)
        assert status(answer) == 200
        assert b'"joy"' in answer
        assert b"connection: close" in answer.lower()
        log = server.stop()
    assert "Traceback" not in log
    assert "Finished server process" in log


def test_memory_stays_flat(live: Live) -> None:
    with httpx.Client(base_url=live.url, timeout=20) as client:

        def round_of_requests() -> None:
            for number in range(150):
                client.post("/v1/classify", json={"texts": [f"happy {number}"] * 20, "scores": True})
                client.post("/v1/classify", json={"texts": []})

        round_of_requests()
        before = memory_mib(live.process.pid)
        round_of_requests()
        assert memory_mib(live.process.pid) < before + 15
