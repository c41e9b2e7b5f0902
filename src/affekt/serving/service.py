"""What the routes ask: the model, its queue and its explainer, started and stopped together."""

import asyncio
import logging
from collections.abc import Mapping, Sequence

from pydantic_core import to_json

from affekt.answering import Answer, label_sets
from affekt.classifier import EmotionClassifier
from affekt.errors import SettingError
from affekt.explanation import Explanation
from affekt.prediction import Prediction
from affekt.serving import answers
from affekt.serving.batcher import BatchLimits, MicroBatcher
from affekt.serving.explaining import Explainer
from affekt.serving.metrics import Metrics
from affekt.serving.problems import Problem, shortened
from affekt.serving.served import FloatArray, Row, ServedModel
from affekt.serving.settings import Settings

LOG = logging.getLogger("affekt.serving")

MANY = 64
"""Requests with more texts have their answers put together in a thread."""


class Service:
    """Everything behind the API.

    Args:
        classifier: the model.
        settings: limits.
        metrics: told of what happens.
    """

    def __init__(self, classifier: EmotionClassifier, settings: Settings, metrics: Metrics) -> None:
        self.settings, self.metrics = settings, metrics
        self.served = ServedModel(classifier, settings)
        limits = BatchLimits(
            tokens=self.served.batch_tokens,
            wait=settings.batch_wait_ms / 1000,
            queue_items=settings.queue_texts,
            queue_wait=settings.queue_ms / 1000,
        )
        self.batcher: MicroBatcher[Row, FloatArray] = MicroBatcher(self.served.run, limits, metrics, self.served.lanes)
        self.explainer = Explainer(self.served, self.batcher)
        self.model_name = answers.model_name(self.served)
        self.model_description = to_json(answers.describe_model(self.served))
        self.label_sets = frozenset(label_sets(classifier.manifest))
        self.taxonomy = classifier.manifest.taxonomy
        self._warm = False
        metrics.gauge("affekt_queue_rows", "Texts (windows) that wait for the model.", lambda: self.batcher.waiting)

    async def start(self) -> None:
        """Warm the model and begin to take requests."""
        speed = await asyncio.get_running_loop().run_in_executor(None, self.served.warm)
        self.batcher.start(speed)
        self._warm = True

    async def stop(self) -> None:
        """Finish what waits."""
        await self.batcher.close()
        self.explainer.close()
        self.served.close()

    def not_ready(self) -> str:
        """Why requests would not be answered; empty if they would."""
        if not self._warm:
            return "The model is not warm yet."
        if not self.batcher.alive:
            return "The server is about to stop."
        if self.batcher.busy_seconds > self.settings.answer_seconds:
            return "The model is stuck."
        return ""

    def admit(self, client: str, tokens: int) -> None:
        """Refuse at once what could not be answered in time."""
        self.batcher.admit(client, tokens)

    def answer(
        self, taxonomy: str | None, thresholds: float | Mapping[str, float] | None = None, top_k: int | None = None
    ) -> Answer:
        """How a request wants to be answered.

        Raises:
            Problem: 422 naming the label set or the thresholds.
        """
        pairs = tuple(thresholds.items()) if isinstance(thresholds, Mapping) else thresholds
        try:
            return self.served.answer(taxonomy, pairs, top_k)
        except SettingError as error:
            field = "thresholds" if taxonomy is None or taxonomy in self.label_sets else "taxonomy"
            raise Problem(422, "invalid", shortened(str(error)), field=field) from None

    def check_emotions(self, taxonomy: str | None, emotions: Sequence[str] | None) -> None:
        """Refuse emotions that the label set does not have.

        Raises:
            Problem: 422 naming the label set or the emotion.
        """
        labels = self.answer(taxonomy).view.labels
        for number, emotion in enumerate(emotions or ()):
            if emotion not in labels:
                sentence = f"There is no emotion '{emotion}' in this label set."
                raise Problem(422, "invalid", sentence, field=f"emotions.{number}")

    def check_count(self, texts: Sequence[str], *, explain: bool = False, field: str = "texts") -> None:
        """Refuse too many texts.

        Raises:
            Problem: 422.
        """
        most = self.settings.explain_texts if explain else self.settings.texts
        if len(texts) > most:
            kind = "A request that asks for explanations" if explain else "A request"
            raise Problem(422, "too-many-texts", f"{kind} may hold at most {most} texts.", field=field)

    async def predict(
        self, client: str, texts: Sequence[str], answer: Answer, *, truncate: bool, field: str
    ) -> list[Prediction]:
        """Answers for a request's texts."""
        scored = await self.served.score(self.batcher, client, texts, truncate=truncate, field=field)
        self._count(texts)
        if len(texts) <= MANY:
            return self.served.predictions(answer, scored)
        return await asyncio.to_thread(self.served.predictions, answer, scored)

    async def values(
        self, client: str, texts: Sequence[str], *, raw: bool, truncate: bool, field: str
    ) -> list[dict[str, float]]:
        """Label -> score of each text, or logit if ``raw``; for the model's own labels."""
        if not texts:
            return []
        scored = await self.served.score(self.batcher, client, texts, truncate=truncate, field=field)
        self._count(texts)
        view = self.served.answer(None, None, None).view
        rows = scored.logits if raw else view.scores(scored.logits)
        return [dict(zip(view.labels, row, strict=True)) for row in rows.tolist()]

    async def explain_all(
        self,
        client: str,
        texts: Sequence[str],
        taxonomy: str | None,
        emotions: Sequence[Sequence[str] | None],
        field: str,
    ) -> list[Explanation | None]:
        """An explanation for each text, one after the other."""
        fields = [f"{field}.{number}" for number in range(len(texts))] if field == "texts" else [field]
        return [
            await self.explainer.explain(client, text, taxonomy, names, place)
            for text, names, place in zip(texts, emotions, fields, strict=True)
        ]

    def _count(self, texts: Sequence[str]) -> None:
        self.metrics.texts.inc(len(texts))
        if self.settings.log_texts:
            for text in texts:
                LOG.info("text %r", text)
