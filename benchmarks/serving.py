"""How much `affekt serve` answers and how fast, under open-loop load on loopback; a plain server beside it.

``python benchmarks/serving.py --texts goemotions/dev.tsv [--model FOLDER] [--only steady,overload] [--out FILE.json]``

- ``steady``: 600 requests a second of one text each; p99 and errors.
- ``capacity``: the highest rate that is answered with p99 <= 50 ms and no refusal.
- ``overload``: twice that rate; the accepted ones' p99, and what the others got.
- ``batch``: the batch endpoint against the engine alone.
- ``soak``: memory over ``--soak`` seconds at a third of the capacity.
- ``idle``: 10,000 idle connections, and requests among them.
- ``plain``: FastAPI around a transformers pipeline, the same way.

The server and the load generator share the machine's processors, which is part of the figures.
"""

import argparse
import asyncio
import contextlib
import json
import os
import platform
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import psutil
import uvloop
from load import Report, http_post, open_loop, results_of

from affekt.classifier import EmotionClassifier
from affekt.threads import available_cpus

P99_STEADY, P99_OVERLOAD = 50.0, 150.0
CLIENTS = 2
"""Clients of the batch endpoint, each with one request at a time."""

REQUESTS = 500
"""Different texts among the single requests."""

SCENARIOS = ("steady", "capacity", "overload", "batch", "soak", "idle", "plain")
Figures = dict[str, Any]


class Bench:
    """A running server and the requests for it.

    Args:
        url: of the server.
        process: its process.
        texts: one for each request.
        check: whether answers are compared with those of a first, quiet round.
    """

    def __init__(self, url: str, process: int, texts: list[str], *, check: bool = True) -> None:
        self.url, self.process = url, psutil.Process(process)
        texts = texts[:REQUESTS]
        self.requests = [http_post(url, "/v1/classify", json.dumps({"text": text}).encode()) for text in texts]
        self.expected = self._quiet_round(texts) if check else None

    def _quiet_round(self, texts: list[str]) -> list[bytes | None]:
        with httpx.Client(base_url=self.url, timeout=30) as client:
            return [results_of(client.post("/v1/classify", json={"text": text}).content) for text in texts]

    def load(self, rate: float, seconds: float) -> Report:
        """Open-loop load."""
        report: Report = uvloop.run(open_loop(self.url, self.requests, rate, seconds, self.expected))
        return report

    def memory(self) -> float:
        """MiB of the server and its children."""
        family = [self.process, *self.process.children(recursive=True)]
        return sum(member.memory_info().rss for member in family) / 2**20


def clean(report: Report, p99: float = P99_STEADY) -> bool:
    """Whether everything was answered in time."""
    return set(+report.statuses) == {200} and report.quantile(0.99) <= p99 and not report.wrong


def steady(bench: Bench, seconds: float) -> Figures:
    """600 requests a second."""
    report = bench.load(600, seconds)
    return report.to_dict() | {"met": clean(report)}


def capacity(bench: Bench, seconds: float) -> Figures:
    """The highest clean rate, to within 5 %, by doubling and halving."""
    low, high, best = 0.0, 0.0, Report(0, 1)
    rate = 100.0
    while not high or high - low > 0.05 * high:
        report = bench.load(rate, seconds)
        print(f"    {rate:7.0f}/s  p99 {report.quantile(0.99):7.1f} ms  {dict(+report.statuses)}", flush=True)
        if clean(report):
            low, best = rate, report
        else:
            high = rate
        if rate < 10 or rate > 20_000:
            break
        rate = (low + high) / 2 if high else 2 * rate
    return best.to_dict()


def overload(bench: Bench, seconds: float, rate: float) -> Figures:
    """Twice the capacity."""
    report = bench.load(2 * rate, seconds)
    good = report.quantile(0.99) <= P99_OVERLOAD and set(+report.statuses) <= {200, 429} and not report.wrong
    return report.to_dict() | {"met": good}


def batch(bench: Bench, texts: list[str], model: Path | None, seconds: float) -> Figures:
    """Texts a second through the batch endpoint, and through the engine alone in this process, in turns."""
    classifier = EmotionClassifier.load(model)
    many = list(dict.fromkeys(texts))
    served, alone = [], []
    for _ in range(3):
        alone.append(_rate(classifier.predict, many, seconds / 3))
        with httpx.Client(base_url=bench.url, timeout=60) as client, ThreadPoolExecutor(CLIENTS) as pool:
            rates = [pool.submit(_rate, partial(_post, client), many, seconds / 3) for _ in range(CLIENTS)]
            served.append(sum(rate.result() for rate in rates))
    share = max(served) / max(alone)
    return {
        "texts_per_second": round(max(served)),
        "engine": round(max(alone)),
        "share": round(share, 3),
        "met": share >= 0.85,
    }


def _post(client: httpx.Client, texts: list[str]) -> None:
    client.post("/v1/classify", json={"texts": texts}).raise_for_status()


def _rate(run: Callable[[list[str]], object], texts: list[str], seconds: float, size: int = 1000) -> float:
    started = time.perf_counter()
    done = 0
    while time.perf_counter() - started < seconds:
        start = done % max(1, len(texts) - size)
        part = texts[start : start + size]
        run(part)
        done += len(part)
    return done / (time.perf_counter() - started)


def soak(bench: Bench, seconds: float, rate: float) -> Figures:
    """Memory by the minute."""
    bench.load(rate, 10)
    memory = [bench.memory()]
    statuses: set[int] = set()
    part = max(5.0, seconds / 10)
    for _ in range(round(seconds / part)):
        statuses |= set(+bench.load(rate, part).statuses)
        memory.append(bench.memory())
        print(f"    {memory[-1]:.1f} MiB", flush=True)
    grown = memory[-1] - memory[len(memory) // 2]
    return {"mib": [round(value, 1) for value in memory], "statuses": sorted(statuses), "met": grown < 5}


def idle(bench: Bench, seconds: float, count: int = 10_000) -> Figures:
    """Connections that say nothing (or half a request), and requests among them."""
    before = bench.memory()
    found = uvloop.run(_crowd(bench, seconds, count))
    return found | {"mib_before": round(before, 1), "mib_after": round(bench.memory(), 1)}


async def _crowd(bench: Bench, seconds: float, count: int) -> Figures:
    host, port = httpx.URL(bench.url).host, httpx.URL(bench.url).port
    crowd = []
    started = time.perf_counter()
    for number in range(count):
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection(host, port, local_addr=(f"127.0.0.{2 + number % 50}", 0))
            if number % 2:
                writer.write(b"POST /v1/classify HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Le")
            crowd.append(writer)
    opened = time.perf_counter() - started
    report = await open_loop(bench.url, bench.requests, 100, seconds, bench.expected)
    for writer in crowd:
        writer.close()
    return report.to_dict() | {
        "connections": len(crowd),
        "opened_in_s": round(opened, 1),
        "met": set(+report.statuses) == {200},
    }


@contextlib.contextmanager
def server(command: list[str], port: int) -> Iterator[subprocess.Popen[bytes]]:
    """A server process, ready."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            with contextlib.suppress(httpx.HTTPError):
                if httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=5).status_code == 200:
                    break
            if process.poll() is not None:
                raise RuntimeError(f"{command} ended with {process.returncode}")
            time.sleep(0.2)
        yield process
    finally:
        process.terminate()
        process.wait(30)


def free_port() -> int:
    """A port that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def read_texts(path: Path) -> list[str]:
    """The first column of a table of texts, those of about 20 tokens."""
    lines = path.read_text(encoding="utf-8").splitlines()
    texts = [line.split("\t")[0] for line in lines]
    return [text for text in texts if 8 <= len(text.split()) <= 24]


def measure_affekt(options: argparse.Namespace, texts: list[str]) -> Figures:
    """All scenarios of our own server."""
    port = free_port()
    model = ["--model", str(options.model)] if options.model else []
    command = [
        sys.executable,
        "-m",
        "affekt",
        "serve",
        "--port",
        str(port),
        "--rate",
        "0",
        "--log-level",
        "warning",
        *model,
    ]
    found: Figures = {}
    with server([*command, *options.serve], port) as process:
        bench = Bench(f"http://127.0.0.1:{port}", process.pid, texts)
        bench.load(100, 2)
        rate = 600.0
        for name in options.only:
            print(f"  {name} ...", flush=True)
            if name == "capacity":
                found[name] = capacity(bench, options.seconds)
                rate = found[name]["sent_per_second"] or rate
            elif name in ("overload", "soak"):
                seconds = options.soak if name == "soak" else options.seconds
                found[name] = (overload if name == "overload" else soak)(
                    bench, seconds, rate if name == "overload" else rate / 3
                )
            elif name == "batch":
                found[name] = batch(bench, texts, options.model, options.seconds)
            elif name in ("steady", "idle"):
                found[name] = (steady if name == "steady" else idle)(bench, options.seconds)
            if name in found:
                print(f"    {json.dumps(found[name])}", flush=True)
    return found


def measure_plain(options: argparse.Namespace, texts: list[str]) -> Figures:
    """The same load on the plain server: its capacity, and what twice that does to it."""
    from affekt.models import SHIPPED

    port = free_port()
    folder = str(options.model or SHIPPED)
    command = [sys.executable, str(Path(__file__).with_name("plain_server.py")), folder, str(port)]
    with server(command, port) as process:
        bench = Bench(f"http://127.0.0.1:{port}", process.pid, texts, check=False)
        bench.load(20, 2)
        found = {"capacity": capacity(bench, options.seconds)}
        found["steady"] = steady(bench, min(options.seconds, 10))
    return found


def main() -> None:
    """Measure and write down."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--texts", type=Path, required=True, help="table whose first column holds texts (tab-separated)"
    )
    parser.add_argument("--model", type=Path, help="model folder; the shipped one by default")
    parser.add_argument("--seconds", type=float, default=20.0, help="length of each measurement")
    parser.add_argument("--soak", type=float, default=600.0, help="length of the soak in seconds")
    parser.add_argument("--only", type=lambda value: value.split(","), default=list(SCENARIOS))
    parser.add_argument("--serve", type=str.split, default=[], help="further options for affekt serve, in one string")
    parser.add_argument("--out", type=Path, help="file for the figures")
    options = parser.parse_args()
    texts = read_texts(options.texts)
    found: Figures = {
        "machine": {"processors": available_cpus(), "python": platform.python_version(), "load": os.getloadavg()}
    }
    if set(options.only) - {"plain"}:
        print("affekt serve", flush=True)
        found["affekt"] = measure_affekt(options, texts)
    if "plain" in options.only:
        print("FastAPI + transformers pipeline", flush=True)
        found["plain"] = measure_plain(options, texts)
    print(json.dumps(found, indent=1))
    if options.out:
        options.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
