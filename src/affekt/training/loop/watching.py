"""Hooks for people and programs: a progress bar with time left, a JSONL log, TensorBoard."""

import json
import math
import time
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from affekt.errors import MissingExtraError
from affekt.training.loop.progress import EpochReport, Hook, Report, Start


class ProgressBar(Hook):
    """A bar on standard error with epoch, time left, loss and rate; a line per epoch where there is no terminal.

    Args:
        console: to draw on; standard error by default.
    """

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(stderr=True, highlight=False)
        self._bar: Progress | None = None
        self._task = TaskID(0)

    def start(self, start: Start) -> None:
        """Draw the bar, or say what begins."""
        resumed = f", going on after step {start.first:,}" if start.first else ""
        epochs = f"{start.epochs} epoch{'s' * (start.epochs != 1)}"
        said = f"{start.texts:,} texts, {epochs}, {start.steps:,} steps on the {start.engine} engine{resumed}"
        self.console.print(f"Training: {said}.", markup=False)
        if not self.console.is_terminal:
            return
        self._bar = Progress(
            TextColumn("epoch {task.fields[epoch]:.1f}"), BarColumn(None), MofNCompleteColumn(), TimeElapsedColumn(),
            TextColumn("left"), TimeRemainingColumn(), TextColumn("{task.fields[figures]}"),
            console=self.console,
        )  # fmt: skip
        self._task = self._bar.add_task("", total=start.steps, completed=start.first, epoch=0.0, figures="")
        self._bar.start()

    def report(self, report: Report) -> None:
        """Move the bar."""
        if self._bar is None:
            return
        skipped = f" skipped {report.skipped}" if report.skipped else ""
        figures = f"loss {report.loss:.4f} lr {report.lr:.1e} {report.texts_per_second:,.0f} texts/s{skipped}"
        self._bar.update(self._task, completed=report.step, epoch=report.epoch, figures=figures)

    def epoch(self, report: EpochReport) -> None:
        """A line above the bar."""
        score = (
            "" if math.isnan(report.score) else f", dev macro-F1 {report.score:.4f}{' (best)' if report.best else ''}"
        )
        self.note(f"Epoch {report.epoch}: loss {report.loss:.4f}{score}, {report.seconds:,.1f} s.")

    def note(self, text: str) -> None:
        """A line above the bar."""
        (self._bar.console if self._bar is not None else self.console).print(text, markup=False)

    def close(self) -> None:
        """Leave the bar as it is."""
        if self._bar is not None:
            self._bar.stop()


class JsonLog(Hook):
    """One JSON object per line and event.

    Args:
        path: the file; lines of steps that a resumed run takes again are removed first.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._early: list[str] | None = []

    def start(self, start: Start) -> None:
        """Drop what is after the first step, and open the log."""
        early, self._early = self._early or [], None
        self.path.parent.mkdir(parents=True, exist_ok=True)
        kept = [line for line in self._lines() if _step_of(line) <= start.first] if start.first else []
        self.path.write_text("".join(f"{line}\n" for line in kept), encoding="utf-8")
        self._write("start", asdict(start))
        for text in early:
            self.note(text)

    def _lines(self) -> list[str]:
        return self.path.read_text(encoding="utf-8").splitlines() if self.path.is_file() else []

    def report(self, report: Report) -> None:
        """A line."""
        self._write("steps", asdict(report))

    def epoch(self, report: EpochReport) -> None:
        """A line."""
        self._write("epoch", asdict(report))

    def note(self, text: str) -> None:
        """A line, once the run has started."""
        if self._early is not None:
            self._early.append(text)
        else:
            self._write("note", {"text": text})

    def close(self) -> None:
        """A line."""
        self._write("end", {})

    def _write(self, event: str, values: dict[str, Any]) -> None:
        finite = {key: None if isinstance(v, float) and not math.isfinite(v) else v for key, v in values.items()}
        line = json.dumps({"event": event, "time": round(time.time(), 3), **finite}, ensure_ascii=False)
        with open(self.path, "a", encoding="utf-8") as file:
            file.write(f"{line}\n")


def _step_of(line: str) -> float:
    """The step of a log line; infinite for one that was torn, so that it goes."""
    try:
        values = json.loads(line)
    except ValueError:
        return math.inf
    return float(values.get("step", values.get("first", 0)))


class TensorBoardLog(Hook):
    """Curves for TensorBoard.

    Args:
        folder: of the event files.

    Raises:
        MissingExtraError: if tensorboard is not installed.
    """

    def __init__(self, folder: Path) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise MissingExtraError("The TensorBoard log", "tensorboard") from error
        self._open = partial(SummaryWriter, str(folder))
        self._writer: Any = None

    def start(self, start: Start) -> None:
        """Open an event file that replaces later steps; not before, for a run begins with an empty folder."""
        self._writer = self._open(purge_step=start.first)

    def report(self, report: Report) -> None:
        """Loss, rate, gradient norm and speed."""
        for name in ("loss", "lr", "grad_norm", "texts_per_second", "skipped"):
            self._writer.add_scalar(f"train/{name}", getattr(report, name), report.step)

    def epoch(self, report: EpochReport) -> None:
        """The score on dev."""
        if not math.isnan(report.score):
            self._writer.add_scalar("dev/macro_f1", report.score, report.step)

    def close(self) -> None:
        """Write what is left."""
        if self._writer is not None:
            self._writer.close()
