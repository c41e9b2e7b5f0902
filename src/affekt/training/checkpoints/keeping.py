"""Keeping a run's checkpoints and its best weights: on the disk for runs that may have to go on, else in memory."""

import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import torch
from torch import Tensor

from affekt.errors import CheckpointError, TrainingError
from affekt.training.checkpoints.checkpoint import Checkpoint, Checkpoints
from affekt.training.checkpoints.fingerprint import Fingerprint, check_same
from affekt.training.checkpoints.states import restore_rng, rng_state
from affekt.training.engines.engine import Engine
from affekt.training.engines.processes import Processes
from affekt.training.loop.progress import Progress

FINAL = "final."


class Keeper(Protocol):
    """Keeps what must not be lost."""

    @property
    def place(self) -> str:
        """Where checkpoints lie, for people; empty where there are none."""
        ...

    def due(self, progress: Progress) -> bool:
        """Whether it is time for a checkpoint, besides those at the ends of epochs."""
        ...

    def save(self, engine: Engine, progress: Progress, *, complete: bool = False) -> None:
        """Keep the run as it is now; all processes must call it."""
        ...

    def finish(self) -> None:
        """Wait for what is still being written."""
        ...

    def best_weights(self, engine: Engine, progress: Progress) -> dict[str, Tensor]:
        """The weights of the best epoch (or the last ones without a dev set) on the CPU; all processes must ask."""
        ...


class MemoryKeeper:
    """Keeps the best weights of a run that need not survive its process."""

    place = ""

    def __init__(self) -> None:
        self._best: tuple[int, dict[str, Tensor]] = (-1, {})

    def due(self, progress: Progress) -> bool:  # noqa: ARG002
        """Never."""
        return False

    def save(self, engine: Engine, progress: Progress, *, complete: bool = False) -> None:
        """Copy the weights, if they are the best and not the last."""
        if progress.best_step == progress.step and not complete:
            self._best = (progress.step, _on_cpu(engine.weights()))

    def finish(self) -> None:
        """There is nothing to wait for."""

    def best_weights(self, engine: Engine, progress: Progress) -> dict[str, Tensor]:
        """The copy, or what the engine holds."""
        step, weights = self._best
        return weights if step == progress.best_step else _on_cpu(engine.weights())


class DiskKeeper:
    """Keeps checkpoints in a folder, written in the background by the first process.

    Args:
        checkpoints: the folder.
        fingerprint: of what the run is made of.
        processes: those of the run.
        note: told of checkpoints that could not be written.
        every_steps: optimizer steps between checkpoints; 0 for none inside epochs.
        every_minutes: minutes between checkpoints, in runs of a single process; 0 for none inside epochs.
    """

    def __init__(
        self,
        checkpoints: Checkpoints,
        fingerprint: Fingerprint,
        processes: Processes,
        *,
        note: Callable[[str], None] = lambda _: None,
        every_steps: int = 0,
        every_minutes: float = 10.0,
    ) -> None:
        self.checkpoints, self.fingerprint, self.processes = checkpoints, fingerprint, processes
        self.note, self.every_steps, self.every_seconds = note, every_steps, 60.0 * every_minutes
        self._last = time.monotonic()

    @property
    def place(self) -> str:
        """The checkpoints' folder."""
        return str(self.checkpoints.folder)

    def due(self, progress: Progress) -> bool:
        """Whether the steps or the minutes have passed."""
        if self.every_steps and progress.step % self.every_steps == 0:
            return True
        alone = self.processes.size == 1
        return bool(alone and self.every_seconds and time.monotonic() - self._last >= self.every_seconds)

    def save(self, engine: Engine, progress: Progress, *, complete: bool = False) -> None:
        """Copy everything and let a thread write it; a write that fails is noted, and the next one tried all the same.

        Raises:
            TrainingError: weights or moments are not finite, so nothing is saved.
        """
        if complete:
            tensors: dict[str, Tensor] = {f"{FINAL}{name}": value for name, value in engine.weights().items()}
            state: dict[str, Any] = {}
        else:
            tensors, values = engine.state()
            noise, rng = gathered_rng(self.processes)
            tensors, state = tensors | noise, {"engine": values, "rng": rng}
        self._last = time.monotonic()
        if not self.processes.first:
            return
        if not _finite(tensors):
            raise TrainingError(
                f"After step {progress.step:,} the weights are no longer finite; no checkpoint was made of them.",
                hint=f"The last good one is in '{self.place}'. Try a lower lr or more warm-up.",
            )
        state |= {"progress": progress.to_json(), "fingerprint": self.fingerprint.to_json(), "complete": complete}
        self.checkpoints.protected = {progress.best_step}
        try:
            self.checkpoints.save_in_background(progress.step, tensors, state)
        except CheckpointError as error:  # of the one before
            self.note(str(error))
            self.checkpoints.save_in_background(progress.step, tensors, state)

    def finish(self) -> None:
        """Wait for the last write; one that failed is noted."""
        try:
            self.checkpoints.wait()
        except CheckpointError as error:
            self.note(str(error))

    def latest(self, *, allow_changes: bool = False) -> Checkpoint | None:
        """The newest whole checkpoint, if it is of the same run; None where there is none.

        Raises:
            CheckpointError: all are damaged, or the run is not what it was.
        """
        checkpoint = self.checkpoints.load_latest()
        if checkpoint is None:
            return None
        for text in checkpoint.notes:
            self.note(text)
        saved = Fingerprint.from_json(checkpoint.state["fingerprint"])
        for difference in check_same(saved, self.fingerprint, allow_changes=allow_changes):
            self.note(f"Going on although {difference}.")
        return checkpoint

    def restore(self, engine: Engine, checkpoint: Checkpoint) -> Progress:
        """Set engine and random generators as they were; a complete run needs neither."""
        if not checkpoint.state["complete"]:
            engine.restore(checkpoint.tensors, checkpoint.state["engine"])
            restore_gathered_rng(self.processes, checkpoint.tensors, checkpoint.state["rng"])
        return Progress.from_json(checkpoint.state["progress"])

    def best_weights(self, engine: Engine, progress: Progress) -> dict[str, Tensor]:
        """From the engine if it holds them, else from the best epoch's checkpoint."""
        if progress.best_step in (0, progress.step):
            return _on_cpu(engine.weights())
        self.finish()
        return dict(engine.saved(self.checkpoints.load(progress.best_step).tensors))


def final_weights(checkpoint: Checkpoint) -> dict[str, Tensor]:
    """The last weights of a complete run."""
    return {name.removeprefix(FINAL): value for name, value in checkpoint.tensors.items() if name.startswith(FINAL)}


def gathered_rng(processes: Processes) -> tuple[dict[str, Tensor], Any]:
    """The random generators' states of all processes: :func:`rng_state` of the first, and PyTorch's of every one."""
    device = processes.device
    tensors, rest = rng_state(device)
    tensors["rng.ranks.cpu"] = torch.stack(processes.gather(torch.get_rng_state()))
    if device.type == "cuda":
        tensors["rng.ranks.cuda"] = torch.stack(processes.gather(torch.cuda.get_rng_state(device)))
    return tensors, rest


def restore_gathered_rng(processes: Processes, tensors: Mapping[str, Tensor], rest: Any) -> None:
    """Set this process's generators; with more processes than there were, the further ones keep their own."""
    device, held = processes.device, tensors["rng.ranks.cpu"]
    if processes.rank >= len(held):
        return
    restore_rng(tensors, rest, device)
    torch.set_rng_state(held[processes.rank].clone())  # PyTorch reads from where the memory begins, not the view
    if device.type == "cuda" and "rng.ranks.cuda" in tensors:
        torch.cuda.set_rng_state(tensors["rng.ranks.cuda"][processes.rank].clone(), device)


def _finite(tensors: Mapping[str, Tensor]) -> bool:
    checks = [torch.isfinite(tensor).all() for tensor in tensors.values() if tensor.is_floating_point()]
    return all(bool(check) for check in checks)


def _on_cpu(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: value.detach().to("cpu", copy=True) for name, value in weights.items()}
