"""A real Ray cluster of two worker processes on this machine."""

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from bulk_fakes import FakeScorer, FakeSpec
from bulk_helpers import sentences

from affekt.bulk import JobOptions, predict_files
from affekt.bulk.batches import predict_table
from affekt.bulk.scoring import Scorer, ScorerSpec, Spec
from affekt.bulk.summary import Summary
from affekt.classifier import EmotionClassifier
from affekt.errors import JobError

pytest.importorskip("ray", reason="Ray is not installed: pip install 'affekt[ray]'")

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

Driver = Callable[..., Any]

HERE = Path(__file__).resolve().parent
ROWS = 400


@pytest.fixture(scope="module")
def cluster() -> Iterator[Driver]:
    """A process that has started a cluster and runs on it what it is given.

    Ray ends the process of a driver, with status 1, if one of Ray's own threads still asks for something while the
    driver leaves the cluster; so that must not be the process that runs the tests.
    """
    with pytest.MonkeyPatch.context() as patch:
        for name, value in cluster_environment().items():
            patch.setenv(name, value)
        driver = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), initializer=start_cluster)
        yield lambda function, *args, **given: driver.submit(function, *args, **given).result()
        with suppress(BrokenProcessPool):
            driver.submit(leave_cluster).result()
        driver.shutdown()


def start_cluster() -> None:
    import ray

    warnings.simplefilter("ignore")
    settings = {"num_cpus": 2, "object_store_memory": 80 * 1024 * 1024, "include_dashboard": False}
    ray.init(address="local", log_to_driver=False, **settings)


def leave_cluster() -> None:
    import ray

    ray.shutdown()


def cluster_environment() -> dict[str, str]:
    """What the cluster's processes need to find the fake model, and to keep to themselves."""
    return {
        "RAY_USAGE_STATS_ENABLED": "0",
        "PYTHONPATH": os.pathsep.join([str(HERE), os.environ.get("PYTHONPATH", "")]),
    }


@pytest.fixture
def source(tmp_path: Path) -> Path:
    texts = [f"text {number % 150}" if number % 17 else None for number in range(ROWS)]
    pq.write_table(pa.table({"id": range(ROWS), "text": texts}), tmp_path / "in.parquet")
    return tmp_path / "in.parquet"


def parts(out: Path) -> dict[str, bytes]:
    found = [*out.glob("part-*"), out / "_affekt" / "rejects.jsonl", out / "_affekt" / "manifest.jsonl"]
    return {path.name: path.read_bytes() for path in found}


def options() -> JobOptions:
    return JobOptions.of(shard_rows=20, cache=0)


def ray_job(source: Path, out: Path, spec: Spec, scorer: Scorer | None = None) -> Summary:
    from affekt.bulk.ray import RayEngine

    return predict_files(source, out, scorer or spec.open(), options(), engine=RayEngine(spec))


def ray_dataset(source: Path) -> list[dict[str, Any]]:
    import ray.data

    from affekt.bulk.ray import predict_dataset

    found: list[dict[str, Any]] = predict_dataset(ray.data.read_parquet(str(source)), "text", FakeSpec()).take_all()
    return found


def test_workers_write_the_same_bytes_as_one_process_though_one_is_killed(
    cluster: Driver, source: Path, tmp_path: Path
) -> None:
    predict_files(source, tmp_path / "local", FakeScorer(noise=0.3), options())
    (tmp_path / "pids").mkdir()
    out = tmp_path / "ray"

    def kill_a_worker() -> None:
        until = time.monotonic() + 120
        while len(list((out / "_affekt" / "shards").glob("*.json"))) < 3 and time.monotonic() < until:
            time.sleep(0.02)
        os.kill(int(min(path.name for path in (tmp_path / "pids").iterdir())), signal.SIGKILL)

    killer = threading.Thread(target=kill_a_worker)
    killer.start()
    spec = FakeSpec(noise=0.3, delay=0.3, pids=str(tmp_path / "pids"))
    summary = cluster(ray_job, source, out, spec, FakeScorer(noise=0.3))
    killer.join()
    assert len(list((tmp_path / "pids").iterdir())) == 3
    assert (summary.rows, summary.rejects, summary.shards) == (ROWS, 24, 20)
    assert parts(out) == parts(tmp_path / "local")


def test_what_a_dead_driver_had_committed_is_not_made_again(source: Path, tmp_path: Path) -> None:
    """The driver is a process with a cluster of its own, killed as a whole; another engine goes on."""
    out = tmp_path / "killed"
    program = f"""
import ray
ray.init(address="local", num_cpus=2, object_store_memory=80 * 2**20, include_dashboard=False, log_to_driver=False)
from bulk_fakes import FakeScorer, FakeSpec
from bulk_helpers import sentences
from affekt.bulk import JobOptions, predict_files
from affekt.bulk.ray import RayEngine
predict_files({str(source)!r}, {str(out)!r}, FakeScorer(noise=0.3), JobOptions(shard_rows=20, cache=0),
              engine=RayEngine(FakeSpec(noise=0.3, delay=0.5)))
"""
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    driver = subprocess.Popen([sys.executable, "-c", program], env={**os.environ, **cluster_environment()}, **quiet)
    until = time.monotonic() + 120
    while len(list((out / "_affekt" / "shards").glob("*.json"))) < 3 and time.monotonic() < until:
        time.sleep(0.02)
    driver.kill()
    driver.wait()
    wait_until_quiet(out)
    summary = predict_files(source, out, FakeScorer(noise=0.3), options())
    assert 3 <= summary.reused < 20
    predict_files(source, tmp_path / "local", FakeScorer(noise=0.3), options())
    assert parts(out) == parts(tmp_path / "local")


def wait_until_quiet(out: Path) -> None:
    """Workers outlive their driver for a moment; what they still commit is as good as the rest."""
    shards, before = out / "_affekt" / "shards", -1
    until = time.monotonic() + 60
    while time.monotonic() < until and len(list(shards.iterdir())) != before:
        before = len(list(shards.iterdir()))
        time.sleep(2)


def test_a_ray_dataset_gets_the_same_answers(cluster: Driver, source: Path) -> None:
    found = sorted(cluster(ray_dataset, source), key=lambda row: row["id"])
    expected = predict_table(FakeScorer(), pq.read_table(source), "text").to_pylist()
    assert [row["id"] for row in found] == list(range(ROWS))
    for row, wanted in zip(found, expected, strict=True):
        assert (row["text"], row["emotions"]) == (wanted["text"], wanted["emotions"])
        assert (None if row["scores"] is None else list(row["scores"])) == wanted["scores"]


def test_a_worker_that_fails_is_told_in_a_sentence(cluster: Driver, source: Path, tmp_path: Path) -> None:
    with pytest.raises(JobError, match=r"A worker failed: .*sleep"):
        cluster(ray_job, source, tmp_path / "out", FakeSpec(delay=-1.0), FakeScorer())


def test_a_real_model_answers_on_ray_as_the_classifier_does(cluster: Driver, tiny_model: Path, tmp_path: Path) -> None:
    texts = sentences()
    pq.write_table(pa.table({"text": texts}), tmp_path / "in.parquet")
    spec = ScorerSpec(model=tiny_model, backend="onnx-int8", threads=1)
    cluster(ray_job, tmp_path / "in.parquet", tmp_path / "out.parquet", spec)
    found = pq.read_table(tmp_path / "out.parquet").to_pylist()
    for row, wanted in zip(found, EmotionClassifier.load(tiny_model, backend="onnx-int8").predict(texts), strict=True):
        assert (row["text"], row["emotions"]) == (wanted.text, list(wanted.emotions))
        assert {label: row[label] for label in wanted.scores} == dict(wanted.scores)
