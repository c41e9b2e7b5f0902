"""The engine: input order, bounded reading, one computation per distinct text, and windows combined."""

from collections.abc import Iterable, Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from affekt.backends import BatchPlan, TokenBatch
from affekt.cleaning import CleaningOptions
from affekt.engine import CHUNK_CHARACTERS, MAX_CHARACTERS, Engine, chunks, combine
from affekt.errors import DataError
from affekt.tokenizing import TextTokenizer
from models import tokenizer


class SumBackend:
    """Two logits per text: the sum of its ids, and its length. Counts the texts that it is given."""

    name = "sum"
    plan = BatchPlan(token_budget=64, max_texts=5, equal=False, window=16)

    def __init__(self) -> None:
        self.texts = 0

    def logits(self, batch: TokenBatch) -> np.ndarray:
        self.texts += len(batch.input_ids)
        real = batch.input_ids * batch.attention_mask
        return np.stack([real.sum(axis=1), batch.attention_mask.sum(axis=1)], axis=1).astype(np.float32)

    def many(self, batches: Iterable[TokenBatch]) -> Iterator[np.ndarray]:
        return map(self.logits, batches)


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> TextTokenizer:
    folder = tmp_path_factory.mktemp("tokenizer")
    tokenizer(folder)
    return TextTokenizer(folder / "tokenizer.json", 16, pad_id=9)


@pytest.fixture
def engine(words: TextTokenizer) -> Engine:
    return Engine(CleaningOptions(), words, SumBackend())


def logits(engine: Engine, texts: Iterable[str]) -> np.ndarray:
    return np.concatenate([np.empty((0, 2), np.float32), *(part.logits for part in engine.stream(texts))])


@given(st.lists(st.text(max_size=60), max_size=40))
def test_many_texts_come_back_in_order_with_the_logits_that_each_has_alone(
    words: TextTokenizer, texts: list[str]
) -> None:
    engine = Engine(CleaningOptions(), words, SumBackend())
    found = logits(engine, iter(texts))
    alone = [engine.one(text).logits for text in texts]
    np.testing.assert_array_equal(found, np.concatenate([np.empty((0, 2), np.float32), *alone]))
    assert [text for part in engine.stream(texts) for text in part.texts] == texts


def test_texts_that_are_the_same_once_cleaned_are_computed_once(words: TextTokenizer) -> None:
    backend = SumBackend()
    engine = Engine(CleaningOptions(), words, backend)
    found = logits(engine, ["love", " love ", "hate", "love https://example.com"])
    assert backend.texts == 2
    assert (found[0] == found[1]).all()
    assert (found[0] == found[3]).all()
    assert (found[0] != found[2]).any()


def test_a_rehearsal_goes_the_whole_way(words: TextTokenizer) -> None:
    backend = SumBackend()
    engine = Engine(CleaningOptions(), words, backend)
    engine.rehearse()
    assert backend.texts >= 2 * backend.plan.window
    np.testing.assert_array_equal(logits(engine, ["love"]), engine.one("love").logits)


def test_no_texts_give_no_chunks(engine: Engine) -> None:
    assert list(engine.stream([])) == []


def test_a_generator_is_read_at_most_three_chunks_ahead(engine: Engine) -> None:
    read = 0

    def source() -> Iterator[str]:
        nonlocal read
        for number in range(1000):
            read += 1
            yield f"text {number}"

    stream = engine.stream(source())
    next(stream)
    assert read <= 3 * engine.backend.plan.window
    assert [len(part.texts) for part in engine.stream(["a"] * 20, window=8)] == [2, 8, 8, 2]


def test_an_error_of_the_source_reaches_the_caller(engine: Engine) -> None:
    def source() -> Iterator[str]:
        yield "fine"
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        list(engine.stream(source()))


def test_a_stream_may_be_left_early(engine: Engine) -> None:
    for part in engine.stream(f"text {number}" for number in range(10_000)):
        assert part.texts[0] == "text 0"
        break


@pytest.mark.parametrize("bad", [None, 3, b"bytes", ["list"], float("nan")])
def test_what_is_no_text_is_named_by_its_position(engine: Engine, bad: object) -> None:
    with pytest.raises(DataError, match="Text 2 is not a string but"):
        list(engine.stream(["a", "b", bad]))  # type: ignore[list-item]
    with pytest.raises(DataError, match="Text 0 is not a string"):
        engine.one(bad)  # type: ignore[arg-type]


def test_a_file_given_as_a_text_is_refused(engine: Engine) -> None:
    with pytest.raises(DataError, match="10,000,000 characters"):
        engine.one("x" * 10_000_000)
    with pytest.raises(DataError, match="Text 1 has"):
        list(engine.stream(["a", "x" * (MAX_CHARACTERS + 1)]))
    with pytest.raises(DataError, match="Text 3 has"):
        list(engine.stream(["a"] * 3 + ["😂" * (MAX_CHARACTERS // 20)]))


def test_chunks_are_closed_early_when_texts_are_long() -> None:
    text = "x" * (CHUNK_CHARACTERS // 8)
    assert [(start, len(chunk)) for start, chunk in chunks([text] * 20, 1000)] == [(0, 8), (8, 8), (16, 4)]


def test_a_long_text_is_read_in_windows_and_says_so(engine: Engine) -> None:
    long = "love " * 40
    (part,) = engine.stream([long, "hate"])
    assert part.windowed.tolist() == [True, False]
    assert engine.one(long).windowed.tolist() == [True]
    assert part.logits[0, 1] == 16
    (cut,) = engine.stream([long, "hate"], truncate=True)
    assert cut.windowed.tolist() == [False, False]
    np.testing.assert_array_equal(cut.logits[0], engine.one(long, truncate=True).logits[0])


def test_windows_are_combined_by_the_highest_logit_of_each_label() -> None:
    windows = np.array([[1, 5], [3, 2], [0, 0], [-1, -4], [-2, -3]], dtype=np.float32)
    combined = combine(windows, np.array([0, 0, 1, 2, 2]))
    assert combined.tolist() == [[3, 5], [0, 0], [-1, -3]]
    assert combine(windows[:2], np.array([0, 1])) is not None


@given(st.lists(st.integers(1, 4), min_size=1, max_size=8))
def test_combining_windows_is_the_maximum_whatever_their_number(counts: list[int]) -> None:
    owner = np.repeat(np.arange(len(counts)), counts)
    windows = np.random.default_rng(0).normal(size=(len(owner), 3)).astype(np.float32)
    expected = [windows[owner == text].max(axis=0).tolist() for text in range(len(counts))]
    assert combine(windows, owner).tolist() == expected


def test_a_text_of_hundreds_of_windows_is_one_answer(engine: Engine) -> None:
    assert len(logits(engine, ["love " * 3000])) == 1
