"""Milliseconds of one text, from raw string to decision: affekt, a bare ONNX Runtime script, the transformers pipeline.

Every row runs in a process of its own, in turns; medians over the rounds.

    python benchmarks/latency.py --model models/mine
"""

import json
import time

import numpy as np
from rivals import ROWS, medians, multiply_adds, options, peak_multiply_adds, rounds, texts


def measure(run: object, sample: list[str]) -> dict[str, float]:
    """Percentiles and processor time of one row."""
    assert callable(run)
    run(sample[:40])
    times = []
    spent = time.process_time()
    for text in sample:
        start = time.perf_counter()
        run([text])
        times.append((time.perf_counter() - start) * 1e3)
    busy = (time.process_time() - spent) * 1e3 / len(sample)
    p50, p90, p99 = np.percentile(times, (50, 90, 99)).tolist()
    return {"p50_ms": p50, "p90_ms": p90, "p99_ms": p99, "cpu_ms": busy}


def main() -> None:
    """Measure and print."""
    parser = options(__doc__)
    parser.set_defaults(limit=500, repeats=3)
    given = parser.parse_args()
    sample = texts(given.data, given.limit)
    if given.one:
        print(json.dumps(measure(ROWS[given.one](given.model, given.threads, 1), sample)))
        return
    report = medians(rounds(__file__, given))
    print(f"one text, raw string to decision; {len(sample)} texts, {given.threads} threads")
    print(f"{'row':12s} {'p50 ms':>8s} {'p90 ms':>8s} {'p99 ms':>8s} {'p99/p50':>8s} {'CPU ms':>8s}")
    for name, row in report.items():
        figures = (row["p50_ms"], row["p90_ms"], row["p99_ms"], row["p99_ms"] / row["p50_ms"], row["cpu_ms"])
        print(f"{name:12s}" + "".join(f" {figure:8.2f}" for figure in figures))
    peak = peak_multiply_adds()
    limit = multiply_adds(given.model, 19.2) / peak * 1e3
    print(
        f"limit: {limit:.2f} ms for the int8 products of 19.2 tokens on one thread ({peak / 1e9:.0f} G multiply-adds/s)"
    )
    if given.out:
        given.out.write_text(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
