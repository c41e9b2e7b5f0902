"""Reading what jobs wrote."""

import csv
import json
from pathlib import Path
from typing import Any


def read_csv(path: Path) -> list[dict[str, str]]:
    """The rows of a csv file."""
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def read_jsonl(path: Path) -> list[dict[str, Any]]:
    """The objects of a JSON-lines file."""
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def state_of(out: Path) -> Path:
    """The folder that a job keeps beside or in its output."""
    return out / "_affekt" if out.is_dir() else out.with_name(f"{out.name}.affekt")


def rejects_of(out: Path) -> list[dict[str, Any]]:
    """The rejects of a finished job."""
    return read_jsonl(state_of(out) / "rejects.jsonl")


def write(path: Path, content: str | bytes) -> Path:
    """A file with that content."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def text_of(number: int) -> str:
    """The text of a row of the fixture ``table``; every 20th has none."""
    if number % 20 == 7:
        return ""
    return f'text {number % 90}, with "quotes"' + "\nand a second line" * (number % 11 == 0)


def sentences() -> list[str]:
    """Sixty different texts that a small model has words for."""
    return [
        f"i {verb} this {noun} {word}"
        for verb in ("love", "hate", "miss", "need")
        for noun in ("day", "team", "game")
        for word in ("sad", "happy", "so much", "really bad", "every time")
    ]
