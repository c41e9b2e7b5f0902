"""Texts per second on the processor, raw strings to decisions: affekt, a bare ONNX Runtime script, the pipeline.

Every row runs in a process of its own, in turns; medians over the rounds. The column ``per CPU s`` divides by processor
seconds instead of wall seconds: on a machine that does something else as well, that is the figure to compare, times the
number of threads.

    python benchmarks/throughput.py --model models/mine
"""

import json
import time

from rivals import ROWS, medians, multiply_adds, options, peak_multiply_adds, rounds, texts


def measure(run: object, sample: list[str]) -> dict[str, float]:
    """Texts per second of one row."""
    assert callable(run)
    run(sample[:200])
    spent, start = time.process_time(), time.perf_counter()
    run(sample)
    wall, busy = time.perf_counter() - start, time.process_time() - spent
    return {"texts_per_s": len(sample) / wall, "texts_per_cpu_s": len(sample) / busy}


def main() -> None:
    """Measure and print."""
    parser = options(__doc__)
    parser.add_argument("--batch", type=int, default=32)
    parser.set_defaults(repeats=3)
    given = parser.parse_args()
    sample = texts(given.data, given.limit)
    if given.one:
        part = sample[: max(200, len(sample) // 8)] if given.one == "pipeline" else sample
        print(json.dumps(measure(ROWS[given.one](given.model, given.threads, given.batch), part)))
        return
    report = medians(rounds(__file__, given))
    print(f"{len(sample):,} texts, {given.threads} threads, batches of {given.batch}")
    print(f"{'row':12s} {'texts/s':>9s} {'per CPU s':>10s} {'of affekt':>10s}")
    for name, row in report.items():
        share = row["texts_per_s"] / report["affekt"]["texts_per_s"] if "affekt" in report else float("nan")
        print(f"{name:12s} {row['texts_per_s']:9,.0f} {row['texts_per_cpu_s']:10,.0f} {share:10.2f}")
    peak = peak_multiply_adds()
    limit = peak * given.threads / multiply_adds(given.model, 19.2)
    print(f"limit: {limit:,.0f} texts/s for the int8 products alone ({peak / 1e9:.0f} G multiply-adds/s per thread)")
    if given.out:
        given.out.write_text(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
