"""What bulk prediction costs: memory over millions of rows, throughput beside the engine's own, and beside other ways.

    python benchmarks/bulk.py memory --rows 5000000
    python benchmarks/bulk.py memory --rows 5000000 --model MODEL --texts comments.csv.gz
    python benchmarks/bulk.py throughput --model MODEL --texts comments.csv.gz --rows 20000
    python benchmarks/bulk.py others --model MODEL --texts comments.csv.gz --rows 1000

``memory`` without a model scores by checksum, so that what is measured is reading, remembering and writing; its texts
are all different, so that the memory of scored texts is full all the time. With a model, the rows repeat the texts that
are given. ``throughput`` takes turns between the engine alone (texts and scores in memory) and files (csv in, csv out).
``others`` needs ``datasets``, ``pandas`` and ``transformers``. Every figure is printed as JSON.
"""

import argparse
import csv
import gzip
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import cycle, islice
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np

from affekt.bulk import JobOptions, predict_files, spare_memory
from affekt.bulk.scoring import BoolArray, FloatArray, ScorerSpec
from affekt.taxonomy import GOEMOTIONS

MIB = 1 << 20


class Checksums:
    """28 scores per text from its checksum: no model, next to no time."""

    labels = GOEMOTIONS
    identity: Mapping[str, Any] = {"name": "checksums", "version": "1"}

    def scores(self, texts: Sequence[str]) -> FloatArray:
        """(texts, 28) float32."""
        sums = np.fromiter((crc32(text.encode()) for text in texts), dtype=np.int64, count=len(texts))
        return ((sums[:, None] >> np.arange(28)) % 1000 / 1000).astype(np.float32)

    def decide(self, scores: FloatArray) -> BoolArray:
        """(texts, 28) bool."""
        decided: BoolArray = scores > np.float32(0.95)
        return decided


def read_texts(path: Path) -> list[str]:
    """The first column of a csv file that holds texts, or its only one."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        return [text for row in rows if (text := row.get("body") or row.get("text") or "").strip()]


def write_input(path: Path, texts: Iterator[str]) -> int:
    """A csv file with an id, a text and a date in every row; its size in bytes."""
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "text", "posted"])
        writer.writerows([number, text, "2024-01-01T00:00:00Z"] for number, text in enumerate(texts))
    return path.stat().st_size


def distinct_texts(rows: int) -> Iterator[str]:
    """Texts of 20 to 400 characters, no two the same."""
    filler = "it is a truth universally acknowledged that a single text in possession of a good label " * 5
    return (f"{number} {filler[: 20 + number * 7919 % 380]}" for number in range(rows))


def run_job(source: Path, out: Path, model: str | None, threads: int | None) -> dict[str, Any]:
    """One job in this process; its figures and this process's peak memory."""
    spare_memory()
    if model is None:
        scorer: Any = Checksums()
    else:
        scorer = ScorerSpec(model=model, threads=threads).open()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    summary = predict_files(source, out, scorer, JobOptions(scores="columns"))
    return {
        "rows": summary.rows,
        "scored": summary.scored,
        "saved": summary.saved,
        "seconds": summary.seconds,
        "rows_per_second": summary.rows_per_second,
        "mib_before": round(before),
        "mib_peak": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def in_process(*arguments: object) -> dict[str, Any]:
    """This script's ``job`` in a process of its own, so that its memory is its own."""
    command = [sys.executable, __file__, "job", *map(str, arguments)]
    found: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return found


def memory(given: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Peak memory over many rows, from csv and into every kind of file asked for."""
    texts = islice(cycle(read_texts(given.texts)), given.rows) if given.texts else distinct_texts(given.rows)
    size = write_input(folder / "in.csv", texts)
    extra = ["--model", given.model] if given.model else []
    found: dict[str, Any] = {
        "input_mib": round(size / MIB),
        "distinct": not given.texts,
        "model": given.model or "checksums",
    }
    for kind in given.kinds.split(","):
        out = folder / f"out.{kind}"
        found[kind] = in_process(folder / "in.csv", out, *extra)
        found[kind]["output_mib"] = round(out.stat().st_size / MIB)
        out.unlink()
    return found


def throughput(given: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """The engine's own texts/s and the files' rows/s, in turns; all texts are different, so that none is saved."""
    texts = list(islice(dict.fromkeys(read_texts(given.texts)), given.rows))
    write_input(folder / "in.csv", iter(texts))
    scorer = ScorerSpec(model=given.model, threads=given.threads).open()
    scorer.scores(texts[:500])
    engine, files = [], []
    for turn in range(given.turns):
        engine.append(taken(lambda: scorer.scores(texts)))
        out = folder / f"out{turn}.csv"
        files.append(taken(lambda out=out: predict_files(folder / "in.csv", out, scorer, JobOptions())))
    shares = [[one[kind] / other[kind] for one, other in zip(engine, files, strict=True)] for kind in range(2)]
    return {
        "texts": len(texts),
        "engine_texts_per_second": [round(len(texts) / wall) for wall, _ in engine],
        "files_rows_per_second": [round(len(texts) / wall) for wall, _ in files],
        "engine_cpu_ms_per_text": [round(1000 * cpu / len(texts), 3) for _, cpu in engine],
        "files_cpu_ms_per_row": [round(1000 * cpu / len(texts), 3) for _, cpu in files],
        "median_share_of_the_engine": round(statistics.median(shares[0]), 3),
        "median_share_of_the_engine_by_processor_time": round(statistics.median(shares[1]), 3),
    }


def taken(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds that something takes: on the clock, and of the processors."""
    wall, processors = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - processors


def others(given: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """The same rows through what people do today, one after the other on the same machine."""
    texts = list(islice(dict.fromkeys(read_texts(given.texts)), given.rows))
    write_input(folder / "in.csv", iter(texts))
    import pandas as pd
    import torch
    from datasets import Dataset
    from transformers import pipeline

    if given.threads:
        torch.set_num_threads(given.threads)
    pipe = pipeline("text-classification", model=given.model, top_k=None, truncation=True, max_length=128, device="cpu")
    pipe(texts[:8])
    scorer = ScorerSpec(model=given.model, threads=given.threads).open()
    scorer.scores(texts[:8])

    turn = cycle(range(1_000_000))

    def loop() -> None:
        frame = pd.read_csv(folder / "in.csv")
        frame["emotions"] = [pipe(text)[0] for text in frame["text"]]
        frame.to_csv(folder / "loop.csv")

    def batched() -> None:
        frame = pd.read_csv(folder / "in.csv")
        frame["emotions"] = pipe(frame["text"].tolist(), batch_size=32)
        frame.to_csv(folder / "batched.csv")

    def mapped() -> None:
        rows = Dataset.from_csv(str(folder / "in.csv"), cache_dir=str(folder / f"cache{next(turn)}"))
        answered = rows.map(
            lambda batch: {"emotions": pipe(batch["text"], batch_size=32)}, batched=True, batch_size=1000
        )
        answered.to_parquet(str(folder / "mapped.parquet"))

    ways: dict[str, Callable[[], object]] = {
        "pandas loop over pipeline": loop,
        "pandas, pipeline(batch_size=32)": batched,
        "datasets.map, pipeline(batch_size=32)": mapped,
        "affekt predict --file": lambda: predict_files(folder / "in.csv", folder / f"{next(turn)}.csv", scorer),
    }
    times = {name: [taken(way) for _ in range(given.turns)] for name, way in ways.items()}
    return {
        "rows": len(texts),
        "threads": given.threads,
        "rows_per_second": {name: [round(len(texts) / wall, 1) for wall, _ in found] for name, found in times.items()},
        "cpu_ms_per_row": {
            name: round(statistics.median(1000 * cpu / len(texts) for _, cpu in found), 2)
            for name, found in times.items()
        },
    }


def main() -> None:
    """Run what is asked for and print what was found as JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("what", choices=["memory", "throughput", "others", "job"])
    parser.add_argument("paths", nargs="*", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--model", default=None, help="model folder")
    parser.add_argument("--texts", type=Path, default=None, help="csv.gz with a column 'body' or 'text'")
    parser.add_argument("--threads", type=int, default=None)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--kinds", default="csv,parquet", help="output formats of 'memory'")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        if given.what == "job":
            found = run_job(*given.paths, given.model, given.threads)
        else:
            found = {"memory": memory, "throughput": throughput, "others": others}[given.what](given, Path(name))
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
