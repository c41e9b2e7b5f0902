"""What is kept of a run: in memory or on the disk, finite only, the best beside the last."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from engines import captured, plain, run

from affekt.errors import CheckpointError, TrainingError
from affekt.training.checkpoints.checkpoint import Checkpoints
from affekt.training.checkpoints.fingerprint import Fingerprint
from affekt.training.checkpoints.keeping import DiskKeeper, MemoryKeeper, final_weights
from affekt.training.engines.processes import Processes
from affekt.training.loop.evaluator import Evaluator, masked_macro_f1
from affekt.training.loop.progress import Progress


def fingerprint(data: str = "a") -> Fingerprint:
    return Fingerprint(data, {"lr": 1.0}, "e", "c", {})


def keeper(folder: Path, **settings: Any) -> DiskKeeper:
    return DiskKeeper(Checkpoints(folder, keep=1), fingerprint(), Processes(), **settings)


@pytest.mark.parametrize("make", [captured, plain])
@pytest.mark.parametrize("average", [0.0, 0.9])
def test_the_best_weights_come_back_from_the_disk(make: Any, average: float, tmp_path: Path) -> None:
    engine, kept = make(average_decay=average), keeper(tmp_path)
    run(engine, 2)
    best = {name: value.clone() for name, value in engine.weights().items()}
    progress = Progress(step=2, best_step=2, best_score=0.5)
    kept.save(engine, progress)
    for step in (3, 4, 5):
        run(engine, step, start=step - 1)
        progress.step = step
        kept.save(engine, progress)
    found = kept.best_weights(engine, progress)
    assert all(torch.equal(value, found[name]) for name, value in best.items())
    assert len(Checkpoints(tmp_path).paths()) == 2  # the last one and the best
    progress.best_step = 5
    last = kept.best_weights(engine, progress)
    assert not torch.equal(last["classifier.weight"], best["classifier.weight"])


@pytest.mark.parametrize("make", [captured, plain])
def test_checkpoints_restore_engine_and_noise(make: Any, tmp_path: Path) -> None:
    engine, kept = make(dropout=0.2), keeper(tmp_path)
    torch.manual_seed(5)
    run(engine, 2)
    kept.save(engine, Progress(step=2))
    run(engine, 4, start=2)
    kept.finish()
    again = make(dropout=0.2)
    torch.manual_seed(77)
    checkpoint = keeper(tmp_path).latest()
    assert checkpoint is not None
    assert kept.restore(again, checkpoint).step == 2
    run(again, 4, start=2)
    assert all(torch.equal(value, again.weights()[name]) for name, value in engine.weights().items())


def test_complete_runs_keep_weights_only(tmp_path: Path) -> None:
    engine, kept = run(plain(), 2), keeper(tmp_path)
    kept.save(engine, Progress(step=2), complete=True)
    kept.finish()
    checkpoint = kept.latest()
    assert checkpoint is not None
    found = final_weights(checkpoint)
    assert found.keys() == engine.weights().keys() == {n.removeprefix("final.") for n in checkpoint.tensors}
    assert kept.restore(engine, checkpoint).step == 2


def test_weights_that_are_not_finite_are_never_kept(tmp_path: Path) -> None:
    engine, kept = run(plain(), 2), keeper(tmp_path)
    kept.save(engine, Progress(step=2))
    with torch.no_grad():
        engine.model.classifier.bias.fill_(torch.nan)
    with pytest.raises(TrainingError, match="no longer finite"):
        kept.save(engine, Progress(step=3))
    kept.finish()
    assert [path.name for path in Checkpoints(tmp_path).paths()] == ["step-00000002"]


def test_a_full_disk_is_noted_and_training_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from affekt.training.checkpoints import checkpoint as module

    notes: list[str] = []
    engine, kept = run(plain(), 1), keeper(tmp_path, note=notes.append)
    kept.save(engine, Progress(step=1))
    kept.finish()

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "save_file", full)
    kept.save(engine, Progress(step=2))
    kept.save(engine, Progress(step=3))
    kept.finish()
    monkeypatch.undo()
    assert len(notes) == 2
    assert "No space left on device" in notes[0]
    kept.save(engine, Progress(step=4))
    kept.finish()
    assert [path.name for path in Checkpoints(tmp_path).paths()] == ["step-00000004"]


def test_other_runs_are_refused(tmp_path: Path) -> None:
    engine, kept = run(plain(), 1), keeper(tmp_path)
    kept.save(engine, Progress(step=1))
    kept.finish()
    notes: list[str] = []
    other = DiskKeeper(Checkpoints(tmp_path), fingerprint("b"), Processes(), note=notes.append)
    with pytest.raises(CheckpointError, match="the data changed"):
        other.latest()
    assert other.latest(allow_changes=True) is not None
    assert notes == ["Going on although the data changed."]


def test_checkpoints_are_due_by_steps_and_minutes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from affekt.training.checkpoints import keeping

    now = [0.0]
    monkeypatch.setattr(keeping.time, "monotonic", lambda: now[0])
    kept = keeper(tmp_path, every_steps=5, every_minutes=2.0)
    assert [kept.due(Progress(step=step)) for step in (4, 5, 6, 10)] == [False, True, False, True]
    now[0] = 121.0
    assert kept.due(Progress(step=6))
    never = keeper(tmp_path, every_minutes=0.0)
    now[0] = 1e6
    assert not never.due(Progress(step=5))
    assert never.place == str(tmp_path)


def test_nothing_there_is_nothing(tmp_path: Path) -> None:
    assert keeper(tmp_path / "none").latest() is None
    assert MemoryKeeper().place == ""
    assert not MemoryKeeper().due(Progress(step=5))


def test_scores_leave_out_what_is_unknown() -> None:
    truth = np.array([[1, 0], [0, 1], [1, 1]], dtype=bool)
    decided = np.array([[1, 0], [1, 1], [0, 1]], dtype=bool)
    everything = np.ones((3, 2), dtype=bool)
    assert masked_macro_f1(truth, decided, everything) == pytest.approx((0.5 + 1.0) / 2)
    known = everything.copy()
    known[1:, 0] = False
    assert masked_macro_f1(truth, decided, known) == 1.0


def test_dev_logits_that_are_not_finite_score_nothing() -> None:
    class Broken:
        def logits(self, _ids: Any) -> Any:
            return np.full((2, 1), np.inf, dtype=np.float32)

    evaluator = Evaluator(Broken(), [np.ones(3, np.int32)] * 2, np.ones((2, 1), np.float32), 0.5)  # type: ignore[arg-type]
    assert np.isnan(evaluator())
