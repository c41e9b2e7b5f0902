"""Bodies: counted before they are kept, and JSON's depth known before it is parsed."""

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from affekt.serving.bodies import BodyMemory, ClientGone, Message, check_json, read_body
from affekt.serving.problems import Problem


def read(*pieces: bytes | None, announced: int = 0, limit: int = 100, memory: BodyMemory | None = None) -> bytes:
    """Read a body that comes in pieces; None is the client going away."""
    messages = iter(
        [
            {"type": "http.disconnect"}
            if piece is None
            else {"type": "http.request", "body": piece, "more_body": i < len(pieces)}
            for i, piece in enumerate(pieces, start=1)
        ]
    )

    async def receive() -> Message:
        found = next(messages, None)
        if found is None:
            await asyncio.sleep(3600)
        assert found is not None
        return found

    return bytes(asyncio.run(read_body(receive, announced, limit, 0.05, memory or BodyMemory(10**6))))


def test_pieces_are_joined() -> None:
    assert read(b"ab", b"", b"c") == b"abc"


@pytest.mark.parametrize(("pieces", "announced"), [((b"x" * 101,), 0), ((b"x" * 60, b"x" * 60), 0), ((b"x",), 101)])
def test_too_large_is_refused(pieces: tuple[bytes, ...], announced: int) -> None:
    with pytest.raises(Problem) as caught:
        read(*pieces, announced=announced)
    assert caught.value.status == 413


def test_too_slow_is_refused() -> None:
    messages = iter([{"type": "http.request", "body": b"x", "more_body": True}])

    async def receive() -> Message:
        for message in messages:
            return message
        await asyncio.sleep(3600)
        return {}

    with pytest.raises(Problem) as caught:
        asyncio.run(read_body(receive, 0, 100, 0.02, BodyMemory(1000)))
    assert caught.value.status == 408


def test_a_client_that_goes_is_noticed() -> None:
    with pytest.raises(ClientGone):
        read(b"x", None)


def test_all_bodies_together_are_bounded() -> None:
    memory = BodyMemory(150)
    assert read(b"x" * 100, memory=memory)
    assert memory.held == 100
    with pytest.raises(Problem) as caught:
        read(b"x" * 51, memory=memory)
    assert (caught.value.status, caught.value.retry_after) == (503, 1)
    assert memory.held == 100
    memory.give(100)
    assert read(b"x" * 90, memory=memory)


@pytest.mark.parametrize("pieces", [(b"x" * 101,), (b"x" * 60, b"x" * 60), (b"x", None)])
def test_memory_is_given_back_when_reading_fails(pieces: tuple[bytes | None, ...]) -> None:
    memory = BodyMemory(1000)
    with pytest.raises((Problem, ClientGone)):
        read(*pieces, memory=memory)
    assert memory.held == 0


def depth_of(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max(map(depth_of, value.values()), default=0)
    return 1 + max(map(depth_of, value), default=0) if isinstance(value, list) else 0


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)


@given(values, st.integers(1, 6), st.booleans())
def test_depth_is_what_it_is(value: Any, limit: int, ascii_only: bool) -> None:
    body = json.dumps(value, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return
    if depth_of(value) <= limit:
        check_json(body, limit, 1000)
    else:
        with pytest.raises(Problem):
            check_json(body, limit, 1000)


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"[" * 9 + b"]" * 9,
        b"\xff\xfe",
        '{"text": "a"}'.encode("utf-16"),
        b'{"text": "\x00"}',
        b"]",
        b"]][[",
    ],
)
def test_what_no_parser_should_see(body: bytes) -> None:
    with pytest.raises(Problem) as caught:
        check_json(body, 8, 1000)
    assert (caught.value.status, caught.value.code) == (400, "bad-json")


@pytest.mark.parametrize(
    "body", [b'{"text": "[[[[[[[[[[[[[[[["}', rb'{"text": "\"[[[[[[[[[[[[\\"}', b'"' + b"[" * 50 + b'"', b"", b"3"]
)
def test_brackets_in_strings_do_not_count(body: bytes) -> None:
    check_json(body, 3, 1000)


@given(st.binary(max_size=400))
def test_any_bytes_are_judged(body: bytes) -> None:
    try:
        check_json(body, 4, 1000)
    except Problem:
        return
    try:
        value = json.loads(body)
    except ValueError:
        return
    assert depth_of(value) <= 4


def count_of(value: Any) -> int:
    """The members of every list and object, as commas show them."""
    inner = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    return max(0, len(inner) - 1) + sum(map(count_of, inner))


@given(values, st.integers(1, 8))
def test_values_are_counted_wherever_they_are(value: Any, most: int) -> None:
    body = json.dumps(value).encode()
    if count_of(value) < most:
        check_json(body, 30, most)
    else:
        with pytest.raises(Problem, match=f"more than {most} values") as caught:
            check_json(body, 30, most)
        assert (caught.value.status, caught.value.code) == (422, "too-many-values")


def test_commas_in_texts_do_not_count() -> None:
    check_json(json.dumps({"text": "," * 5000 + '","' * 100}).encode(), 8, 10)
