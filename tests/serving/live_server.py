"""A real server process on the fake model, and the script that it runs."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import httpx
from letters import make_classifier

from affekt.classifier import EmotionClassifier
from affekt.serving.keys import ApiKeys
from affekt.serving.run import AppFactory, serve
from affekt.serving.settings import Settings


class Live:
    """A server process on a free loopback port, on the fake model.

    Args:
        settings: as in :class:`Settings`.
        slow: seconds that the model takes for a token.
    """

    def __init__(self, slow: float = 0.0, **settings: Any) -> None:
        arguments = json.dumps({"rate": 0, "port": free_port()} | settings)
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 -- a pipe that nobody reads would stop the server
        self.log = ""
        self.process = subprocess.Popen([sys.executable, __file__, str(slow), arguments], stderr=self._log)
        self.port = json.loads(arguments)["port"]
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with contextlib.suppress(httpx.HTTPError):
                if httpx.get(f"{self.url}/readyz", timeout=5).status_code == 200:
                    return self
            if self.process.poll() is not None:
                raise RuntimeError(self.stop())
            time.sleep(0.1)
        raise TimeoutError(self.stop())

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self, sign: signal.Signals = signal.SIGTERM) -> str:
        """Stop it and return its log."""
        if self.process.poll() is None:
            self.process.send_signal(sign)
        self.process.wait(timeout=60)
        if not self._log.closed:
            self._log.seek(0)
            self.log = self._log.read().decode()
            self._log.close()
        return self.log

    def connect(self) -> socket.socket:
        """A plain connection."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=30)

    def send(self, data: bytes) -> bytes:
        """What comes back for these bytes until the server closes or is quiet for a moment."""
        with self.connect() as connection:
            connection.sendall(data)
            connection.settimeout(1.0)
            return drain(connection)


def drain(connection: socket.socket) -> bytes:
    """Everything that still comes."""
    found = b""
    with contextlib.suppress(TimeoutError, ConnectionError):
        while piece := connection.recv(65536):
            found += piece
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def memory_mib(process: int) -> float:
    """Resident memory of a process."""
    pages = int(Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


@dataclass(frozen=True)
class FakeFactory(AppFactory):
    """The application on letters instead of a model folder."""

    seconds_per_token: float = 0.0

    def classifier(self) -> EmotionClassifier:
        return make_classifier(Path(tempfile.mkdtemp(prefix="letters-")), self.seconds_per_token)


if __name__ == "__main__":
    given = Settings.model_validate(json.loads(sys.argv[2]))
    keys = ApiKeys(filter(None, [os.environ.get("AFFEKT_TEST_KEY", "")]))
    serve(FakeFactory(None, "auto", 1, given, keys, seconds_per_token=float(sys.argv[1])))
