"""What people and programs are told: a bar or lines, a log that a torn end does not spoil, curves."""

import io
import json
import math
from pathlib import Path

import pytest
from rich.console import Console

from affekt.errors import MissingExtraError
from affekt.training.loop.progress import EpochReport, Hook, Report, Start
from affekt.training.loop.watching import JsonLog, ProgressBar, TensorBoardLog

START = Start("plain", 100, 2, 20, 0)
EPOCH = EpochReport(1, 10, 0.5, 0.25, best=True, seconds=3.0)


def report(step: int) -> Report:
    return Report(step, step / 10, 0.5, 1e-5, 1.0, 0, 123.4)


def drawn(*, terminal: bool) -> str:
    file = io.StringIO()
    bar = ProgressBar(Console(file=file, force_terminal=terminal, width=120, highlight=False))
    bar.start(START)
    bar.report(report(5))
    bar.note("Something [odd] happened.")
    bar.epoch(EPOCH)
    bar.report(report(20))
    bar.close()
    return file.getvalue()


def test_a_terminal_gets_a_bar() -> None:
    text = drawn(terminal=True)
    assert "20/20" in text
    assert "loss 0.5000 lr 1.0e-05 123 texts/s" in text
    assert "left" in text
    assert "dev macro-F1 0.2500 (best)" in text


def test_a_file_gets_lines() -> None:
    text = drawn(terminal=False)
    assert text.splitlines() == [
        "Training: 100 texts, 2 epochs, 20 steps on the plain engine.",
        "Something [odd] happened.",
        "Epoch 1: loss 0.5000, dev macro-F1 0.2500 (best), 3.0 s.",
    ]


def test_going_on_is_said() -> None:
    file = io.StringIO()
    ProgressBar(Console(file=file, width=120)).start(Start("plain", 100, 2, 20, 7))
    assert "going on after step 7" in file.getvalue()


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_the_log_is_json_lines(tmp_path: Path) -> None:
    log = JsonLog(tmp_path / "deep" / "log.jsonl")
    log.note("said before the start")
    log.start(START)
    log.report(report(5))
    log.epoch(EpochReport(1, 10, 0.5, math.nan, best=False, seconds=3.0))
    log.close()
    told = lines(log.path)
    assert [line["event"] for line in told] == ["start", "note", "steps", "epoch", "end"]
    assert told[3]["score"] is None
    assert told[2]["texts_per_second"] == 123.4


def test_a_new_run_begins_a_new_log_and_a_resumed_one_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    for first, kept in ((0, 0), (10, 2), (0, 0)):
        log = JsonLog(path)
        log.start(Start("plain", 100, 2, 20, first))
        told = lines(path)
        assert len([line for line in told if line["event"] == "steps"]) == kept
        for step in (5, 10, 15):
            if step > first:
                log.report(report(step))
        path.write_text(path.read_text() + '{"event": "to')


def test_curves_are_written(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    board = TensorBoardLog(tmp_path / "curves")
    board.start(START)
    board.report(report(5))
    board.epoch(EPOCH)
    board.close()
    assert any(path.name.startswith("events") for path in (tmp_path / "curves").iterdir())


def test_tensorboard_is_asked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(__import__("sys").modules, "torch.utils.tensorboard", None)
    with pytest.raises(MissingExtraError, match=r"affekt\[tensorboard\]"):
        TensorBoardLog(tmp_path)


def test_hooks_may_leave_out_anything() -> None:
    hook = Hook()
    hook.start(START)
    hook.report(report(1))
    hook.epoch(EPOCH)
    hook.note("fine")
    hook.close()
