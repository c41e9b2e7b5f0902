"""Checkpoints that survive a kill, a power cut and a full disk: written whole and verified before older ones go."""

import copy
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from affekt.errors import CheckpointError, SettingError
from affekt.files import fsync_file, fsync_folder, sha256

FORMAT = 1
_TENSORS, _STATE, _MANIFEST = "tensors.safetensors", "state.json", "manifest.json"
_NAME = re.compile(r"step-(\d{8,})(?:\.(\d+))?")


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint as loaded.

    Attributes:
        step: optimizer steps done.
        tensors: by name, on the CPU.
        state: what was saved beside them.
        path: its folder.
        notes: one sentence per newer checkpoint that was damaged and passed over.
    """

    step: int
    tensors: dict[str, Tensor]
    state: dict[str, Any]
    path: Path
    notes: tuple[str, ...] = ()


class Checkpoints:
    """The checkpoints of one run, each a folder of a safetensors file, a JSON file and a manifest of their sha256.

    A checkpoint is written under a temporary name, flushed to the disk, renamed, read back and compared with what
    was to be saved; older ones go only after that. At any moment the newest folder with a proper name is complete,
    or says that it is not. Nothing is ever unpickled. One process writes.

    Args:
        folder: where they are kept; made when the first one is saved.
        keep: how many to keep, at least 1.

    Attributes:
        protected: steps whose checkpoints are kept besides.
    """

    def __init__(self, folder: Path, keep: int = 2) -> None:
        if keep < 1:
            raise SettingError(f"The number of checkpoints to keep must be at least 1, got {keep}.")
        self.folder, self.keep = folder, keep
        self.protected: set[int] = set()
        self._snapshot: dict[str, Tensor] = {}
        self._thread = ThreadPoolExecutor(1, "affekt-checkpoint")
        self._pending: Future[Path] | None = None

    def paths(self) -> list[Path]:
        """Folders of all checkpoints, whether whole or not, the newest first."""
        found = self.folder.iterdir() if self.folder.is_dir() else iter(())
        return sorted((path for path in found if _NAME.fullmatch(path.name)), key=_order, reverse=True)

    def save(self, step: int, tensors: Mapping[str, Tensor], state: Mapping[str, Any]) -> Path:
        """Save a checkpoint and prune older ones.

        Args:
            step: optimizer steps done; names the checkpoint. Any of this or a later step are taken for abandoned and
                go.
            tensors: any shapes, types and devices.
            state: what JSON can hold.

        Returns:
            the checkpoint's folder.

        Raises:
            CheckpointError: it could not be written or read back; all older checkpoints are left as they were.
        """
        self.wait()
        return self._save(step, _apart(tensors), state)

    def save_in_background(self, step: int, tensors: Mapping[str, Tensor], state: Mapping[str, Any]) -> None:
        """:meth:`save` in a thread of its own; returns once the values are copied, so that training may go on.

        Raises:
            CheckpointError: the save before this one failed; it is raised here or by :meth:`wait`.
        """
        self.wait()
        self._snapshot = _copied(tensors, self._snapshot)
        fixed = copy.deepcopy(dict(state))
        self._pending = self._thread.submit(self._save, step, self._snapshot, fixed)

    def wait(self) -> None:
        """Wait until a save in the background has ended.

        Raises:
            CheckpointError: it failed.
        """
        pending, self._pending = self._pending, None
        if pending is not None:
            pending.result()

    def load(self, step: int) -> Checkpoint:
        """The checkpoint of a step.

        Raises:
            CheckpointError: there is none, or it is damaged.
        """
        problem = "there is none"
        for path in self.paths():
            if _order(path)[0] == step and not (problem := _verify(path)):
                return _read(path)
        raise CheckpointError(f"The checkpoint of step {step} cannot be used: {problem}.")

    def clear(self) -> None:
        """Remove all checkpoints, once the run no longer needs them."""
        self.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def load_latest(self) -> Checkpoint | None:
        """The newest whole checkpoint, or None when none was ever saved.

        Raises:
            CheckpointError: there are checkpoints, and all are damaged.
        """
        notes: list[str] = []
        paths = self.paths()
        for path in paths:
            if problem := _verify(path):
                notes.append(f"Checkpoint '{path.name}' was passed over: {problem}.")
                continue
            return _read(path, notes)
        if paths:
            raise CheckpointError(
                f"None of the {len(paths)} checkpoints in '{self.folder}' is whole.",
                hint=f"{notes[0]} To begin anew, give another folder or remove this one.",
            )
        return None

    def _save(self, step: int, snapshot: dict[str, Tensor], state: Mapping[str, Any]) -> Path:
        with self._explained(step):
            path = self._write(step, snapshot, state)
            problem = _difference(path / _TENSORS, snapshot)
        if problem:
            self._discard(path)
            raise CheckpointError(f"The checkpoint of step {step} was not read back as written: {problem}.")
        self._prune(path, step)
        return path

    def _write(self, step: int, tensors: dict[str, Tensor], state: Mapping[str, Any]) -> Path:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._sweep()
        temporary = Path(tempfile.mkdtemp(prefix=f".step-{step}.", suffix=".partial", dir=self.folder))
        try:
            save_file(tensors, temporary / _TENSORS)
            _write_json(temporary / _STATE, state)
            digests = {name: sha256(temporary / name) for name in (_TENSORS, _STATE)}
            _write_json(temporary / _MANIFEST, {"format": FORMAT, "step": step, "sha256": digests})
            for file in temporary.iterdir():
                fsync_file(file)
            fsync_folder(temporary)
            temporary.chmod(0o755)
            path = self._free_path(step)
            temporary.rename(path)
            fsync_folder(self.folder)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
        return path

    def _free_path(self, step: int) -> Path:
        attempts = [_order(path)[1] for path in self.paths() if _order(path)[0] == step]
        return self.folder / (f"step-{step:08d}.{max(attempts) + 1}" if attempts else f"step-{step:08d}")

    def _prune(self, newest: Path, step: int) -> None:
        others = [path for path in self.paths() if path != newest]
        abandoned = [path for path in others if _order(path)[0] >= step]
        older = [path for path in others if _order(path)[0] < step]
        spared = [path for path in older[self.keep - 1 :] if _order(path)[0] in self.protected]
        for path in abandoned + [path for path in older[self.keep - 1 :] if path not in spared]:
            with suppress(OSError):
                self._discard(path)

    def _discard(self, path: Path) -> None:
        """Remove a checkpoint under another name, so that a kill in the middle leaves nothing that looks like one."""
        doomed = path.with_name(f".{path.name}.pruned")
        shutil.rmtree(doomed, ignore_errors=True)
        path.rename(doomed)
        shutil.rmtree(doomed, ignore_errors=True)

    def _sweep(self) -> None:
        for pattern in (".step-*.partial", ".step-*.pruned"):
            for leftover in self.folder.glob(pattern):
                shutil.rmtree(leftover, ignore_errors=True)

    @contextmanager
    def _explained(self, step: int) -> Iterator[None]:
        try:
            yield
        except (OSError, SafetensorError, TypeError, ValueError) as error:
            held = [path for path in self.paths() if _order(path)[0] < step]
            kept = f"The one before, '{held[0].name}', is untouched." if held else "There is none before it."
            raise CheckpointError(f"The checkpoint of step {step} could not be saved: {error}.", hint=kept) from error


def _read(path: Path, notes: Sequence[str] = ()) -> Checkpoint:
    state = json.loads((path / _STATE).read_text(encoding="utf-8"))
    return Checkpoint(_order(path)[0], load_file(path / _TENSORS), state, path, tuple(notes))


def _copied(tensors: Mapping[str, Tensor], held: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors on the CPU, in the memory of the snapshot before where it fits; pinned for those of a GPU."""
    made: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        old = held.get(name)
        if old is None or old.shape != tensor.shape or old.dtype != tensor.dtype:
            old = torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=tensor.is_cuda)
        made[name] = old.copy_(tensor.detach(), non_blocking=True)
    if any(tensor.is_cuda for tensor in tensors.values()):
        torch.cuda.synchronize()
    return made


def _order(path: Path) -> tuple[int, int]:
    match = _NAME.fullmatch(path.name)
    return (int(match[1]), int(match[2] or 0)) if match else (-1, -1)


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")


def _apart(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors on the CPU, copied only where two share memory, which safetensors refuses."""
    made: dict[str, Tensor] = {}
    taken: set[int] = set()
    for name, tensor in tensors.items():
        plain = tensor.detach().cpu().contiguous()
        made[name] = plain.clone() if plain.untyped_storage().data_ptr() in taken else plain
        taken.add(made[name].untyped_storage().data_ptr())
    return made


def _verify(path: Path) -> str:
    """What is wrong with a checkpoint, as the end of a sentence; empty if nothing is."""
    try:
        manifest = json.loads((path / _MANIFEST).read_text(encoding="utf-8"))
        if manifest["format"] != FORMAT:
            return f"it has format {manifest['format']}, and this version reads {FORMAT}"
        for name in (_TENSORS, _STATE):
            if sha256(path / name) != manifest["sha256"][name]:
                return f"'{name}' was altered"
    except FileNotFoundError as error:
        return f"'{os.path.basename(error.filename)}' is missing"  # noqa: PTH119
    except (OSError, ValueError, KeyError, TypeError) as error:
        return f"'{_MANIFEST}' cannot be read ({error})"
    return ""


def _difference(path: Path, expected: Mapping[str, Tensor]) -> str:
    with safe_open(path, framework="pt") as held:
        names = set(held.keys())
        for name, tensor in expected.items():
            if name not in names or not _same_bits(held.get_tensor(name), tensor):
                return f"tensor '{name}' differs"
    return ""


def _same_bits(one: Tensor, other: Tensor) -> bool:
    if one.shape != other.shape or one.dtype != other.dtype:
        return False
    return torch.equal(one.reshape(-1).view(torch.uint8), other.reshape(-1).view(torch.uint8))
