"""Explanations whose many variants of a text share the model with everybody's requests, in fair turns."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from affekt.answering import View
from affekt.explanation import Explanation, explain
from affekt.model_folder import Manifest
from affekt.serving.batcher import MicroBatcher
from affekt.serving.problems import Problem
from affekt.serving.served import FloatArray, Row, Scored, ServedModel

THREADS = 2


class Explainer:
    """Runs explanations in a few threads, each of which asks the batcher for scores.

    Args:
        served: the model.
        batcher: the queue before it.
    """

    def __init__(self, served: ServedModel, batcher: MicroBatcher[Row, FloatArray]) -> None:
        self._served, self._batcher = served, batcher
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="affekt-explain")
        self._running = 0

    async def explain(
        self, client: str, text: str, taxonomy: str | None, emotions: Sequence[str] | None, field: str
    ) -> Explanation:
        """Which words moved which emotion.

        Raises:
            Problem: 422 if the text is too long, 429 if too many explanations are in progress.
            SettingError: if the label set or an emotion does not exist.
        """
        settings = self._served.settings
        if len(text) > settings.explain_chars:
            sentence = f"A text to be explained may have at most {settings.explain_chars} characters."
            raise Problem(422, "text-too-long", sentence, field=field)
        if self._running >= settings.explanations:
            raise Problem(429, "overloaded", "Too many explanations are in progress; come again.", retry_after=1)
        try:
            return await self._run(client, text, taxonomy, emotions)
        except Problem as problem:
            if problem.code != "too-many-tokens":
                raise
            sentence = "The text has too many words to be explained; ask about a part of it."
            raise Problem(422, "text-too-long", sentence, field=field) from None

    async def _run(self, client: str, text: str, taxonomy: str | None, emotions: Sequence[str] | None) -> Explanation:
        loop = asyncio.get_running_loop()
        scorer = _QueuedScorer(self._served, self._batcher, client, loop)
        self._running += 1
        try:
            return await loop.run_in_executor(
                self._threads, lambda: explain(scorer, text, taxonomy=taxonomy, emotions=emotions)
            )
        finally:
            self._running -= 1
            scorer.stop()

    def close(self) -> None:
        """Stop the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)


class _QueuedScorer:
    """A classifier's ``scores``, for a thread of its own, through the batcher."""

    def __init__(
        self, served: ServedModel, batcher: MicroBatcher[Row, FloatArray], client: str, loop: asyncio.AbstractEventLoop
    ) -> None:
        self._served, self._batcher, self._client, self._loop = served, batcher, client, loop
        self._future: Future[Any] | None = None
        self._stopped = False

    @property
    def manifest(self) -> Manifest:
        """The model's."""
        return self._served.classifier.manifest

    def scores(self, texts: Sequence[str], taxonomy: str | None = None) -> FloatArray:
        """Calibrated scores, (texts, labels)."""
        if self._stopped:
            raise asyncio.CancelledError
        self._future = asyncio.run_coroutine_threadsafe(self._score(texts), self._loop)
        return View.of(self.manifest, taxonomy).scores(self._future.result().logits)

    async def _score(self, texts: Sequence[str]) -> Scored:
        return await self._served.score(self._batcher, self._client, texts, truncate=False, field="text")

    def stop(self) -> None:
        """Take what still waits out of the queue."""
        self._stopped = True
        if self._future is not None:
            self._future.cancel()
