"""Most memory held while texts stream through: it must not grow with their number.

python benchmarks/streaming_memory.py --model models/mine --limit 1000000
"""

import itertools
import json
import time

from rivals import options, texts

import affekt
from affekt.benchmarking import peak_memory


def main() -> None:
    """Measure and print."""
    parser = options(__doc__)
    parser.set_defaults(limit=100_000)
    given = parser.parse_args()
    sample = texts(given.data, None)
    classifier = affekt.load(given.model, backend="onnx-int8", threads=given.threads)
    classifier.predict("I love this!")
    marks = {"loaded": peak_memory()}
    source = (f"{text} {number}" for number, text in zip(range(given.limit), itertools.cycle(sample)))
    start = time.perf_counter()
    for number, _ in enumerate(classifier.stream(source), start=1):
        if number in (10_000, 100_000, given.limit):
            marks[f"{number:,} texts"] = peak_memory()
    spent = time.perf_counter() - start
    for name, memory in marks.items():
        print(f"{name:20s} {memory:7.0f} MiB")
    print(f"{given.limit / spent:,.0f} texts/s")
    if given.out:
        given.out.write_text(json.dumps(marks, indent=1))


if __name__ == "__main__":
    main()
