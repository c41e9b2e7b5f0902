"""The classifier as the server uses it: texts are checked and tokenized first; only token ids wait for the model."""

import asyncio
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from affekt.answering import Answer
from affekt.backends import TokenBatch
from affekt.batching import batches
from affekt.classifier import EmotionClassifier
from affekt.cleaning import clean
from affekt.engine import combine
from affekt.prediction import Prediction
from affekt.serving.batcher import MicroBatcher
from affekt.serving.problems import Problem
from affekt.serving.settings import Settings
from affekt.tokenizing import TextTokenizer, Tokens

FloatArray = npt.NDArray[np.float32]
Row = list[int]

INLINE_CHARS = 4000
"""Requests with more characters are prepared in a thread, so that the others need not wait for them."""

LANE_TOKENS = 128
"""Tokens of a batch on one processor: more are hardly faster together, and each waits for all the others."""

WARM_TEXTS = ("I love this!", "I did not expect that, and I am not sure how I feel about it. " * 3, "ok " * 60)


@dataclass(frozen=True)
class Prepared:
    """Texts of one request, ready for the model.

    Attributes:
        texts: as sent.
        rows: token ids of every window.
        costs: tokens of every window.
        owner: (windows,) the text that each belongs to.
    """

    texts: Sequence[str]
    rows: list[Row]
    costs: list[int]
    owner: npt.NDArray[np.intp]

    @property
    def windowed(self) -> npt.NDArray[np.bool_]:
        """(texts,) whether each is longer than the model reads at once."""
        found: npt.NDArray[np.bool_] = np.bincount(self.owner, minlength=len(self.texts)) > 1
        return found


@dataclass(frozen=True)
class Scored:
    """Texts and their logits, (texts, labels)."""

    texts: Sequence[str]
    logits: FloatArray
    windowed: npt.NDArray[np.bool_]


class ServedModel:
    """A classifier behind a micro-batcher.

    Args:
        classifier: the model.
        settings: limits.
    """

    def __init__(self, classifier: EmotionClassifier, settings: Settings) -> None:
        self.classifier, self.settings = classifier, settings
        self._helper = ThreadPoolExecutor(1, thread_name_prefix="affekt-prepare")
        self.answer = lru_cache(maxsize=64)(self._answer)
        onnx = classifier.backend.name.startswith("onnx")
        self.lanes = settings.lanes if onnx else 1
        self.batch_tokens = settings.batch_tokens or (LANE_TOKENS if onnx else classifier.backend.plan.token_budget)

    def _answer(
        self, taxonomy: str | None, thresholds: float | tuple[tuple[str, float], ...] | None, top_k: int | None
    ) -> Answer:
        given = dict(thresholds) if isinstance(thresholds, tuple) else thresholds
        return Answer.of(self.classifier.manifest, taxonomy, given, top_k)

    def warm(self) -> float:
        """Run the model on texts of several lengths, so that the first request is as fast as the others.

        Returns:
            Tokens a second of one lane.
        """
        rows = _tokens(self.classifier.engine.tokenizer, list(WARM_TEXTS * 4), truncate=True).rows
        for row in rows[: len(WARM_TEXTS)]:
            self.run([row])
        self.run(rows)
        started = time.perf_counter()
        self.run(rows)
        return sum(map(len, rows)) / (time.perf_counter() - started)

    def run(self, rows: Sequence[Row]) -> list[FloatArray]:
        """Logits of each row of token ids, in order."""
        backend = self.classifier.backend
        pad_id = self.classifier.engine.tokenizer.pad_id
        if len(rows) == 1:
            return list(backend.logits(TokenBatch.of(rows, pad_id)))
        plan = backend.plan
        groups = batches([len(row) for row in rows], plan.token_budget, plan.max_texts, equal=plan.equal)
        feed = (TokenBatch.of([rows[i] for i in group], pad_id) for group in groups)
        found: list[FloatArray | None] = [None] * len(rows)
        for group, logits in zip(groups, backend.many(feed), strict=True):
            for position, row in zip(group.tolist(), logits, strict=True):
                found[position] = row
        return [row for row in found if row is not None]

    def prepare(self, texts: Sequence[str], *, truncate: bool = False, field: str = "texts") -> Prepared:
        """Clean and tokenize texts within the limits.

        Raises:
            Problem: 422 naming the first text that is too long, or 413 if all together are.
        """
        engine = self.classifier.engine
        cleaned = [self._cleaned(text, _name(field, number)) for number, text in enumerate(texts)]
        tokens = _tokens(engine.tokenizer, cleaned, truncate=truncate)
        costs = tokens.lengths().tolist()
        if sum(costs) > self.settings.request_tokens:
            limit = self.settings.request_tokens
            raise Problem(413, "too-many-tokens", f"The texts have more than {limit} tokens together.", field=field)
        return Prepared(texts, tokens.rows, costs, tokens.owner)

    def _cleaned(self, text: str, field: str) -> str:
        limits = self.settings
        if len(text) > limits.text_chars:
            raise Problem(422, "text-too-long", f"A text may have at most {limits.text_chars} characters.", field=field)
        cleaned = clean(text, self.classifier.manifest.cleaning)
        if len(cleaned) > limits.clean_chars:
            sentence = f"A text may have at most {limits.clean_chars} characters once emoji are spelled out."
            raise Problem(422, "text-too-long", sentence, field=field)
        return cleaned

    async def prepare_aside(self, texts: Sequence[str], *, truncate: bool = False, field: str = "texts") -> Prepared:
        """:meth:`prepare`, in a thread if there is much to do."""
        if sum(map(len, texts)) <= INLINE_CHARS:
            return self.prepare(texts, truncate=truncate, field=field)
        return await asyncio.get_running_loop().run_in_executor(
            self._helper, lambda: self.prepare(texts, truncate=truncate, field=field)
        )

    async def score(
        self, batcher: MicroBatcher[Row, FloatArray], client: str, texts: Sequence[str], *, truncate: bool, field: str
    ) -> Scored:
        """Logits of a request's texts, computed together with those of other requests."""
        prepared = await self.prepare_aside(texts, truncate=truncate, field=field)
        rows = await batcher.submit(client, prepared.rows, prepared.costs)
        return Scored(texts, combine(np.stack(rows), prepared.owner), prepared.windowed)

    def predictions(self, answer: Answer, scored: Scored) -> list[Prediction]:
        """The answers in the label set that was asked for."""
        return list(answer.predictions(scored.texts, scored.logits, scored.windowed))

    def close(self) -> None:
        """Stop the helper thread."""
        self._helper.shutdown(wait=False, cancel_futures=True)


def _tokens(tokenizer: TextTokenizer, texts: list[str], *, truncate: bool) -> Tokens:
    if len(texts) > 1:
        return tokenizer.many(texts, truncate=truncate)
    rows = tokenizer.one(texts[0])[: 1 if truncate else None]
    return Tokens(rows, np.zeros(len(rows), dtype=np.intp))


def _name(field: str, number: int) -> str:
    return f"{field}.{number}" if field.endswith("s") else field
