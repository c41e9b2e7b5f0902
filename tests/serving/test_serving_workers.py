"""Several processes: one that is killed under load takes nobody's answers with it but its own, and comes back."""

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from live_server import Live

from affekt.classifier import EmotionClassifier

pytestmark = pytest.mark.skipif(not Path("/proc").is_dir(), reason="finds the workers in /proc")


def children(process: int) -> list[int]:
    """Worker processes: those that run multiprocessing's spawn, not its resource tracker."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                stat = (folder / "stat").read_text(encoding="ascii", errors="replace")
                command = (folder / "cmdline").read_bytes()
            except OSError:
                continue
            if int(stat.rpartition(")")[2].split()[1]) == process and b"spawn_main" in command:
                found.append(int(folder.name))
    return found


class Asker(threading.Thread):
    """Asks for distinct texts over new connections and keeps what comes back."""

    def __init__(self, url: str, number: int) -> None:
        super().__init__()
        self.url, self.number = url, number
        self.found: list[tuple[str, dict[str, float]]] = []
        self.broken = 0
        self.statuses: set[int] = set()
        self.stop = threading.Event()

    def run(self) -> None:
        count = 0
        while not self.stop.is_set():
            text = f"{['happy', 'sad', 'angry'][count % 3]} {self.number}-{count}"
            count += 1
            try:
                answer = httpx.post(f"{self.url}/v1/classify", json={"text": text, "scores": True}, timeout=20)
            except httpx.HTTPError:
                self.broken += 1
                continue
            self.statuses.add(answer.status_code)
            if answer.status_code == 200:
                self.found.append((text, answer.json()["results"][0]["scores"]))


def answers(askers: list[Asker]) -> int:
    return sum(len(asker.found) for asker in askers)


def wait_until(happened: Callable[[], bool], what: str) -> None:
    """Wait as long as it takes on a busy machine, within reason."""
    deadline = time.monotonic() + 120
    while not happened():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


def test_a_worker_killed_under_load_mixes_nothing_up_and_comes_back(classifier: EmotionClassifier) -> None:
    with Live(workers=2, slow=0.0005) as server:
        process = server.process.pid
        wait_until(lambda: len(children(process)) == 2, "two workers run")
        askers = [Asker(server.url, number) for number in range(4)]
        for asker in askers:
            asker.start()
        wait_until(lambda: answers(askers) >= 20, "questions are answered before the kill")
        victim = children(process)[0]
        os.kill(victim, signal.SIGKILL)
        wait_until(lambda: victim not in (left := children(process)) and len(left) == 2, "another worker takes over")
        before = answers(askers)
        wait_until(lambda: answers(askers) >= before + 20, "questions are answered after the kill")
        for asker in askers:
            asker.stop.set()
        for asker in askers:
            asker.join()
        metrics = httpx.get(f"{server.url}/metrics", timeout=10).text
    found = [pair for asker in askers for pair in asker.found]
    assert set.union(*(asker.statuses for asker in askers)) <= {200, 429, 503}
    expected = classifier.predict([text for text, _ in found])
    for (_, scores), wanted in zip(found, expected, strict=True):
        assert scores == pytest.approx(dict(wanted.scores), abs=1e-6)
    counted = [
        line
        for line in metrics.splitlines()
        if line.startswith('affekt_requests_total{path="/v1/classify",status="200"}')
    ]
    assert counted
    assert float(counted[0].split()[-1]) >= len(found) * 0.9
