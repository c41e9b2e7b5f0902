"""Checkpoints under kills, crashes, full disks and writes that lie: what was saved is never lost."""

import os
import random
import resource
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from saved_steps import same, saved, state, tensors

from affekt.errors import CheckpointError
from affekt.training.checkpoints.checkpoint import Checkpoints

torch.set_num_threads(1)


# --- failing writes -----------------------------------------------------------------------------------------------


@contextmanager
def files_no_larger_than(size: int) -> Iterator[None]:
    """The kernel refuses to write further, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("size", [0, 100, 4000])
def test_a_full_disk_loses_nothing(tmp_path: Path, size: int) -> None:
    checkpoints = saved(tmp_path, steps=2, keep=1)
    with files_no_larger_than(size), pytest.raises(CheckpointError, match="step 3 could not be saved") as caught:
        checkpoints.save(3, tensors(3), state(3))
    assert "'step-00000002', is untouched" in caught.value.hint
    assert [path.name for path in tmp_path.iterdir()] == ["step-00000002"]
    loaded = checkpoints.load_latest()
    assert loaded is not None
    assert same(loaded.tensors, tensors(2))
    checkpoints.save(3, tensors(3), state(3))
    assert [path.name for path in tmp_path.iterdir()] == ["step-00000003"]


@pytest.mark.parametrize("call", ["fsync_file", "fsync_folder", "sha256", "save_file"])
def test_any_failing_call_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    checkpoints = saved(tmp_path, steps=2, keep=1)

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(f"affekt.training.checkpoints.checkpoint.{call}", fail)
    with pytest.raises(CheckpointError, match="No space left"):
        checkpoints.save(3, tensors(3), state(3))
    monkeypatch.undo()
    loaded = checkpoints.load_latest()
    assert loaded is not None
    assert loaded.step in (2, 3)
    assert same(loaded.tensors, tensors(loaded.step))


def test_what_json_cannot_hold_is_said(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="not JSON serializable"):
        Checkpoints(tmp_path).save(1, tensors(1), {"odd": object()})


def test_a_write_that_lies_is_noticed_before_pruning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoints = saved(tmp_path, steps=2, keep=1)
    from safetensors.torch import save_file

    def lie(held: dict[str, torch.Tensor], path: Path) -> None:
        save_file(held | {"weight": held["weight"] * 2}, path)

    monkeypatch.setattr("affekt.training.checkpoints.checkpoint.save_file", lie)
    with pytest.raises(CheckpointError, match="'weight' differs"):
        checkpoints.save(3, tensors(3), state(3))
    assert [path.name for path in tmp_path.iterdir()] == ["step-00000002"]


def test_leftovers_of_a_kill_are_swept(tmp_path: Path) -> None:
    for name in (".step-9.abc.partial", ".step-00000001.pruned"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "tensors.safetensors").write_bytes(b"half")
    assert Checkpoints(tmp_path).load_latest() is None
    saved(tmp_path, steps=1)
    assert [path.name for path in tmp_path.iterdir()] == ["step-00000001"]


# --- kill -9 ------------------------------------------------------------------------------------------------------


def save_forever(folder: Path, acknowledged: int) -> None:
    """Child: save steps without end and write to ``acknowledged`` each one that ``save`` returned from."""
    checkpoints = Checkpoints(folder)
    latest = checkpoints.load_latest()
    step = latest.step if latest else 0
    while True:
        step += 1
        checkpoints.save(step, tensors(step), state(step))
        os.write(acknowledged, f"{step}\n".encode())


def kill_at_random_moments(folder: Path, trials: int) -> None:
    """Fork a child that saves, kill it at a random moment, look at what is left, go on from there; again and again."""
    rng = random.Random(0)
    promised = 0
    for _ in range(trials):
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            save_forever(folder, write)
        os.close(write)
        with os.fdopen(read) as pipe:
            # begins to count when the child has saved once, so that a busy machine changes nothing
            promised = int(pipe.readline())
            timer = threading.Timer(rng.uniform(0.0, 0.05), os.kill, (child, 9))
            timer.start()
            os.waitpid(child, 0)
            timer.join()
            promised = max([promised, *(int(line) for line in pipe.read().split("\n")[:-1])])
        loaded = Checkpoints(folder).load_latest()
        assert loaded is not None
        assert loaded.notes == ()
        assert loaded.step >= promised
        assert same(loaded.tensors, tensors(loaded.step))
        assert loaded.state == state(loaded.step)
    assert promised >= trials
    print("survived", promised)


def test_kill_at_random_moments_leaves_a_whole_latest(tmp_path: Path) -> None:
    script = (
        f"import sys; sys.path[:0] = {[str(folder) for folder in Path(__file__).parents[:2]]!r}\n"
        f"import pathlib, {Path(__file__).stem} as t; t.kill_at_random_moments(pathlib.Path({str(tmp_path)!r}), 60)"
    )
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert "survived" in done.stdout


def test_a_crash_between_any_two_calls_leaves_a_whole_latest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stop dead before the n-th call that touches the disk, for every n, without any cleaning up."""

    class PowerCut(BaseException):
        pass

    original = {
        name: getattr(sys.modules["affekt.training.checkpoints.checkpoint"], name)
        for name in ("fsync_file", "fsync_folder", "sha256", "save_file", "_write_json")
    }
    rename, rmtree = Path.rename, shutil.rmtree

    def crash_before(n: int, folder: Path) -> bool:
        left = [n]

        def counted(call: Any) -> Any:
            def wrapper(*args: Any, **options: Any) -> Any:
                if left[0] <= 0:
                    raise PowerCut
                left[0] -= 1
                return call(*args, **options)

            return wrapper

        with monkeypatch.context() as patch:
            for name, call in original.items():
                patch.setattr(f"affekt.training.checkpoints.checkpoint.{name}", counted(call))
            patch.setattr(Path, "rename", counted(rename))
            patch.setattr(shutil, "rmtree", counted(rmtree))
            try:
                Checkpoints(folder, keep=1).save(2, tensors(2), state(2))
            except PowerCut:
                return True
        return False

    n = 0
    crashed = True
    while crashed:
        folder = tmp_path / str(n)
        saved(folder, steps=1)
        crashed = crash_before(n, folder)
        loaded = Checkpoints(folder).load_latest()
        assert loaded is not None
        assert loaded.notes == ()
        assert loaded.step in (1, 2)
        assert same(loaded.tensors, tensors(loaded.step))
        n += 1
    assert n > 10
    assert loaded.step == 2
