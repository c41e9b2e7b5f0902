"""Stopping early and orderly: signals are answered at the next step, and too many bad steps end a run."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from affekt.errors import TrainingError


class StoppedError(TrainingError):
    """A run that was asked to stop, did, and can go on.

    Args:
        step: optimizer steps done.
        signal_number: what asked.
        saved: where the checkpoint lies; empty if the run keeps none.
    """

    code = "stopped"

    def __init__(self, step: int, signal_number: int, saved: str = "") -> None:
        kept = f"Everything up to then is saved in '{saved}'." if saved else "This run keeps no checkpoints."
        hint = "Go on with the same command and --resume." if saved else ""
        super().__init__(f"Training stopped after step {step:,}, as it was asked to. {kept}", hint=hint)
        self.step, self.signal_number = step, signal_number


class StopSignals:
    """Notes SIGTERM and Ctrl-C, so that the loop can save first; a second one acts at once, as usual."""

    def __init__(self) -> None:
        self.asked = 0

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Within the block signals are noted; only the main thread may listen, elsewhere nothing is changed."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before: dict[int, Any] = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

        def note(number: int, _frame: FrameType | None) -> None:
            self.asked = number
            for one, handler in before.items():
                signal.signal(one, handler)

        for number in before:
            signal.signal(number, note)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def too_many_skipped(skipped: int, limit: int, kept: str, texts: list[str]) -> TrainingError:
    """The error that ends a run whose gradients are not finite.

    Args:
        skipped: steps skipped in this epoch.
        limit: how many are allowed.
        kept: what is left of the run, one sentence.
        texts: of the last batch that was skipped.
    """
    shown = "; ".join(repr(text if len(text) <= 80 else f"{text[:79]}…") for text in texts[:3])
    more = f" and {len(texts) - 3} more, all listed in the log" if len(texts) > 3 else ""
    return TrainingError(
        f"{skipped} steps of this epoch had gradients that were not finite, more than the {limit} allowed. {kept} "
        f"The last of these batches held: {shown}{more}.",
        hint="Try a lower lr, more warm-up, or precision=bf16 or fp32; look for odd weights and teacher scores.",
    )
