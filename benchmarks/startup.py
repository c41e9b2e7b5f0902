"""Seconds from a fresh process to the first answer, and where they go.

python benchmarks/startup.py --model models/mine
"""

import json
import resource
import statistics
import subprocess
import sys
import time

from rivals import ROOT, options

FIRST = "import affekt; print(affekt.load({model!r}, threads={threads}).predict('I love this!')[0].emotions)"
STAGES = """
import time; last = time.process_time()
def done(name):
    global last
    now = time.process_time(); print(f'{name} {(now - last) * 1e3:.0f}'); last = now
import numpy; done('numpy')
import onnxruntime; done('onnxruntime')
import affekt.classifier; done('affekt')
from pathlib import Path
from affekt.backends import open_backend
from affekt.model_folder import read_manifest, verify
from affekt.tokenizing import TextTokenizer
folder = Path(MODEL)
manifest = read_manifest(folder)
verify(folder, manifest, {'tokenizer.json', 'config.json', 'onnx/model_quantized.onnx'}.__contains__); done('digests')
TextTokenizer.of(folder, manifest.max_length); done('tokenizer')
open_backend(folder, 'onnx-int8', THREADS); done('session')
"""


def fresh(code: str) -> tuple[float, float, str]:
    """Wall seconds, processor seconds and output of a fresh interpreter."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONPATH": str(ROOT / "src")}
    )
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stdout


def main() -> None:
    """Measure and print."""
    given = options(__doc__).parse_args()
    model = str(given.model.resolve())
    runs = [fresh(FIRST.format(model=model, threads=given.threads)) for _ in range(max(3, given.repeats))]
    wall, busy = (statistics.median(run[i] for run in runs) for i in (0, 1))
    stages = fresh(STAGES.replace("MODEL", repr(model)).replace("THREADS", str(given.threads)))[2]
    print(f"fresh process to first answer: {wall:.2f} s wall, {busy:.2f} s of processor time (medians of {len(runs)})")
    print("processor milliseconds: " + ", ".join(stages.strip().splitlines()))
    if given.out:
        given.out.write_text(json.dumps({"wall_s": wall, "cpu_s": busy, "stages_ms": stages.split()}, indent=1))


if __name__ == "__main__":
    main()
