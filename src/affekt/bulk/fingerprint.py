"""What a job is made of (input, model, options), and what differs when the same output is asked for again."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import affekt

WHOLE = 256 * 1024 * 1024
"""Files up to this size are known by all their bytes; larger ones by samples of them and their date."""

_SAMPLES = 64
_SAMPLE_BYTES = 256 * 1024
FORMAT = 1


def fingerprint(files: Sequence[Path], model: Mapping[str, Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """What a job is made of, as JSON has it.

    Args:
        files: the input.
        model: a scorer's identity.
        options: those that change the output, as resolved.
    """
    return {
        "format": FORMAT,
        "affekt": affekt.__version__,
        "input": [file_fingerprint(path) for path in files],
        "model": dict(model),
        "options": dict(options),
    }


def file_fingerprint(path: Path) -> dict[str, Any]:
    """A file's name, size and digest; where it is large, the digest of 64 samples, its first and last bytes among them.

    A large file has its date in the fingerprint too, because a change between two samples would go unseen.
    """
    status = path.stat()
    found = {"path": str(path), "bytes": status.st_size}
    if status.st_size <= WHOLE:
        with open(path, "rb") as file:
            return found | {"sha256": hashlib.file_digest(file, "sha256").hexdigest()}
    return found | {"sampled_sha256": _sampled(path, status.st_size), "modified_ns": status.st_mtime_ns}


def _sampled(path: Path, size: int) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for number in range(_SAMPLES):
            file.seek((size - _SAMPLE_BYTES) * number // (_SAMPLES - 1))
            digest.update(file.read(_SAMPLE_BYTES))
    return digest.hexdigest()


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What differs between two fingerprints, in words; empty if nothing does."""
    found = [
        f"{name} was {before.get(name)}, is {now.get(name)}"
        for name in ("format", "affekt")
        if before.get(name) != now.get(name)
    ]
    found += _input_differences(before.get("input", []), now["input"])
    for part in ("model", "options"):
        then, current = before.get(part, {}), now[part]
        for name in dict.fromkeys((*then, *current)):
            if then.get(name) != current.get(name):
                found.append(f"{part} {name} was {_shown(then.get(name))}, is {_shown(current.get(name))}")
    return found


def _input_differences(before: Sequence[Mapping[str, Any]], now: Sequence[Mapping[str, Any]]) -> list[str]:
    then = {entry["path"]: entry for entry in before}
    current = {entry["path"]: entry for entry in now}
    found = [f"input '{path}' is no longer there" for path in then if path not in current]
    found += [f"input '{path}' is new" for path in current if path not in then]
    found += [_change(then[path], entry) for path, entry in current.items() if path in then and then[path] != entry]
    if not found and list(then) != list(current):
        found.append("the input files come in another order")
    return found


def _change(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    if before["bytes"] != now["bytes"]:
        return f"input '{now['path']}' had {before['bytes']:,} bytes, has {now['bytes']:,}"
    same = before.get("sha256", before.get("sampled_sha256")) == now.get("sha256", now.get("sampled_sha256"))
    return f"input '{now['path']}' has {'another date' if same else 'other content'}"


def _shown(value: Any) -> str:
    text = str(value)
    return f"{text[:57]}..." if len(text) > 60 else text


def states(files: Sequence[Path]) -> list[tuple[int, int]]:
    """Size and date of each file, to notice at the end of a run that one was changed meanwhile."""
    found = [path.stat() for path in files]
    return [(status.st_size, status.st_mtime_ns) for status in found]
