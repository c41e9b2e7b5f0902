"""Two processes take the steps of one: same weights, totals and logits, for both engines; over gloo, on the CPU."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from engines import batches, captured, difference, plain
from safetensors.torch import load_file
from small_runs import make_encoder, small_run
from tiny_models import texts

from affekt.model_folder import read_manifest
from affekt.training.engines.processes import Processes

HERE = Path(__file__).parents[1]

WORKER = """
import sys
import numpy as np, torch
from torch import distributed
sys.path.insert(0, sys.argv[1])
from engines import batches, captured, plain
from tiny_models import texts
from safetensors.torch import save_file
from affekt.training.engines.processes import Processes

kind, out = sys.argv[2:4]
if kind == "captured":
    distributed.init_process_group("gloo")
    engine = captured(size=3, average_decay=0.8, processes=Processes.current(torch.device("cpu")))
else:
    engine = plain(size=3, average_decay=0.8, batching=kind)
assert engine.processes.size == 2
for size in (8, 5, 1):  # also batches that cannot be halved, and one that leaves a process without a text
    for step, batch in enumerate(batches(3, size)):
        engine.step(engine.prepare(batch), 1.0 - 0.1 * step)
totals = engine.read()
logits = engine.logits(texts(31, seed=2))
flags = [engine.processes.any(engine.processes.rank == 1), engine.processes.any(flag=False)]
ranks = [int(t) for t in engine.processes.gather(torch.tensor(float(engine.processes.rank)))]
if engine.processes.first:
    tensors = {name: value.clone() for name, value in engine.weights().items()}
    figures = torch.tensor([totals.loss, totals.steps, totals.grad_norm, *map(float, flags), *ranks])
    save_file(tensors | {"logits": torch.from_numpy(logits), "figures": figures}, out)
engine.processes.wait()
distributed.destroy_process_group()
"""


def launch(code: str, *arguments: str, processes: int = 2) -> None:
    """Run code in several processes as ``torchrun`` does."""
    with socket_port() as port:
        shared = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": str(processes)}
        started = [
            subprocess.Popen(
                [sys.executable, "-c", code, str(HERE), *arguments],
                env=os.environ | shared | {"RANK": str(rank), "LOCAL_RANK": str(rank), "OMP_NUM_THREADS": "1"},
                stderr=subprocess.PIPE,
                text=True,
            )
            for rank in range(processes)
        ]
    errors = [process.communicate(timeout=180)[1] for process in started]
    assert all(process.returncode == 0 for process in started), "\n".join(errors)


class socket_port:  # noqa: N801
    """A free port of this machine."""

    def __enter__(self) -> int:
        import socket

        self.socket = socket.socket()
        self.socket.bind(("127.0.0.1", 0))
        return int(self.socket.getsockname()[1])

    def __exit__(self, *_: object) -> None:
        self.socket.close()


def alone(kind: str) -> Any:
    make = captured if kind == "captured" else plain
    engine = make(size=8, average_decay=0.8, **({} if kind == "captured" else {"batching": kind}))
    for size in (8, 5, 1):
        for step, batch in enumerate(batches(3, size)):
            engine.step(engine.prepare(batch), 1.0 - 0.1 * step)
    return engine


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["captured", "packed", "padded"])
def test_two_processes_are_one(kind: str, tmp_path: Path) -> None:
    launch(WORKER, kind, str(tmp_path / "out.safetensors"))
    together = load_file(tmp_path / "out.safetensors")
    engine = alone(kind)
    totals, logits = engine.read(), together.pop("logits").numpy()
    loss, steps, norm, *flags = together.pop("figures").tolist()
    assert difference(together, dict(engine.weights())) < 1e-5
    assert (loss, norm) == (pytest.approx(totals.loss, rel=1e-5), pytest.approx(totals.grad_norm, rel=1e-4))
    assert (steps, flags) == (9, [1, 0, 0, 1])
    assert np.allclose(logits, engine.logits(texts(31, seed=2)), atol=1e-5)


def test_one_process_needs_nobody() -> None:
    processes = Processes.current(torch.device("cpu"))
    assert (processes.rank, processes.size, processes.first) == (0, 1, True)
    assert processes.any(flag=True)
    assert not processes.any(flag=False)
    assert processes.gather(torch.tensor(3.0)) == [torch.tensor(3.0)]
    assert processes.share(np.arange(5)).tolist() == [0, 1, 2, 3, 4]
    processes.wait()


def test_shares_have_every_text_once() -> None:
    for size in (1, 2, 3, 7):
        shares = [Processes(rank, size).share(np.arange(5)) for rank in range(size)]
        assert sorted(np.concatenate(shares).tolist()) == [0, 1, 2, 3, 4]


RUN = """
import sys, warnings
sys.path[:0] = [sys.argv[1], sys.argv[1] + "/.."]
from pathlib import Path
from small_runs import small_run
from torch import distributed

small_run(Path(sys.argv[2]), *sys.argv[3:], encoder=Path(sys.argv[2]) / "encoder", resume=True)
distributed.destroy_process_group()
"""


@pytest.mark.slow
def test_a_run_of_two_processes_is_that_of_one(tmp_path: Path) -> None:
    """The whole of it: plan, engine, scores, best epoch, folder."""
    settings = ("dropout=0", "epochs=3", "batch_size=7", "micro_batch=3")
    alone = small_run(tmp_path, *settings, out=tmp_path / "alone")
    launch(RUN, str(tmp_path), *settings)
    one, two = (load_file(tmp_path / name / "model.safetensors") for name in ("alone", "model"))
    assert difference(two, one) < 1e-5
    manifest = read_manifest(tmp_path / "model")
    for epoch, expected in zip(manifest.metrics["epochs"], alone.epochs, strict=True):
        assert epoch["loss"] == pytest.approx(expected["loss"], rel=1e-5)
        assert epoch["score"] == pytest.approx(expected["score"], abs=1e-6)
        assert epoch["best"] == expected["best"]


@pytest.mark.slow
def test_a_run_of_two_processes_resumes(tmp_path: Path) -> None:
    settings = ("dropout=0.1", "epochs=3")
    make_encoder(tmp_path / "encoder")
    shutil.copytree(tmp_path / "encoder", tmp_path / "again" / "encoder")
    launch(RUN, str(tmp_path), *settings)
    with pytest.raises(AssertionError, match="RuntimeError: crash"):
        launch(CRASHING, str(tmp_path / "again"), *settings)
    launch(RUN, str(tmp_path / "again"), *settings)
    one, two = (load_file(tmp_path / name / "model.safetensors") for name in ("model", "again/model"))
    assert all(torch.equal(one[name], two[name]) for name in one)


CRASHING = """
from affekt.training.loop.progress import Hook

class Crash(Hook):
    def report(self, report):
        if report.step >= 12:
            raise RuntimeError("crash")
""" + RUN.replace("resume=True", "resume=True, hooks=[Crash()]")
