"""Real kills and real lack of room, a few of each; ``benchmarks/bulk_kills.py`` does hundreds."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "bulk_kills.py"


def outcome(*arguments: str) -> dict[str, Any]:
    memory = "/dev/shm"  # noqa: S108 - a disk in memory, where there is one, for the sake of speed
    where = {"TMPDIR": memory} if os.access(memory, os.W_OK) else {}
    command = [sys.executable, str(SCRIPT), *arguments]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=300, check=False, env={**os.environ, **where}
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.slow
def test_killed_at_random_moments_the_output_is_the_same_to_the_byte() -> None:
    assert outcome("--random", "12", "--rows", "1200")["random"]["identical"]


@pytest.mark.slow
def test_killed_at_any_step_of_writing_the_output_is_the_same_to_the_byte() -> None:
    found = outcome("--points", "13")["every_point"]
    assert found["identical"]
    assert min(found["points"].values()) > 50


@pytest.mark.slow
def test_out_of_room_the_job_says_so_and_goes_on_later() -> None:
    found = outcome("--full-disk", "5", "--rows", "600")["full_disk"]
    assert found["identical"]
    assert found["refused"] > 0
