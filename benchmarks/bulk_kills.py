"""Kill a bulk job again and again, let it go on, and compare its output with that of a job that was left alone.

    python benchmarks/bulk_kills.py --random 300 --points 1 --full-disk 40

``--random``: SIGKILL at random moments, this many times in all, over jobs of every kind of output. ``--points``:
SIGKILL just before and just after every single fsync, rename and removal of a small job, one after the other.
``--full-disk``: writing fails for lack of room at random moments. No model is needed: scores come from checksums, and,
as with a real model, their last bits depend on which texts are scored together.
"""

import argparse
import csv
import hashlib
import json
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "bulk"))

from bulk_fakes import FakeScorer

from affekt.bulk import JobOptions, predict_files
from affekt.errors import JobError

OUTPUTS = ("out.csv", "out.csv.gz", "out.jsonl", "out.parquet", "folder")
REFUSED = 3


def make_input(path: Path, rows: int) -> None:
    """A csv with every kind of row: repeated and long texts, quoted line ends, missing texts, ragged and torn rows."""
    dice = random.Random(1)  # noqa: S311
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "text", "note"])
        for number in range(rows):
            text = f"text {dice.randrange(rows // 3)}" + "\nand a second line" * (number % 7 == 0)
            note = "=1+1" if number % 9 == 0 else "x" * (number % 40)
            writer.writerow([number, "" if number % 50 == 0 else text, note])
            if number % 60 == 0:
                file.write("too,few\n")
        file.write('9999,"a broken last line')


def job(source: Path, out: Path) -> None:
    """The job under test."""
    options = JobOptions(shard_rows=100, cache=250, format="parquet" if out.name == "folder" else None)
    predict_files(source, out, FakeScorer(noise=0.3), options)


def digest(out: Path) -> str:
    """Of everything that must be the same: the output, the rejects, the manifest."""
    state = out / "_affekt" if out.is_dir() else out.with_name(f"{out.name}.affekt")
    shards = sorted(path for path in out.iterdir() if path.is_file()) if out.is_dir() else [out]
    found = hashlib.sha256()
    for path in (*shards, state / "rejects.jsonl", state / "manifest.jsonl"):
        found.update(path.name.encode() + hashlib.sha256(path.read_bytes()).digest())
    leftovers = list(out.parent.rglob(".*partial"))
    assert not leftovers, leftovers
    return found.hexdigest()


def in_child(work: Callable[[], None], delay: float | None = None) -> int:
    """Run something in a process of its own, killed after ``delay`` seconds; its exit status, negative if killed."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            status = 0
        except JobError:
            status = REFUSED
        finally:
            os._exit(status)
    if delay is not None:
        time.sleep(delay)
        os.kill(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def expected(source: Path, folder: Path, name: str) -> str:
    """The digest of a job that is left alone."""
    out = folder / f"alone-{source.stem}" / name
    assert in_child(lambda: job(source, out)) == 0
    return digest(out)


def random_kills(source: Path, folder: Path, kills: int, seed: int) -> dict[str, object]:
    """Kill jobs at random moments until there were ``kills`` kills and the last job ended."""
    dice = random.Random(seed)  # noqa: S311
    wanted = {name: expected(source, folder, name) for name in OUTPUTS}
    began = time.monotonic()
    assert in_child(lambda: job(source, folder / "timed" / "out.csv")) == 0
    usual = time.monotonic() - began
    killed = jobs = 0
    while killed < kills:
        name = OUTPUTS[jobs % len(OUTPUTS)]
        out = folder / "killed" / name
        shutil.rmtree(out.parent, ignore_errors=True)
        jobs += 1
        while (status := in_child(lambda out=out: job(source, out), dice.uniform(0.01, usual * 0.5))) != 0:
            assert status == -signal.SIGKILL, status
            killed += 1
            if killed >= kills:
                assert in_child(lambda out=out: job(source, out)) == 0
                break
        assert digest(out) == wanted[name], name
    return {"kills": killed, "jobs": jobs, "identical": True}


def dying(work: Callable[[], None], point: int) -> Callable[[], None]:
    """``work``, killed at the ``point``-th call that changes or secures a file; even: before it, odd: after it."""

    def run() -> None:
        count = 0
        for name in ("fsync", "replace", "unlink", "rename", "rmdir"):
            original = getattr(os, name)

            def counted(*given: object, original: Callable[..., object] = original, **named: object) -> object:
                nonlocal count
                if count == point:
                    os.kill(os.getpid(), signal.SIGKILL)
                count += 1
                result = original(*given, **named)
                if count == point:
                    os.kill(os.getpid(), signal.SIGKILL)
                count += 1
                return result

            setattr(os, name, counted)
        work()

    return run


def every_point(source: Path, folder: Path, step: int) -> dict[str, object]:
    """Kill a job at every ``step``-th point, and let it go on."""
    points = {}
    for name in ("out.csv", "folder"):
        wanted = expected(source, folder, name)
        point = 0
        while True:
            out = folder / "points" / name
            shutil.rmtree(out.parent, ignore_errors=True)
            status = in_child(dying(lambda out=out: job(source, out), point))
            if status == 0:
                break
            assert status == -signal.SIGKILL, status
            assert in_child(lambda out=out: job(source, out)) == 0, point
            assert digest(out) == wanted, (name, point)
            point += step
        points[name] = point
    return {"points": points, "identical": True}


def full_disk(source: Path, folder: Path, times: int, seed: int) -> dict[str, object]:
    """Let writing fail for lack of room at files of random sizes, then give room."""
    dice = random.Random(seed)  # noqa: S311
    refused = 0
    wanted = {name: expected(source, folder, name) for name in OUTPUTS}
    for number in range(times):
        name = OUTPUTS[number % len(OUTPUTS)]
        out = folder / "full" / name
        shutil.rmtree(out.parent, ignore_errors=True)
        for _ in range(3):
            room = int(2 ** dice.uniform(8, 17))

            def crowded(out: Path = out, room: int = room) -> None:
                resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
                job(source, out)

            status = in_child(crowded)
            assert status in (0, REFUSED), status
            refused += status == REFUSED
        assert in_child(lambda out=out: job(source, out)) == 0
        assert digest(out) == wanted[name], name
    return {"jobs": times, "refused": refused, "identical": True}


def main() -> None:
    """Run what is asked for and print what was found as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--random", type=int, default=0, help="kills at random moments")
    parser.add_argument("--points", type=int, default=0, metavar="STEP", help="kills at every STEP-th point")
    parser.add_argument("--full-disk", type=int, default=0, help="jobs that run out of room")
    parser.add_argument("--rows", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    found = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_input(folder / "in.csv", given.rows)
        make_input(folder / "small.csv", 250)
        if given.random:
            found["random"] = random_kills(folder / "in.csv", folder, given.random, given.seed)
        if given.points:
            found["every_point"] = every_point(folder / "small.csv", folder, given.points)
        if given.full_disk:
            found["full_disk"] = full_disk(folder / "in.csv", folder, given.full_disk, given.seed)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
