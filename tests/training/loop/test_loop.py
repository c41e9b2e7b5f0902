"""The loop over an engine that does nothing: order of events, best epochs, early ends, and nothing read too often."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from affekt.errors import TrainingError
from affekt.training.batching.batches import TokenIds
from affekt.training.batching.sampling import BatchPlan
from affekt.training.checkpoints.keeping import MemoryKeeper
from affekt.training.engines.engine import StepTotals
from affekt.training.loop.loop import READ_EVERY, Loop, Rules
from affekt.training.loop.progress import EpochReport, Hook, Progress, Report, Start
from affekt.training.loop.schedules import Schedule


class FakeEngine:
    """Counts; the weight is the number of steps taken.

    Args:
        bad: steps whose gradients are not finite.
    """

    name = "fake"

    def __init__(self, bad: frozenset[int] = frozenset()) -> None:
        self.bad, self.taken, self.reads = bad, 0, 0
        self.factors: list[float] = []
        self.seen: list[int] = []
        self._since: list[int] = []

    def prepare(self, texts: Any) -> Any:
        return texts

    def step(self, prepared: Any, lr_factor: float) -> None:
        self.seen += prepared.tolist()
        self.factors.append(lr_factor)
        self._since.append(self.taken)
        self.taken += 1

    def read(self) -> StepTotals:
        self.reads += 1
        since, self._since = self._since, []
        skipped = [number for number, step in enumerate(since) if step in self.bad]
        return StepTotals(0.5 * len(since), len(since), len(skipped), 1.0, skipped[-1] if skipped else -1)

    def logits(self, token_ids: TokenIds) -> Any:
        return np.zeros((len(token_ids), 1), dtype=np.float32)

    def weights(self) -> Mapping[str, Tensor]:
        return {"steps": torch.tensor(float(self.taken))}

    def saved(self, tensors: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        return tensors

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        return dict(self.weights()), {}

    def restore(self, tensors: Mapping[str, Tensor], values: Mapping[str, Any]) -> None:  # noqa: ARG002
        self.taken = int(tensors["steps"])


class Told(Hook):
    def __init__(self) -> None:
        self.events: list[Any] = []

    def start(self, start: Start) -> None:
        self.events.append(start)

    def report(self, report: Report) -> None:
        self.events.append(report)

    def epoch(self, report: EpochReport) -> None:
        self.events.append(report)

    def note(self, text: str) -> None:
        self.events.append(text)

    def close(self) -> None:
        self.events.append("closed")

    def of(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


def make(
    engine: FakeEngine, *, texts: int = 50, epochs: int = 3, scores: list[float] | None = None, **rules: Any
) -> tuple[Loop, Told, MemoryKeeper]:
    plan, told, keeper = BatchPlan(texts, 1, 0), Told(), MemoryKeeper()
    left = list(scores or [])
    evaluate: Callable[[], float] | None = (lambda: left.pop(0)) if scores else None
    loop = Loop(
        engine, plan, Schedule("linear", texts * epochs), evaluate=evaluate, keeper=keeper,
        rules=Rules(peak_lr=2.0, **rules), hooks=[told],
    )  # fmt: skip
    return loop, told, keeper


def test_every_text_is_seen_once_an_epoch_at_the_schedules_rate() -> None:
    engine = FakeEngine()
    loop, told, _ = make(engine)
    progress = loop.run()
    assert progress.step == 150
    assert sorted(engine.seen) == sorted(list(range(50)) * 3)
    assert engine.factors == [Schedule("linear", 150)(step) for step in range(150)]
    assert told.events[0] == Start("fake", 50, 3, 150, 0)
    assert told.events[-1] == "closed"
    assert [report.epoch for report in told.of(EpochReport)] == [1, 2, 3]


def test_the_device_is_read_now_and_then_only() -> None:
    engine = FakeEngine()
    loop, told, _ = make(engine)
    loop.run()
    assert [report.step for report in told.of(Report)] == [20, 40, 50, 60, 80, 100, 120, 140, 150]
    assert engine.reads == len(told.of(Report))
    assert all(report.step % READ_EVERY == 0 or report.step % 50 == 0 for report in told.of(Report))
    assert told.of(Report)[0].loss == 0.5
    assert told.of(Report)[0].lr == pytest.approx(2.0 * Schedule("linear", 150)(19))


def test_the_best_epoch_is_kept() -> None:
    engine = FakeEngine()
    loop, told, keeper = make(engine, scores=[0.3, 0.5, 0.4])
    progress = loop.run()
    assert (progress.best_score, progress.best_step, progress.stale) == (0.5, 100, 1)
    assert keeper.best_weights(engine, progress) == {"steps": torch.tensor(100.0)}
    assert [report.best for report in told.of(EpochReport)] == [True, True, False]


def test_an_equal_score_is_no_better() -> None:
    loop, _, _ = make(FakeEngine(), scores=[0.5, 0.5, 0.5])
    assert loop.run().best_step == 50


def test_scores_that_are_not_finite_are_never_the_best() -> None:
    engine = FakeEngine()
    loop, told, keeper = make(engine, scores=[math.nan, 0.2, math.inf])
    progress = loop.run()
    assert (progress.best_score, progress.best_step) == (0.2, 100)
    assert keeper.best_weights(engine, progress) == {"steps": torch.tensor(100.0)}
    assert len([text for text in told.of(str) if "not finite" in text]) == 2
    assert [epoch["score"] for epoch in progress.epochs] == [None, 0.2, None]


@pytest.mark.parametrize(("patience", "epochs"), [(0, 7), (1, 3), (2, 6), (9, 7)])
def test_patience(patience: int, epochs: int) -> None:
    scores = [0.1, 0.3, 0.2, 0.4, 0.4, 0.4, 0.5]
    loop, _, _ = make(FakeEngine(), epochs=7, scores=scores, patience=patience)
    assert len(loop.run().epochs) == epochs


def test_without_a_dev_set_nobody_loses_patience() -> None:
    loop, _, keeper = make(FakeEngine(), epochs=4, patience=1)
    progress = loop.run()
    assert (progress.step, progress.best_step) == (200, 0)
    assert keeper.best_weights(loop.engine, progress) == {"steps": torch.tensor(200.0)}


def test_some_steps_may_be_skipped() -> None:
    loop, told, _ = make(FakeEngine(frozenset({3, 60, 61})), nonfinite_limit=2)
    progress = loop.run()
    assert progress.skipped == 3
    assert told.of(Report)[-1].skipped == 3


def test_too_many_skipped_steps_end_the_run_and_show_the_texts() -> None:
    engine = FakeEngine(frozenset({55, 57, 59}))
    loop, told, _ = make(engine)
    loop.rules = Rules(peak_lr=1.0, nonfinite_limit=2, texts=lambda rows: [f"text {row}" for row in rows])
    with pytest.raises(TrainingError, match=r"3 steps of this epoch.*more than the 2 allowed") as raised:
        loop.run()
    offending = BatchPlan(50, 1, 0).batch(59)[0]
    assert f"'text {offending}'" in str(raised.value)
    assert any(f"text {offending}" in text for text in told.of(str))
    assert told.events[-1] == "closed"
    assert engine.taken == 60


@pytest.mark.parametrize("start", [0, 20, 49, 50, 51, 149])
def test_going_on_from_any_step_sees_the_same_texts(start: int) -> None:
    whole, rest = FakeEngine(), FakeEngine()
    make(whole)[0].run()
    make(rest)[0].run(Progress(step=start))
    assert rest.seen == whole.seen[start:]
    assert rest.factors == whole.factors[start:]


def test_a_complete_run_takes_no_step() -> None:
    engine = FakeEngine()
    loop, told, _ = make(engine)
    loop.run(Progress(step=150))
    assert (engine.taken, told.events[-1]) == (0, "closed")


def test_estimates_take_few_steps() -> None:
    engine = FakeEngine()
    loop, _, _ = make(engine, most_steps=7)
    assert (loop.run().step, engine.taken) == (7, 7)


def test_errors_of_the_preparing_thread_arrive() -> None:
    engine = FakeEngine()

    def broken(_: Any) -> Any:
        raise ValueError("no such text")

    engine.prepare = broken  # type: ignore[method-assign]
    loop, told, _ = make(engine)
    with pytest.raises(ValueError, match="no such text"):
        loop.run()
    assert told.events[-1] == "closed"


def test_progress_survives_json() -> None:
    for progress in (Progress(), Progress(7, 1, 1, 0.25, 5, 2, 3.5, [{"epoch": 1}])):
        again = Progress.from_json(progress.to_json())
        assert again.to_json() == progress.to_json()
