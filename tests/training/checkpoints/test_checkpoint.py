"""Checkpoints: what was saved comes back bit by bit, and what was torn or altered is never misread."""

import json
import threading
from pathlib import Path

import pytest
import torch
from saved_steps import same, saved, state, tensors

from affekt.errors import CheckpointError, SettingError
from affekt.training.checkpoints.checkpoint import Checkpoints

torch.set_num_threads(1)


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


def test_others_may_read_it_as_they_may_read_any_file(tmp_path: Path) -> None:
    path = saved(tmp_path, steps=1).paths()[0]
    assert path.stat().st_mode & 0o777 == 0o755


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


def test_a_step_saved_again_and_again_is_always_the_newest(tmp_path: Path) -> None:
    checkpoints = saved(tmp_path, steps=1)
    for attempt in range(1, 5):
        path = checkpoints.save(1, tensors(attempt), state(attempt))
        assert path.name == f"step-00000001.{attempt}"
        assert checkpoints.paths() == [path]


def test_the_format_is_the_one_that_older_runs_wrote(tmp_path: Path) -> None:
    """Who changes it makes every run that is under way start anew."""
    saved(tmp_path, steps=1)
    assert json.loads((tmp_path / "step-00000001" / "manifest.json").read_text())["format"] == 1


def test_a_failure_names_the_checkpoint_before_and_no_later_one(tmp_path: Path) -> None:
    checkpoints = saved(tmp_path, steps=3)
    with pytest.raises(CheckpointError) as caught:
        checkpoints.save(2, tensors(2), {"odd": object()})
    assert "'step-00000001', is untouched" in caught.value.hint
    with pytest.raises(CheckpointError) as caught:
        checkpoints.save(1, tensors(1), {"odd": object()})
    assert caught.value.hint == "There is none before it."


def test_nothing_is_as_easily_cleared(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path / "never made")
    checkpoints.clear()
    assert checkpoints.paths() == []


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


# --- in the background --------------------------------------------------------------------------------------------


def test_a_background_save_holds_the_values_of_its_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from safetensors.torch import save_file

    released = threading.Event()

    def slowly(held: dict[str, torch.Tensor], path: Path) -> None:
        assert released.wait(30)
        save_file(held, path)

    monkeypatch.setattr("affekt.training.checkpoints.checkpoint.save_file", slowly)
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

    monkeypatch.setattr("affekt.training.checkpoints.checkpoint.save_file", fail)
    checkpoints.save_in_background(2, tensors(2), state(2))
    with pytest.raises(CheckpointError, match="No space left"):
        checkpoints.wait()
    checkpoints.wait()


@pytest.mark.parametrize(
    "following", [torch.ones(5), torch.ones(2), torch.ones(3, 1), torch.ones(3, dtype=torch.float64)]
)
def test_tensors_may_change_between_background_saves(tmp_path: Path, following: torch.Tensor) -> None:
    checkpoints = Checkpoints(tmp_path)
    for step, tensor in enumerate((torch.zeros(3), following), 1):
        checkpoints.save_in_background(step, {"w": tensor}, {})
        checkpoints.wait()
        held = checkpoints.load(step).tensors["w"]
        assert held.dtype == tensor.dtype
        assert torch.equal(held, tensor)


def test_background_saves_of_the_same_tensors_use_the_same_memory(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path)
    places = set()
    for step in (1, 2, 3):
        checkpoints.save_in_background(step, tensors(step), {})
        places.add(checkpoints._snapshot["weight"].data_ptr())
    checkpoints.wait()
    assert len(places) == 1


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
