"""Several processes: one that is killed under load takes nobody's answers with it but its own, and comes back."""

import os
import signal
import threading
import time
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


def test_a_worker_killed_under_load_mixes_nothing_up_and_comes_back(classifier: EmotionClassifier) -> None:
    with Live(workers=2, slow=0.0005) as server:
        deadline = time.monotonic() + 60
        while len(children(server.process.pid)) < 2 and time.monotonic() < deadline:
            time.sleep(0.2)
        askers = [Asker(server.url, number) for number in range(4)]
        for asker in askers:
            asker.start()
        time.sleep(1.5)
        victim = children(server.process.pid)[0]
        os.kill(victim, signal.SIGKILL)
        deadline = time.monotonic() + 60
        while (len(children(server.process.pid)) < 2 or victim in children(server.process.pid)) and (
            time.monotonic() < deadline
        ):
            time.sleep(0.2)
        time.sleep(1.0)
        for asker in askers:
            asker.stop.set()
        for asker in askers:
            asker.join()
        assert victim not in children(server.process.pid)
        assert len(children(server.process.pid)) == 2
        metrics = httpx.get(f"{server.url}/metrics", timeout=10).text
    found = [pair for asker in askers for pair in asker.found]
    assert len(found) > 40
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
