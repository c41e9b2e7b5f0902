"""A folder in which every page's commands can run: tables, texts, and tiny encoders under the names that pages use."""

import contextlib
import io
import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pages import ROOT, Step

ENCODERS = ("roberta-large", "microsoft/mpnet-base", "sentence-transformers/all-MiniLM-L6-v2")
COMMENTS = (
    "What a wonderful surprise, thank you!",
    "I was so scared during the storm last night",
    "This is the worst service I have ever had",
    "see you at three",
)


class Kitchen:
    """Runs the steps of one page in one folder.

    Args:
        folder: where to work; a new one.
        encoder: folder of a tiny encoder, which stands in for those that pages name; without it no model is trained.
    """

    def __init__(self, folder: Path, encoder: Path | None = None) -> None:
        self.folder = folder
        self.names: dict[str, Any] = {"__name__": "__main__"}
        self.servers: list[subprocess.Popen[bytes]] = []
        self.port = _free_port()
        _prepare(folder, encoder)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        for server in self.servers:
            server.terminate()
            server.wait(30)

    def run(self, step: Step) -> str:
        """Do it; what it printed.

        Raises:
            AssertionError: a command that failed.
        """
        return self._python(step.code) if step.kind == "python" else self._command(step.code)

    def _command(self, line: str) -> str:
        line = line.replace(":8000", f":{self.port}")
        if line.startswith("affekt serve"):
            self._serve(line)
            return ""
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", line],
            cwd=self.folder, env=self._environment(), capture_output=True, text=True, check=False, timeout=300,
        )  # fmt: skip
        assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
        return done.stdout.replace(f":{self.port}", ":8000")

    def _serve(self, line: str) -> None:
        for server in self.servers:
            server.terminate()
            server.wait(30)
        arguments = f"exec {line.partition('--port')[0]} --port {self.port} --log-level error"
        self.servers = [subprocess.Popen(["bash", "-c", arguments], cwd=self.folder, env=self._environment())]
        for _ in range(600):
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=5).close()
                return
            assert self.servers[0].poll() is None, f"{line} ended"
            time.sleep(0.2)
        raise AssertionError(f"{line} did not get ready")

    def _python(self, code: str) -> str:
        printed, here = io.StringIO(), Path.cwd()
        os.chdir(self.folder)
        try:
            with contextlib.redirect_stdout(printed):
                exec(compile(code, "<page>", "exec"), self.names)  # noqa: S102 - the page is ours
        finally:
            os.chdir(here)
        return printed.getvalue()

    def _environment(self) -> dict[str, str]:
        return dict(
            os.environ,
            PATH=f"{self.folder / '.bin'}{os.pathsep}{os.environ['PATH']}",
            PYTHONPATH=str(ROOT / "src"),
            COLUMNS="100",
            HF_HUB_OFFLINE="1",
            OMP_NUM_THREADS="1",
        )


def make_encoder(folder: Path) -> Path:
    """A tiny random encoder with a real tokenizer."""
    from transformers import AutoConfig, AutoModel

    from models import SMALL, tokenizer, vocabulary

    settings = {**SMALL, "vocab_size": len(vocabulary()), "pad_token_id": 0, "max_position_embeddings": 130}
    AutoModel.from_config(AutoConfig.for_model("bert", **settings)).save_pretrained(folder)
    tokenizer(folder)
    return folder


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _prepare(folder: Path, encoder: Path | None) -> None:
    commands = folder / ".bin"
    commands.mkdir(parents=True)
    for name, runs in {"affekt": f"{sys.executable} -m affekt", "python": sys.executable}.items():
        (commands / name).write_text(f'#!/bin/sh\nexec {runs} "$@"\n', encoding="utf-8")
        (commands / name).chmod(0o755)
    for name in ENCODERS if encoder else ():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).symlink_to(encoder, target_is_directory=True)  # type: ignore[arg-type]
    for example in (ROOT / "docs" / "examples").glob("*"):
        (folder / example.name).write_bytes(example.read_bytes())
    rows = "".join(f'{number},"{text}"\n' for number, text in enumerate(COMMENTS, 1))
    (folder / "comments.csv").write_text("id,text\n" + rows, encoding="utf-8")
    (folder / "lines.txt").write_text("\n".join(COMMENTS) + "\n", encoding="utf-8")
    subprocess.run([sys.executable, "kaggle_table.py", "160"], cwd=folder, check=True)
