"""Many texts through one model: cleaned and tokenized while the engine runs, in bounded memory, in input order."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import cycle, islice
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from affekt.backends import Backend, TokenBatch
from affekt.batching import batches
from affekt.cleaning import CleaningOptions, clean
from affekt.errors import DataError
from affekt.tokenizing import TextTokenizer, Tokens

MAX_CHARACTERS = 1_000_000
"""Longest text that is accepted, as given and once cleaned; a longer one is a file given as a text by mistake."""

CHUNK_CHARACTERS = 2_000_000
"""A chunk of texts is closed early when it holds this many characters, so that long texts cannot fill the memory."""

REHEARSED = (2, 4, 7, 11, 16, 22, 32, 50, 90)
"""Words of the texts of a rehearsal, in turns: many short texts and a few long ones, as in real life."""

FloatArray = npt.NDArray[np.float32]
T = TypeVar("T")


@dataclass(frozen=True)
class Scored:
    """Neighbouring texts and what the engine found.

    Attributes:
        texts: as given.
        logits: (texts, labels) float32.
        windowed: (texts,) bool, whether a text was read in overlapping windows.
    """

    texts: list[str]
    logits: FloatArray
    windowed: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Engine:
    """Cleaning, tokenizing and an engine, joined.

    Attributes:
        cleaning: options applied to every text.
        tokenizer: the model's.
        backend: the engine.
    """

    cleaning: CleaningOptions
    tokenizer: TextTokenizer
    backend: Backend

    def one(self, text: str, *, truncate: bool = False) -> Scored:
        """A single text, the shortest way."""
        rows = self.tokenizer.one(self._clean(check_text(text, 0), 0))
        if truncate or len(rows) == 1:
            return Scored([text], self.backend.logits(TokenBatch.of(rows[:1])), np.zeros(1, dtype=bool))
        (scored,) = self._scored(iter([self._chunk([text], [0], Tokens(rows, np.zeros(len(rows), dtype=np.intp)))]))
        return scored

    def stream(self, texts: Iterable[str], *, truncate: bool = False, window: int | None = None) -> Iterator[Scored]:
        """Chunks of neighbouring texts in input order; the next is prepared while the engine runs on this one.

        Args:
            texts: any iterable; it is read at most three chunks ahead.
            truncate: read only the first window of a long text.
            window: most texts of a chunk; the engine's own choice by default.
        """
        with ThreadPoolExecutor(1) as pool:
            parts = chunks(texts, window or self.backend.plan.window)
            futures = (pool.submit(self._prepare, number, part, truncate) for number, part in parts)
            yield from self._scored(future.result() for future in one_ahead(futures))

    def rehearse(self) -> None:
        """Made-up texts go the whole way, so that the first real ones wait for no table, thread or memory."""
        words, counts = cycle(self.tokenizer.words()), cycle(REHEARSED)
        for _ in self.stream(
            f"{' '.join(islice(words, next(counts)))} {number} \N{SLIGHTLY SMILING FACE}"
            for number in range(2 * self.backend.plan.window)
        ):
            pass

    def _prepare(self, number: int, texts: list[str], truncate: bool) -> "_Chunk":
        """Clean and tokenize; texts that are the same once cleaned are computed once."""
        seen: dict[str, int] = {}
        place = [
            seen.setdefault(self._clean(text, position), len(seen)) for position, text in enumerate(texts, start=number)
        ]
        return self._chunk(texts, place, self.tokenizer.many(list(seen), truncate=truncate))

    def _clean(self, text: str, number: int) -> str:
        cleaned = clean(text, self.cleaning)
        if len(cleaned) > MAX_CHARACTERS:
            check_text(cleaned, number)
        return cleaned

    def _chunk(self, texts: list[str], place: list[int], tokens: Tokens) -> "_Chunk":
        plan = self.backend.plan
        groups = batches(tokens.lengths(), plan.token_budget, plan.max_texts, equal=plan.equal)
        return _Chunk(texts, np.array(place, dtype=np.intp), tokens, groups)

    def _scored(self, prepared: Iterator["_Chunk"]) -> Iterator[Scored]:
        """Run the batches of one chunk after another without a pause in between."""
        running: deque[_Chunk] = deque()

        def feed() -> Iterator[TokenBatch]:
            for chunk in prepared:
                running.append(chunk)
                for group in chunk.groups:
                    yield TokenBatch.of([chunk.tokens.rows[i] for i in group], self.tokenizer.pad_id)

        for logits in self.backend.many(feed()):
            running[0].results.append(logits)
            if len(running[0].results) == len(running[0].groups):
                yield running.popleft().scored()


@dataclass(frozen=True)
class _Chunk:
    """Texts on their way through the engine.

    Attributes:
        texts: as given.
        place: (texts,) which distinct cleaned text each of them is.
        tokens: of the distinct texts.
        groups: the windows of each batch.
        results: logits of the batches done so far.
    """

    texts: list[str]
    place: npt.NDArray[np.intp]
    tokens: Tokens
    groups: list[npt.NDArray[np.intp]]
    results: list[FloatArray] = field(default_factory=list)

    def scored(self) -> Scored:
        """Logits of each text, from those of the batches."""
        logits = np.empty((len(self.tokens.rows), self.results[0].shape[1]), dtype=np.float32)
        for group, result in zip(self.groups, self.results, strict=True):
            logits[group] = result
        windowed = np.bincount(self.tokens.owner) > 1
        return Scored(self.texts, combine(logits, self.tokens.owner)[self.place], windowed[self.place])


def one_ahead(futures: Iterator[Future[T]]) -> Iterator[Future[T]]:
    """The same, with the next one asked for before this one is handed out, so that it is computed meanwhile."""
    waiting = next(futures, None)
    while waiting is not None:
        following = next(futures, None)
        yield waiting
        waiting = following


def combine(logits: FloatArray, owner: npt.NDArray[np.intp]) -> FloatArray:
    """One row per text from one row per window: each label's highest logit.

    Args:
        logits: (windows, labels).
        owner: (windows,) ascending text numbers.
    """
    if len(owner) == owner[-1] + 1:
        return logits
    starts = np.flatnonzero(np.diff(owner, prepend=-1))
    combined: FloatArray = np.maximum.reduceat(logits, starts, axis=0)
    return combined


def chunks(texts: Iterable[str], most: int) -> Iterator[tuple[int, list[str]]]:
    """At most ``most`` neighbouring texts, fewer where they are long, with the number of the first.

    The first chunk is a quarter of the others, so that the engine need not wait long for its first batch.

    Raises:
        DataError: at an entry that is not a text or is longer than ``MAX_CHARACTERS``.
    """
    source = iter(texts)
    start, size = 0, max(1, most // 4)
    while chunk := _some(source, start, size):
        yield start, chunk
        start, size = start + len(chunk), most


def _some(source: Iterator[str], start: int, most: int) -> list[str]:
    chunk: list[str] = []
    characters = 0
    for text in islice(source, most):
        chunk.append(check_text(text, start + len(chunk)))
        characters += len(text)
        if characters >= CHUNK_CHARACTERS:
            break
    return chunk


def check_text(text: str, number: int) -> str:
    """The text itself, if it is one.

    Raises:
        DataError: naming its position.
    """
    if not isinstance(text, str):
        raise DataError(f"Text {number} is not a string but {type(text).__name__}.", hint="Give strings only.")
    if len(text) > MAX_CHARACTERS:
        raise DataError(
            f"Text {number} has {len(text):,} characters; a text may have at most {MAX_CHARACTERS:,}.",
            hint="Split it, or read a file of texts with 'affekt predict --file'.",
        )
    return text
