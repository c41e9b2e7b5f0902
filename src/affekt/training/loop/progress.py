"""What a run has come to: the part of a checkpoint that is not tensors, and what is told to whoever watches."""

import math
from dataclasses import asdict, dataclass, field
from typing import Any, Self


@dataclass
class Progress:
    """Where a run stands; saved with every checkpoint.

    Attributes:
        step: optimizer steps taken or skipped.
        skipped: of these, skipped because gradients were not finite.
        skipped_in_epoch: the same since the epoch began.
        best_score: best score of an epoch so far; NaN before the first.
        best_step: when that epoch ended; 0 before the first.
        stale: epochs since then.
        seconds: of training, over all tries.
        epochs: figures of each epoch that ended.
    """

    step: int = 0
    skipped: int = 0
    skipped_in_epoch: int = 0
    best_score: float = math.nan
    best_step: int = 0
    stale: int = 0
    seconds: float = 0.0
    epochs: list[dict[str, Any]] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """For a checkpoint, with None for NaN."""
        values = asdict(self)
        return values | {"best_score": None if math.isnan(self.best_score) else self.best_score}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """Read :meth:`to_json`."""
        score = values["best_score"]
        return cls(**{**values, "best_score": math.nan if score is None else score})

    def take_epoch(self, score: float, figures: dict[str, Any]) -> bool:
        """Enter an epoch's score; whether it is the best so far. A score that is not finite never is."""
        better = math.isfinite(score) and not score <= self.best_score
        if better:
            self.best_score, self.best_step, self.stale = score, self.step, 0
        else:
            self.stale += 1
        self.skipped_in_epoch = 0
        self.epochs.append(figures | {"best": better})
        return better


@dataclass(frozen=True)
class Start:
    """What a run is about to do.

    Attributes:
        engine: its name.
        texts: of the training set.
        epochs: passes over them.
        steps: optimizer steps in all.
        first: the step to begin with, more than 0 when resumed.
    """

    engine: str
    texts: int
    epochs: int
    steps: int
    first: int


@dataclass(frozen=True)
class Report:
    """Means since the last report.

    Attributes:
        step: optimizer steps so far.
        epoch: passes so far, with fraction.
        loss: per text.
        lr: peak rate times the schedule's factor at the last step.
        grad_norm: global norm of the gradients before clipping.
        skipped: steps skipped since the run began.
        texts_per_second: since the last report, evaluation left out.
    """

    step: int
    epoch: float
    loss: float
    lr: float
    grad_norm: float
    skipped: int
    texts_per_second: float


@dataclass(frozen=True)
class EpochReport:
    """An epoch that ended.

    Attributes:
        epoch: counted from 1.
        step: optimizer steps so far.
        loss: mean training loss per text over the epoch.
        score: macro-F1 on dev at the recipe's threshold; NaN without a dev set.
        best: whether no epoch before was better.
        seconds: of the epoch, evaluation included.
    """

    epoch: int
    step: int
    loss: float
    score: float
    best: bool
    seconds: float


class Hook:
    """Something that follows a run; each method is called in the first process only and may be left out."""

    def start(self, start: Start) -> None:
        """The first step is about to be taken."""

    def report(self, report: Report) -> None:
        """Some steps were taken."""

    def epoch(self, report: EpochReport) -> None:
        """An epoch was measured."""

    def note(self, text: str) -> None:
        """Something to tell people, one sentence."""

    def close(self) -> None:
        """The run has ended, well or not."""
