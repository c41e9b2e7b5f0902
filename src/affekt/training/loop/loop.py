"""The loop: steps, reports, epochs, checkpoints and orderly ends, over any engine; everything else is a hook."""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from affekt.training.batching.batches import prefetch
from affekt.training.batching.sampling import BatchPlan
from affekt.training.checkpoints.keeping import Keeper
from affekt.training.engines.engine import Engine, StepTotals
from affekt.training.engines.processes import Processes
from affekt.training.loop.progress import EpochReport, Hook, Progress, Report, Start
from affekt.training.loop.schedules import Schedule
from affekt.training.loop.stopping import StoppedError, StopSignals, too_many_skipped

READ_EVERY = 20
"""Optimizer steps between readings of the device, the only times that the loop waits for it."""


@dataclass(frozen=True)
class Rules:
    """What ends a run before its last step, and what is told of it.

    Attributes:
        peak_lr: for reports.
        patience: epochs without a better score; 0 for any number.
        nonfinite_limit: skipped steps of an epoch.
        texts: (indices) -> the training texts, for the error that ends a run.
        most_steps: stop after so many steps; 0 for all. For estimates.
    """

    peak_lr: float
    patience: int = 0
    nonfinite_limit: int = 20
    texts: Callable[[npt.NDArray[np.intp]], list[str]] = lambda _: []
    most_steps: int = 0


class Loop:
    """Runs an engine through the epochs of a plan.

    Args:
        engine: takes the steps.
        plan: which texts each step sees.
        schedule: (step) -> factor of the peak rate; its ``steps`` are those of the whole run.
        evaluate: the score of the weights as they are, higher is better; None without a dev set. All processes call it.
        keeper: keeps checkpoints and the best weights.
        rules: what ends a run early.
        hooks: told of everything, in the first process.
        processes: those of the run.
    """

    def __init__(
        self,
        engine: Engine,
        plan: BatchPlan,
        schedule: Schedule,
        *,
        evaluate: Callable[[], float] | None,
        keeper: Keeper,
        rules: Rules,
        hooks: Sequence[Hook] = (),
        processes: Processes | None = None,
    ) -> None:
        self.engine, self.plan, self.schedule = engine, plan, schedule
        self.evaluate, self.keeper, self.rules = evaluate, keeper, rules
        self.processes = processes or Processes()
        self.hooks = list(hooks) if self.processes.first else []
        self.signals = StopSignals()
        self.steps = min(schedule.steps, rules.most_steps or schedule.steps)
        self._clock = self._epoch_clock = time.monotonic()
        self._epoch_loss = StepTotals(0.0, 0, 0, 0.0)
        self._texts_seen = 0

    def run(self, progress: Progress | None = None) -> Progress:
        """Take the steps that are left.

        Args:
            progress: where to go on; the beginning by default.

        Raises:
            StoppedError: a signal asked to stop; everything is saved.
            TrainingError: gradients or weights were not finite too often.
        """
        progress = progress or Progress()
        start = Start(self.engine.name, self.plan.texts, self._epochs, self.steps, progress.step)
        for hook in self.hooks:
            hook.start(start)
        try:
            with self.signals.listening():
                self._run(progress)
        finally:
            self.keeper.finish()  # whatever ended the run, what is being written is written
            for hook in self.hooks:
                hook.close()
        return progress

    @property
    def _epochs(self) -> int:
        return -(-self.schedule.steps // self.plan.steps_per_epoch)

    def _run(self, progress: Progress) -> None:
        began = time.monotonic() - progress.seconds
        self._clock = self._epoch_clock = time.monotonic()
        if self._enough(progress):
            return
        for batch in prefetch(self._prepared(progress.step)):
            self.engine.step(batch, self.schedule(progress.step))
            progress.step += 1
            progress.seconds = time.monotonic() - began
            if self._after_step(progress):
                return

    def _prepared(self, start: int) -> Iterator[object]:
        for texts in self.plan.batches(start, self.steps):
            yield self.engine.prepare(texts.astype(np.intp))

    def _after_step(self, progress: Progress) -> bool:
        """Report, measure and save as is due; whether the run is complete."""
        ends_epoch = progress.step % self.plan.steps_per_epoch == 0
        reads = ends_epoch or progress.step == self.steps or progress.step % READ_EVERY == 0
        alone = self.processes.size == 1
        stops = self.processes.any(bool(self.signals.asked)) if alone or reads else False
        if reads or stops:
            self._report(progress)
        if ends_epoch:
            self._end_epoch(progress)
        complete = progress.step >= self.steps or (ends_epoch and self._enough(progress))
        if stops and not complete:
            self._stop(progress)
        if ends_epoch or complete or self.keeper.due(progress):
            self.keeper.save(self.engine, progress, complete=complete)
        return complete

    def _enough(self, progress: Progress) -> bool:
        patience = self.rules.patience if self.evaluate is not None else 0
        return progress.step >= self.steps or (patience > 0 and progress.stale >= patience)

    def _report(self, progress: Progress) -> None:
        totals = self.engine.read()
        progress.skipped += totals.skipped
        progress.skipped_in_epoch += totals.skipped
        old = self._epoch_loss
        self._epoch_loss = StepTotals(old.loss + totals.loss, old.steps + totals.steps, 0, 0.0)
        now = time.monotonic()
        speed = totals.steps * self.plan.batch_size / max(now - self._clock, 1e-9)
        self._clock = now
        report = Report(
            step=progress.step,
            epoch=progress.step / self.plan.steps_per_epoch,
            loss=totals.mean_loss,
            lr=self.rules.peak_lr * self.schedule(progress.step - 1),
            grad_norm=totals.grad_norm / max(totals.steps - totals.skipped, 1),
            skipped=progress.skipped,
            texts_per_second=speed,
        )
        for hook in self.hooks:
            hook.report(report)
        if progress.skipped_in_epoch > self.rules.nonfinite_limit:
            self._give_up(progress, progress.step - totals.steps + totals.last_skipped)

    def _give_up(self, progress: Progress, step: int) -> None:
        texts = self.rules.texts(self.plan.batch(step).astype(np.intp))
        for hook in self.hooks:
            hook.note(f"Gradients were not finite at step {step + 1}, whose texts are: {texts}")
        kept = f"The last good checkpoint is in '{self.keeper.place}'." if self.keeper.place else ""
        raise too_many_skipped(progress.skipped_in_epoch, self.rules.nonfinite_limit, kept, texts)

    def _end_epoch(self, progress: Progress) -> None:
        score = self.evaluate() if self.evaluate is not None else math.nan
        if self.evaluate is not None and not math.isfinite(score):
            self._note("The scores on dev are not finite, so this epoch cannot be the best.")
        seconds = time.monotonic() - self._epoch_clock
        epoch = progress.step // self.plan.steps_per_epoch
        loss, finite = self._epoch_loss.mean_loss, score if math.isfinite(score) else None
        figures = {"epoch": epoch, "step": progress.step, "loss": loss, "score": finite, "seconds": seconds}
        best = progress.take_epoch(score, figures)
        for hook in self.hooks:
            hook.epoch(EpochReport(epoch, progress.step, loss, score, best, seconds))
        self._epoch_loss = StepTotals(0.0, 0, 0, 0.0)
        self._clock = self._epoch_clock = time.monotonic()

    def _note(self, text: str) -> None:
        for hook in self.hooks:
            hook.note(text)

    def _stop(self, progress: Progress) -> None:
        self.keeper.save(self.engine, progress)
        self.keeper.finish()
        raise StoppedError(progress.step, self.signals.asked, self.keeper.place)
