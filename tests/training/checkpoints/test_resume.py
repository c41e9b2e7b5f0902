"""Runs go on after signals, crashes and kills as if nothing had happened, and never as something that they were not."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from small_runs import make_encoder, make_set, small_run

from affekt.errors import CheckpointError, SettingError, TrainingError
from affekt.training.checkpoints import fingerprint
from affekt.training.loop.progress import Hook, Report, Start
from affekt.training.loop.stopping import StoppedError
from affekt.training.networks import thinning
from affekt.training.run import TrainResult

torch.set_num_threads(1)
ROOT = Path(__file__).resolve().parents[3]


class At(Hook):
    """Does something at the first report after a step.

    Args:
        step: when.
        what: to do.
    """

    def __init__(self, step: int, what: Any) -> None:
        self.step, self.what = step, what
        self.started: Start | None = None
        self.notes: list[str] = []

    def start(self, start: Start) -> None:
        self.started = start

    def note(self, text: str) -> None:
        self.notes.append(text)

    def report(self, report: Report) -> None:
        if report.step >= self.step:
            self.step = 10**9
            self.what()


def raise_signal(number: int) -> Any:
    return lambda: os.kill(os.getpid(), number)


class CrashError(Exception):
    pass


def crash() -> None:
    raise CrashError


def weights(result: TrainResult) -> dict[str, torch.Tensor]:
    return load_file(result.folder / "model.safetensors")


def same(one: TrainResult, other: TrainResult) -> bool:
    first, second = weights(one), weights(other)
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


SETTINGS = ("epochs=4", "micro_batch=3", "average_decay=0.8")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> TrainResult:
    return small_run(tmp_path_factory.mktemp("whole"), *SETTINGS)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("step", [6, 12])
def test_a_stopped_run_goes_on_the_same(number: int, step: int, whole: TrainResult, tmp_path: Path) -> None:
    before = signal.getsignal(number)
    with pytest.raises(StoppedError, match=r"stopped after step \d+, as it was asked to.*--resume") as stopped:
        small_run(tmp_path, *SETTINGS, hooks=[At(step, raise_signal(number))])
    assert signal.getsignal(number) == before
    assert stopped.value.signal_number == number
    assert not (tmp_path / "model").exists()
    hook = At(0, lambda: None)
    resumed = small_run(tmp_path, *SETTINGS, encoder=tmp_path / "encoder", resume=True, hooks=[hook])
    assert hook.started is not None
    assert hook.started.first >= step
    assert same(resumed, whole)
    assert len(resumed.epochs) == 4
    assert [e["score"] for e in resumed.epochs] == [e["score"] for e in whole.epochs]


def test_a_crashed_run_goes_on_from_its_last_checkpoint(whole: TrainResult, tmp_path: Path) -> None:
    with pytest.raises(CrashError):
        small_run(tmp_path, *SETTINGS, hooks=[At(18, crash)], every_steps=4)
    log = tmp_path / "model.run" / "log.jsonl"
    log.write_text(log.read_text() + '{"event": "torn')
    hook = At(0, lambda: None)
    resumed = small_run(tmp_path, *SETTINGS, encoder=tmp_path / "encoder", resume=True, hooks=[hook], every_steps=4)
    assert hook.started is not None
    assert 12 <= hook.started.first <= 16
    assert same(resumed, whole)
    steps = [json.loads(line).get("step") for line in log.read_text().splitlines()]
    taken = [step for step in steps if step is not None]
    assert taken == sorted(taken)


def test_a_smaller_encoder_is_resumed_where_sums_end_in_other_bits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fit of what stays depends on the processor in its last bits, which the checkpoint's weights replace."""
    settings = (*SETTINGS, "feed_forward=16")
    with pytest.raises(CrashError):
        small_run(tmp_path, *settings, hooks=[At(18, crash)], every_steps=4)
    linear = thinning._linear
    monkeypatch.setattr(thinning, "_linear", lambda weight, bias: linear(weight * (1 + 1e-6), bias))
    hook = At(0, lambda: None)
    resumed = small_run(tmp_path, *settings, encoder=tmp_path / "encoder", resume=True, hooks=[hook], every_steps=4)
    assert hook.started is not None
    assert 12 <= hook.started.first <= 16
    assert weights(resumed)["bert.encoder.layer.0.intermediate.dense.weight"].shape[0] == 16


def test_a_damaged_checkpoint_is_passed_over(whole: TrainResult, tmp_path: Path) -> None:
    with pytest.raises(CrashError):
        small_run(tmp_path, *SETTINGS, hooks=[At(18, crash)])
    newest = max((tmp_path / "model.run" / "checkpoints").iterdir())
    tensors = newest / "tensors.safetensors"
    tensors.write_bytes(tensors.read_bytes()[:-7])
    hook = At(0, lambda: None)
    resumed = small_run(tmp_path, *SETTINGS, encoder=tmp_path / "encoder", resume=True, hooks=[hook])
    assert any("passed over" in note for note in hook.notes)
    assert same(resumed, whole)


def test_a_run_is_not_begun_anew_unasked(tmp_path: Path) -> None:
    with pytest.raises(CrashError):
        small_run(tmp_path, *SETTINGS, hooks=[At(12, crash)])
    with pytest.raises(SettingError, match=r"did not end.*--resume.*--overwrite"):
        small_run(tmp_path, *SETTINGS, encoder=tmp_path / "encoder")
    hook = At(0, lambda: None)
    small_run(tmp_path, *SETTINGS, encoder=tmp_path / "encoder", overwrite=True, hooks=[hook])
    assert hook.started is not None
    assert hook.started.first == 0


def test_resuming_a_finished_run_gives_its_result(whole: TrainResult) -> None:
    before = (whole.folder / "affekt.json").stat().st_mtime_ns
    again = small_run(whole.folder.parent, *SETTINGS, encoder=whole.folder.parent / "encoder", resume=True)
    assert again == whole
    assert (whole.folder / "affekt.json").stat().st_mtime_ns == before


def test_resuming_does_not_replace_a_model_whose_run_is_gone(whole: TrainResult, tmp_path: Path) -> None:
    shutil.copytree(whole.folder, tmp_path / "model")
    before = weights(whole)
    with pytest.raises(SettingError, match="already holds a model"):
        small_run(tmp_path, *SETTINGS, resume=True)
    assert all(torch.equal(load_file(tmp_path / "model" / "model.safetensors")[name], before[name]) for name in before)


@pytest.mark.parametrize("there", ["a model", "notes"])
def test_resuming_replaces_nothing_that_came_after_the_run_began(
    there: str, whole: TrainResult, tmp_path: Path
) -> None:
    with pytest.raises(CrashError):
        small_run(tmp_path, *SETTINGS, hooks=[At(12, crash)])
    if there == "a model":
        shutil.copytree(whole.folder, tmp_path / "model")
    else:
        (tmp_path / "model").mkdir()
        (tmp_path / "model" / "notes.txt").write_text("mine")
    before = {path: path.read_bytes() for path in (tmp_path / "model").iterdir() if path.is_file()}
    with pytest.raises(SettingError, match=r"already holds a model|no model"):
        small_run(tmp_path, *SETTINGS, encoder=tmp_path / "encoder", resume=True)
    assert {path: path.read_bytes() for path in (tmp_path / "model").iterdir() if path.is_file()} == before


def test_a_model_that_is_to_be_replaced_stays_until_the_resumed_run_ends(tmp_path: Path) -> None:
    first = weights(small_run(tmp_path, *SETTINGS))
    other = (*SETTINGS, "seed=9")
    with pytest.raises(CrashError):
        small_run(tmp_path, *other, encoder=tmp_path / "encoder", overwrite=True, hooks=[At(12, crash)])
    kept = load_file(tmp_path / "model" / "model.safetensors")
    assert all(torch.equal(kept[name], first[name]) for name in first)
    resumed = weights(small_run(tmp_path, *other, encoder=tmp_path / "encoder", resume=True))
    assert not all(torch.equal(resumed[name], first[name]) for name in first)


def test_a_run_that_was_to_be_overwritten_is_not_taken_for_the_new_one(tmp_path: Path) -> None:
    small_run(tmp_path, *SETTINGS)
    more = make_set(60, seed=8)
    with pytest.raises(TrainingError):  # ends while it is prepared
        small_run(tmp_path, *SETTINGS, encoder=tmp_path / "absent", data=more, overwrite=True)
    with pytest.raises(SettingError, match="already holds a model"):
        small_run(tmp_path, *SETTINGS, encoder=tmp_path / "encoder", data=more, resume=True)


def test_curves_are_written_where_the_run_lives(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    small_run(tmp_path, tensorboard=True)
    assert list((tmp_path / "model.run" / "tensorboard").glob("events.out.*"))


def test_a_run_that_cannot_begin_overwrites_nothing(tmp_path: Path) -> None:
    with pytest.raises(CrashError):
        small_run(tmp_path, *SETTINGS, hooks=[At(12, crash)])
    run = tmp_path / "model.run"
    before = sorted(run.rglob("*"))
    for wrong in ("feed_forward=9999", "drop_layers=[9]", "max_length=9999"):
        with pytest.raises((SettingError, TrainingError)):
            small_run(tmp_path, *SETTINGS, wrong, encoder=tmp_path / "encoder", overwrite=True)
    with pytest.raises(TrainingError):
        small_run(tmp_path, *SETTINGS, encoder=tmp_path / "absent", overwrite=True)
    assert sorted(run.rglob("*")) == before


def test_resuming_nothing_begins(tmp_path: Path) -> None:
    assert len(small_run(tmp_path, resume=True).epochs) == 2


def test_a_run_that_died_while_finishing_only_finishes(
    whole: TrainResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from affekt.training import finish

    monkeypatch.setattr(finish, "write", lambda *_: crash())
    with pytest.raises(CrashError):
        small_run(tmp_path, *SETTINGS)
    monkeypatch.undo()
    hook = At(0, lambda: None)
    resumed = small_run(tmp_path, *SETTINGS, encoder=tmp_path / "encoder", resume=True, hooks=[hook])
    assert hook.started is None
    assert same(resumed, whole)


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that crashed after an epoch."""
    folder = tmp_path_factory.mktemp("broken")
    with pytest.raises(CrashError):
        small_run(folder, *SETTINGS, hooks=[At(12, crash)])
    return folder


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"data": make_set(48, seed=5)}, "the data changed"),
        ({"dev": make_set(24, seed=6)}, "the data changed"),
        ({"settings": ("lr=5e-4",)}, r"the recipe setting 'lr' was 0.001 and is 0.0005"),
        ({"encoder": "electra"}, "the encoder's weights changed"),
        ({"code": "other"}, "the training code changed"),
    ],
)
def test_a_run_is_resumed_as_what_it_was(
    change: dict[str, Any], said: str, broken: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(broken, tmp_path / "copy")
    folder = tmp_path / "copy"
    encoder = make_encoder(tmp_path / "e", change["encoder"]) if "encoder" in change else folder / "encoder"
    if "code" in change:
        monkeypatch.setattr(fingerprint, "code_digest", lambda: change["code"])
    parts = {key: value for key, value in change.items() if key in ("data", "dev")}
    settings = (*SETTINGS, *change.get("settings", ()))
    with pytest.raises(CheckpointError, match=f"{said}.*--allow-changes"):
        small_run(folder, *settings, encoder=encoder, resume=True, **parts)
    if "encoder" in change:  # other shapes cannot go on at all
        return
    hook = At(0, lambda: None)
    result = small_run(folder, *settings, encoder=encoder, resume=True, allow_changes=True, hooks=[hook], **parts)
    assert any("Going on although" in note for note in hook.notes)
    assert len(result.epochs) == 4


@pytest.mark.slow
def test_killed_runs_end_with_the_same_weights() -> None:
    """SIGKILL at random moments; ``benchmarks/kill_training.py`` does hundreds."""
    script = ROOT / "benchmarks" / "kill_training.py"
    ran = subprocess.run(
        [sys.executable, str(script), "--runs", "3", "--kills", "3", "--seed", str(os.getpid())],
        env=os.environ | {"OMP_NUM_THREADS": "1"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stdout.splitlines()[-1].endswith("0 different")


def test_a_finished_run_is_not_taken_for_another(whole: TrainResult) -> None:
    folder = whole.folder.parent
    with pytest.raises(CheckpointError, match=r"finished, and was made with other settings: lr was 0.001 and is 0.5"):
        small_run(folder, *SETTINGS, "lr=0.5", encoder=folder / "encoder", resume=True)
