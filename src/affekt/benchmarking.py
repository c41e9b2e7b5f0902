"""What this machine does with a model: each engine in a process of its own, so that none profits from another.

The measuring process prints ``ready`` after its first answer, which is how the start-up is timed from outside, and its
figures as JSON when it is done.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from affekt.errors import BackendError

SAMPLE = (
    "Thank you so much, this made my whole week!",
    "I can't believe they cancelled it again.",
    "no",
    "Honestly I was a bit nervous before the interview, but everyone was kind and it went better than I had hoped.",
    "What time does the train leave tomorrow?",
    "This is the worst customer service I have ever had, three calls and nobody could tell me where my order is.",
    "lol that cat is hilarious",
    "I miss him every day. Some mornings I still reach for the phone to call him, and then I remember.",
    "Congratulations to both of you, you deserve it.",
    "Wait, so the door was open the whole time? How did nobody notice that until now?",
)
"""Texts of the usual lengths, for when the caller gives none."""

READY = "ready"


@dataclass(frozen=True)
class Settings:
    """What to measure.

    Attributes:
        model: the model folder.
        backend: one engine.
        threads: processors; None for those available.
        texts: what to run on.
        sizes: batch sizes to try.
        seconds: about how long each figure may take.
    """

    model: str
    backend: str
    threads: int | None
    texts: tuple[str, ...]
    sizes: tuple[int, ...]
    seconds: float


@dataclass(frozen=True)
class Figures:
    """What one engine does.

    Attributes:
        backend: its name.
        start_up_s: seconds from a fresh process to its first answer.
        one_p50_ms: median milliseconds of one text, from raw string to decision.
        one_p99_ms: 99th percentile of the same.
        texts_per_s: batch size -> texts per second, raw strings to decisions.
        peak_mib: most memory that the process held.
    """

    backend: str
    start_up_s: float
    one_p50_ms: float
    one_p99_ms: float
    texts_per_s: dict[int, float]
    peak_mib: float

    def to_json(self) -> dict[str, Any]:
        """Plain dictionaries, ready for JSON."""
        return asdict(self)


def run(settings: Settings) -> Figures:
    """Measure one engine in a fresh process.

    Raises:
        BackendError: if the process fails; with its last line.
    """
    command = [sys.executable, "-m", "affekt.benchmarking"]
    start = time.perf_counter()
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8"
    ) as child:
        assert child.stdin is not None  # noqa: S101  (tells the type checker what PIPE means)
        assert child.stdout is not None  # noqa: S101
        child.stdin.write(json.dumps(asdict(settings)))
        child.stdin.close()
        child.stdin = None
        ready = child.stdout.readline().strip() == READY
        start_up = time.perf_counter() - start
        output, problems = child.communicate()
    if not ready or child.returncode:
        last = (problems.strip().splitlines() or ["no message"])[-1]
        raise BackendError(f"Measuring '{settings.backend}' failed: {last}")
    figures = json.loads(output)
    figures["texts_per_s"] = {int(size): speed for size, speed in figures["texts_per_s"].items()}
    return Figures(start_up_s=start_up, **figures)


def backends_of(model: Path) -> list[str]:
    """The engines that can run a model folder here, one per file and device."""
    from affekt.backends import FILES, choose

    found = [name for name in ("onnx-int8", "onnx-float32", "torch-cpu") if (model / FILES[name]).is_file()]
    return found + ["torch-cuda"] * (choose(model) == "torch-cuda")


def measure(settings: Settings) -> Iterator[str]:
    """In the fresh process: the lines to print, the second one being the figures."""
    from affekt.classifier import EmotionClassifier

    classifier = EmotionClassifier.load(settings.model, backend=settings.backend, threads=settings.threads)
    classifier.predict(settings.texts[0])
    yield READY
    p50, p99 = _one_text(classifier, settings)
    speeds = {size: _texts_per_second(classifier, settings, size) for size in settings.sizes}
    yield json.dumps(
        {
            "backend": classifier.backend.name,
            "one_p50_ms": p50,
            "one_p99_ms": p99,
            "texts_per_s": speeds,
            "peak_mib": peak_memory(),
        }
    )


def _one_text(classifier: Any, settings: Settings) -> tuple[float, float]:
    """Milliseconds of one text alone: median and 99th percentile."""
    import numpy as np

    for text in settings.texts[:20]:
        classifier.predict(text)
    times: list[float] = []
    end = time.perf_counter() + settings.seconds
    while time.perf_counter() < end or len(times) < 20:
        text = settings.texts[len(times) % len(settings.texts)]
        start = time.perf_counter()
        classifier.predict(text)
        times.append((time.perf_counter() - start) * 1e3)
    return float(np.percentile(times, 50)), float(np.percentile(times, 99))


def _texts_per_second(classifier: Any, settings: Settings, size: int) -> float:
    """Speed with batches of at most ``size`` texts; the texts repeat, so each is made different from the others."""
    backend = classifier.backend
    backend.plan = replace(backend.plan, max_texts=size)
    done, start = 0, time.perf_counter()
    while (spent := time.perf_counter() - start) < settings.seconds or not done:
        part = [
            f"{text} {done + number}" for number, text in enumerate(settings.texts * (1 + 500 // len(settings.texts)))
        ]
        done += sum(1 for _ in classifier.stream(part))
    return done / spent


def peak_memory() -> float:
    """Most memory that this process has held, MiB; 0 where the system does not say."""
    try:
        import resource
    except ImportError:
        return 0.0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def table(rows: Sequence[Figures]) -> str:
    """The figures, for people."""
    sizes = sorted({size for row in rows for size in row.texts_per_s})
    head = ["backend", "start s", "one text p50 ms", "p99 ms", *(f"texts/s at {size}" for size in sizes), "peak MiB"]
    cells = [
        [
            row.backend,
            f"{row.start_up_s:.2f}",
            f"{row.one_p50_ms:.2f}",
            f"{row.one_p99_ms:.2f}",
            *(f"{row.texts_per_s[size]:,.0f}" for size in sizes),
            f"{row.peak_mib:,.0f}",
        ]
        for row in rows
    ]
    widths = [max(map(len, column)) for column in zip(head, *cells, strict=True)]
    return "\n".join(
        "  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) for line in [head, *cells]
    )


def main() -> None:
    """Measure what standard input asks for."""
    given = json.load(sys.stdin)
    given["texts"], given["sizes"] = tuple(given["texts"]), tuple(given["sizes"])
    for line in measure(Settings(**given)):
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
