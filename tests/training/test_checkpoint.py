"""Checkpoints under kills, full disks, torn and altered files: what was saved is never lost and never misread."""

import json
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

from affekt.errors import CheckpointError, SettingError
from affekt.training.checkpoint import Checkpoints

torch.set_num_threads(1)


def tensors(step: int) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(step)
    weight = torch.randn(40, 30, generator=generator)
    return {
        "weight": weight,
        "transposed": weight.T,
        "shared": weight[:2],
        "narrow": weight.bfloat16(),
        "half": weight.half(),
        "wide": weight.double(),
        "bytes": torch.randint(0, 255, (50,), generator=generator, dtype=torch.uint8),
        "flags": torch.rand(9, generator=generator) < 0.5,
        "step": torch.tensor(step),
        "empty": torch.zeros(0, 3),
        "odd": torch.tensor([float("nan"), float("inf"), -0.0]),
    }


def state(step: int) -> dict[str, Any]:
    return {
        "step": step,
        "best": None if step < 2 else 1 / 3,
        "huge": 2**100,
        "text": "naïve ❤",
        "nested": {"a": [1, "b"]},
    }


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return set(one) == set(other) and all(torch.equal(one[n].isnan(), other[n].isnan()) for n in one) and all(
        torch.equal(one[n].nan_to_num(nan=1.0), other[n].nan_to_num(nan=1.0)) for n in one if one[n].is_floating_point()
    ) and all(torch.equal(one[n], other[n]) for n in one if not one[n].is_floating_point())  # fmt: skip


def saved(folder: Path, steps: int = 3, keep: int = 3) -> Checkpoints:
    checkpoints = Checkpoints(folder, keep)
    for step in range(1, steps + 1):
        checkpoints.save(step, tensors(step), state(step))
    return checkpoints


def test_comes_back_bit_by_bit(tmp_path: Path) -> None:
    saved(tmp_path)
    loaded = Checkpoints(tmp_path).load_latest()
    assert loaded is not None
    assert (loaded.step, loaded.state, loaded.notes) == (3, state(3), ())
    assert same(loaded.tensors, tensors(3))
    assert loaded.path.name == "step-00000003"


def test_nothing_saved_is_nothing_loaded(tmp_path: Path) -> None:
    assert Checkpoints(tmp_path / "new").load_latest() is None


def test_holds_safetensors_and_json_only(tmp_path: Path) -> None:
    saved(tmp_path, steps=1)
    assert sorted(path.name for path in (tmp_path / "step-00000001").iterdir()) == [
        "manifest.json",
        "state.json",
        "tensors.safetensors",
    ]


def test_keeps_the_newest(tmp_path: Path) -> None:
    saved(tmp_path, steps=5, keep=2)
    assert [path.name for path in Checkpoints(tmp_path).paths()] == ["step-00000005", "step-00000004"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step-00000004", "step-00000005"]
    with pytest.raises(SettingError, match="at least 1"):
        Checkpoints(tmp_path, keep=0)


def test_a_step_saved_again_replaces_it(tmp_path: Path) -> None:
    checkpoints = saved(tmp_path)
    checkpoints.save(3, tensors(33), state(33))
    loaded = checkpoints.load_latest()
    assert loaded is not None
    assert same(loaded.tensors, tensors(33))
    assert loaded.step == 3


def test_steps_of_an_abandoned_future_go(tmp_path: Path) -> None:
    checkpoints = saved(tmp_path, steps=4, keep=4)
    checkpoints.save(2, tensors(22), state(22))
    assert [path.name for path in checkpoints.paths()] == ["step-00000002.1", "step-00000001"]


# --- damage -------------------------------------------------------------------------------------------------------


def damage(path: Path, kind: str) -> None:
    name = {"weights": "tensors.safetensors", "state": "state.json", "manifest": "manifest.json"}[
        kind.partition(" ")[0]
    ]
    file = path / name
    content = file.read_bytes()
    if "flipped" in kind:
        middle = len(content) // 2
        file.write_bytes(content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :])
    elif "cut" in kind:
        file.write_bytes(content[: len(content) // 2])
    elif "gone" in kind:
        file.unlink()
    elif "empty" in kind:
        file.write_bytes(b"")
    else:
        file.write_text("[]")


KINDS = [f"{file} {how}" for file in ("weights", "state") for how in ("flipped", "cut", "gone", "empty")]
KINDS += ["manifest cut", "manifest gone", "manifest empty", "manifest replaced"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_one_is_passed_over_and_said(tmp_path: Path, kind: str) -> None:
    checkpoints = saved(tmp_path)
    damage(tmp_path / "step-00000003", kind)
    loaded = checkpoints.load_latest()
    assert loaded is not None
    assert loaded.step == 2
    assert same(loaded.tensors, tensors(2))
    assert len(loaded.notes) == 1
    assert "step-00000003" in loaded.notes[0]


def test_two_damaged_ones_are_both_said(tmp_path: Path) -> None:
    checkpoints = saved(tmp_path)
    damage(tmp_path / "step-00000003", "weights cut")
    damage(tmp_path / "step-00000002", "manifest gone")
    loaded = checkpoints.load_latest()
    assert loaded is not None
    assert loaded.step == 1
    assert len(loaded.notes) == 2


def test_nothing_whole_is_an_error_and_no_fresh_start(tmp_path: Path) -> None:
    checkpoints = saved(tmp_path, steps=1)
    damage(tmp_path / "step-00000001", "weights flipped")
    with pytest.raises(CheckpointError, match="whole") as caught:
        checkpoints.load_latest()
    assert "altered" in caught.value.hint


def test_another_format_is_said(tmp_path: Path) -> None:
    checkpoints = saved(tmp_path, steps=2)
    manifest = tmp_path / "step-00000002" / "manifest.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"format": 99}))
    loaded = checkpoints.load_latest()
    assert loaded is not None
    assert "format 99" in loaded.notes[0]


def test_a_pickle_is_never_opened(tmp_path: Path) -> None:
    """Even one that a manifest vouches for is refused by safetensors, not run."""
    checkpoints = saved(tmp_path, steps=1)
    folder = tmp_path / "step-00000001"
    torch.save({"weight": torch.zeros(1)}, folder / "tensors.safetensors")
    with pytest.raises(CheckpointError):
        checkpoints.load_latest()


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

    monkeypatch.setattr(f"affekt.training.checkpoint.{call}", fail)
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

    monkeypatch.setattr("affekt.training.checkpoint.save_file", lie)
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


# --- in the background --------------------------------------------------------------------------------------------


def test_a_background_save_holds_the_values_of_its_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from safetensors.torch import save_file

    released = threading.Event()

    def slowly(held: dict[str, torch.Tensor], path: Path) -> None:
        assert released.wait(30)
        save_file(held, path)

    monkeypatch.setattr("affekt.training.checkpoint.save_file", slowly)
    checkpoints, values, rest = Checkpoints(tmp_path), tensors(1), state(1)
    checkpoints.save_in_background(1, values, rest)
    values["weight"].zero_()
    rest["nested"]["a"].append("later")
    released.set()
    checkpoints.wait()
    loaded = checkpoints.load_latest()
    assert loaded is not None
    assert same(loaded.tensors, tensors(1))
    assert loaded.state == state(1)


def test_a_failed_background_save_is_raised_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoints = saved(tmp_path, steps=1)

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("affekt.training.checkpoint.save_file", fail)
    checkpoints.save_in_background(2, tensors(2), state(2))
    with pytest.raises(CheckpointError, match="No space left"):
        checkpoints.wait()
    checkpoints.wait()


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
        f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
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
        name: getattr(sys.modules["affekt.training.checkpoint"], name)
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
                patch.setattr(f"affekt.training.checkpoint.{name}", counted(call))
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


def test_a_protected_checkpoint_outlives_its_time(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path, keep=2)
    checkpoints.protected = {1}
    for step in range(1, 6):
        checkpoints.save(step, {"w": torch.full((3,), float(step))}, {})
    assert [path.name for path in checkpoints.paths()] == ["step-00000005", "step-00000004", "step-00000001"]
    assert torch.equal(checkpoints.load(1).tensors["w"], torch.ones(3))
    with pytest.raises(CheckpointError, match="step 2 cannot be used: there is none"):
        checkpoints.load(2)
    (tmp_path / "step-00000001" / "state.json").write_text("{ }")
    with pytest.raises(CheckpointError, match=r"step 1 cannot be used: 'state\.json' was altered"):
        checkpoints.load(1)
    checkpoints.clear()
    assert checkpoints.paths() == []
