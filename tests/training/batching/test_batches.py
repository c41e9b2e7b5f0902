"""Layouts, micro-batches, and the thread that prepares them."""

import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from tiny_models import targets, texts

from affekt.training.batching.batches import Layout, PaddedTokens, micro_batches, pad, prefetch
from affekt.training.batching.packing import PackedTokens

IDS, TARGETS, WEIGHTS = texts(10), targets(10), np.linspace(0, 1, 10).astype(np.float32)


def test_padding_is_masked() -> None:
    tokens = pad([np.array([5, 6], np.int32), np.array([7], np.int32)], 4, pad_id=9)
    assert tokens.input_ids.tolist() == [[5, 6, 9, 9], [7, 9, 9, 9]]
    assert tokens.attention_mask.tolist() == [[1, 1, 0, 0], [1, 0, 0, 0]]


@pytest.mark.parametrize(("batching", "width"), [("padded", 32), ("dynamic", max(map(len, IDS)))])
def test_rectangles_are_as_wide_as_they_should_be(batching: str, width: int) -> None:
    tokens = Layout(batching, 32, 0).tokens(IDS)
    assert isinstance(tokens, PaddedTokens)
    assert tokens.input_ids.shape == (10, width)
    assert tokens.to("cpu").attention_mask.sum() == sum(map(len, IDS))


def test_packed_rows_are_as_long_as_they_should_be() -> None:
    tokens = Layout("packed", 32, 0, 2).tokens(IDS, rows=10)
    assert isinstance(tokens, PackedTokens)
    assert tokens.input_ids.shape == (10, 32)
    assert tokens.to("cpu").rows == 10


@pytest.mark.parametrize("size", [1, 3, 10, 40])
def test_micro_batches_have_every_text_once(size: int) -> None:
    chosen = np.array([7, 1, 4, 9, 0])
    made = micro_batches(chosen, IDS, TARGETS, WEIGHTS, Layout("dynamic", 32, 0), size)
    assert len(made) == -(-5 // size)
    assert torch.equal(torch.cat([m.targets for m in made]), torch.from_numpy(TARGETS[chosen]))
    assert torch.equal(torch.cat([m.weights for m in made]), torch.from_numpy(WEIGHTS[chosen]))


def test_items_come_in_order_and_from_another_thread() -> None:
    threads = set()

    def items() -> Iterator[int]:
        for number in range(30):
            threads.add(threading.current_thread().name)
            yield number

    assert list(prefetch(items(), depth=2)) == list(range(30))
    assert threads == {"affekt-prefetch"}


def test_not_too_much_is_made_ahead() -> None:
    made: list[int] = []

    def items() -> Iterator[int]:
        for number in range(100):
            made.append(number)
            yield number

    stream = prefetch(items(), depth=3)
    next(stream)
    time.sleep(0.1)
    assert len(made) <= 6
    stream.close()  # type: ignore[attr-defined]
    assert not [t for t in threading.enumerate() if t.name == "affekt-prefetch"]


def test_errors_are_raised_where_the_items_are_taken() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise RuntimeError("broken")

    stream = prefetch(items())
    assert next(stream) == 1
    with pytest.raises(RuntimeError, match="broken"):
        next(stream)


def test_nothing_gives_nothing() -> None:
    assert list(prefetch([])) == []
