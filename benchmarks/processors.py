"""Whether the int8 graph answers alike on processors without VNNI: the same texts on emulated ones.

    python benchmarks/processors.py --data goemotions/dev.tsv --limit 500 --cpu Haswell Nehalem

Needs ``qemu-x86_64`` (Debian: qemu-user), version 7.2 or later. Haswell has AVX2 and no AVX-512, Nehalem only SSE4.2.
"""

import argparse
import os
import shutil
import site
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

import affekt


def score(texts: Path, limit: int, out: Path) -> None:
    """Logits (texts, labels) on whatever this process runs on, into ``out``."""
    with open(texts, encoding="utf-8") as file:
        lines = [line.split("\t")[0] for line in file][:limit]
    engine = affekt.load(backend="onnx-int8", threads=1).engine
    np.save(out, np.concatenate([part.logits for part in engine.stream(lines)]))


def emulated(cpu: str, arguments: list[str]) -> None:
    """This script in an emulated processor."""
    source = Path(affekt.__file__).parent.parent
    paths = os.pathsep.join([str(source), *site.getsitepackages()])
    command = ["qemu-x86_64", "-cpu", cpu, str(Path(sys.executable).resolve()), __file__, *arguments]
    if shutil.which(command[0]) is None:
        sys.exit("qemu-x86_64 is missing: apt-get install qemu-user")
    around = os.environ | {"PYTHONPATH": paths}
    done = subprocess.run(command, check=False, env=around, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"{cpu}: {done.stderr}")


def main() -> None:
    """Score here and on each emulated processor, and compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="texts, the first column")
    parser.add_argument("--limit", type=int, default=500)
    parser.add_argument("--cpu", nargs="+", default=["Haswell", "Nehalem"], help="see qemu-x86_64 -cpu help")
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        score(asked.data, asked.limit, asked.one)
        return
    rule = affekt.load().manifest.rules["goemotions"].rule
    with tempfile.TemporaryDirectory() as folder:
        score(asked.data, asked.limit, here := Path(folder) / "here.npy")
        own = np.load(here)
        print(
            f"{'processor':12s} {'same logits':>12s} {'largest difference':>19s} {'flipped decisions':>18s}", flush=True
        )
        for cpu in asked.cpu:
            out = Path(folder) / f"{cpu}.npy"
            emulated(cpu, ["--data", str(asked.data), "--limit", str(asked.limit), "--one", str(out)])
            found = np.load(out)
            flipped = (rule.decide(found) != rule.decide(own)).mean()
            print(
                f"{cpu:12s} {(found == own).mean():12.1%} {np.abs(found - own).max():19.3f} {flipped:18.3%}", flush=True
            )


if __name__ == "__main__":
    main()
