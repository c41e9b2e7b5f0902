"""Many texts through one model: cleaned and tokenized while the engine runs, in bounded memory, in input order."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice

import numpy as np
import numpy.typing as npt

from affekt.backends import Backend, TokenBatch
from affekt.batching import batches
from affekt.cleaning import CleaningOptions, clean
from affekt.errors import DataError
from affekt.tokenizing import TextTokenizer, Tokens

MAX_CHARACTERS = 1_000_000
"""Longest text that is accepted; a longer one is a file given as a text by mistake."""

CHUNK_CHARACTERS = 4_000_000
"""A chunk of texts is closed early when it holds this many characters, so that long texts cannot fill the memory."""

FloatArray = npt.NDArray[np.float32]


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
        rows = self.tokenizer.one(clean(check_text(text, 0), self.cleaning))
        if truncate or len(rows) == 1:
            return Scored([text], self.backend.logits(TokenBatch.of(rows[:1])), np.zeros(1, dtype=bool))
        logits = self._run(Tokens(rows, np.zeros(len(rows), dtype=np.intp)))
        return Scored([text], logits, np.ones(1, dtype=bool))

    def stream(self, texts: Iterable[str], *, truncate: bool = False, window: int | None = None) -> Iterator[Scored]:
        """Chunks of neighbouring texts in input order; the next is prepared while the engine runs on this one.

        Args:
            texts: any iterable; it is read at most two chunks ahead.
            truncate: read only the first window of a long text.
            window: most texts of a chunk; the engine's own choice by default.
        """
        with ThreadPoolExecutor(1) as pool:
            waiting = None
            for chunk in chunks(texts, window or self.backend.plan.window):
                prepared = pool.submit(self._prepare, chunk, truncate)
                if waiting is not None:
                    yield self._finish(*waiting.result())
                waiting = prepared
            if waiting is not None:
                yield self._finish(*waiting.result())

    def _prepare(self, texts: list[str], truncate: bool) -> tuple[list[str], npt.NDArray[np.intp], Tokens]:
        """Texts, for each the position of its distinct cleaned form, and the tokens of the distinct forms."""
        seen: dict[str, int] = {}
        place = [seen.setdefault(clean(text, self.cleaning), len(seen)) for text in texts]
        return texts, np.array(place, dtype=np.intp), self.tokenizer.many(list(seen), truncate=truncate)

    def _finish(self, texts: list[str], place: npt.NDArray[np.intp], tokens: Tokens) -> Scored:
        windowed = np.bincount(tokens.owner) > 1
        return Scored(texts, self._run(tokens)[place], windowed[place])

    def _run(self, tokens: Tokens) -> FloatArray:
        """Logits of each text, (texts, labels), its windows combined."""
        plan = self.backend.plan
        lengths = tokens.lengths()
        groups = batches(lengths, plan.token_budget, plan.max_texts, equal=plan.equal)
        feed = (TokenBatch.of([tokens.rows[i] for i in group], self.tokenizer.pad_id) for group in groups)
        results = list(self.backend.many(feed))
        logits = np.empty((len(lengths), results[0].shape[1]), dtype=np.float32)
        for group, result in zip(groups, results, strict=True):
            logits[group] = result
        return combine(logits, tokens.owner)


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


def chunks(texts: Iterable[str], most: int) -> Iterator[list[str]]:
    """Lists of at most ``most`` neighbouring texts, fewer where they are long.

    Raises:
        DataError: at an entry that is not a text or is longer than ``MAX_CHARACTERS``.
    """
    source = enumerate(texts)
    while True:
        chunk: list[str] = []
        characters = 0
        for number, text in islice(source, most):
            chunk.append(check_text(text, number))
            characters += len(text)
            if characters >= CHUNK_CHARACTERS:
                break
        if not chunk:
            return
        yield chunk


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
