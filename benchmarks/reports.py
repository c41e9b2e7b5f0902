"""How long a report takes on 50,000 texts and 28 labels: measuring, pictures, page.

python benchmarks/reports.py [--texts 50000]
"""

import argparse
import itertools
import json
import tempfile
import time
from pathlib import Path

import numpy as np

from affekt.decision import Calibration, DecisionRule
from affekt.evaluation import measure
from affekt.evaluation.report import write_report
from affekt.taxonomy import GOEMOTIONS


def main() -> None:
    """Measure made-up scores of the right size and print as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=int, default=50_000)
    asked = parser.parse_args()
    rng = np.random.default_rng(0)
    rates = np.geomspace(0.3, 0.002, len(GOEMOTIONS))
    truth = rng.random((asked.texts, len(rates))) < rates
    logits = (rng.normal(size=truth.shape) + 2.5 * truth + np.log(rates)).astype(np.float32)
    texts = [f"text {i} " + "word " * (i % 40) for i in range(asked.texts)]
    rule = DecisionRule(Calibration.identity(len(rates)), tuple(np.minimum(2 * rates, 0.5)))
    clocks = [(time.perf_counter(), time.process_time())]
    found = measure(logits, truth, GOEMOTIONS, rule=rule)
    clocks.append((time.perf_counter(), time.process_time()))
    with tempfile.TemporaryDirectory() as folder:
        write_report(found, texts, Path(folder))
    clocks.append((time.perf_counter(), time.process_time()))
    wall, processor = ([b[i] - a[i] for a, b in itertools.pairwise(clocks)] for i in (0, 1))
    print(json.dumps({"texts": asked.texts, "measure_s": wall[0], "report_s": wall[1], "processor_s": processor}))


if __name__ == "__main__":
    main()
