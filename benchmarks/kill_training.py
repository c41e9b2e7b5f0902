"""Kill training at random moments, resume it, and compare the final weights with those of a run left in peace.

python benchmarks/kill_training.py --runs 100 --kills 3

Every run is killed by SIGKILL up to ``--kills`` times, each time after a random part of the time that a whole run
takes, and then left to end. Weights must be the same to the last bit. Processes are forked from one that has everything
imported, so that moments are spread over training and not over imports.
"""

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

from affekt.data import Dataset
from affekt.evaluation.measure import Resampling
from affekt.files import sha256
from affekt.training.run import train

WORDS = [f"word{number}" for number in range(60)]
LABELS = ("joy", "anger", "fear")
VARIANTS: list[list[str]] = [
    ["batch_size=8", "micro_batch=3", "epochs=3"],
    ["batch_size=8", "epochs=3", "average_decay=0.9", "batching=dynamic"],
    ["batch_size=7", "epochs=4", "r_drop=1.0", "patience=2", "batching=padded"],
]


def make_encoder(folder: Path) -> Path:
    """A tiny random BERT with its tokenizer."""
    pieces = {piece: number for number, piece in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", *WORDS])}
    tokenizer = Tokenizer(models.WordLevel(pieces, "[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    torch.manual_seed(0)
    size = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    BertModel(BertConfig(vocab_size=len(pieces), max_position_embeddings=40, **size)).save_pretrained(folder)
    special = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **special).save_pretrained(folder)
    return folder


def make_set(texts: int, seed: int) -> Dataset:
    """Texts whose labels depend on their words."""
    rng = np.random.default_rng(seed)
    drawn = [rng.integers(0, len(WORDS), rng.integers(3, 20)) for _ in range(texts)]
    targets = np.array([[(ids % 3 == label).mean() > 0.4 for label in range(3)] for ids in drawn], dtype=np.float32)
    return Dataset([" ".join(WORDS[i] for i in ids) for ids in drawn], LABELS, targets, name=f"set {seed}")


def start(encoder: Path, out: Path, overrides: list[str]) -> int:
    """Train in a process of its own, going on with whatever is there; its id."""
    pid = os.fork()
    if pid:
        return pid
    try:
        torch.set_num_threads(1)
        train(
            make_set(120, 1), make_set(60, 2), encoder=encoder, out=out,
            overrides=["max_length=24", "lr=1e-3", *overrides],
            device="cpu", resume=True, every_steps=4, progress=False, resampling=Resampling(20, 2, 1),
        )  # fmt: skip
    except BaseException as error:  # noqa: BLE001
        print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
        os._exit(1)
    os._exit(0)


def ended(pid: int, seconds: float) -> bool:
    """Whether the process ends by itself within some time; it is killed if not."""
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            assert status == 0, f"training failed with status {status}"
            return True
        time.sleep(0.001)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return False


def outcome(out: Path) -> dict[str, Any]:
    """What must not depend on kills."""
    manifest = json.loads((out / "affekt.json").read_text())
    return {"weights": sha256(out / "model.safetensors"), "rules": manifest["rules"], "dev": manifest["metrics"]["dev"]}


def main() -> None:
    """Print one line per run and a summary; exit code 1 if any run differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--kills", type=int, default=3, help="most kills of one run")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    draw, kills, different = random.Random(asked.seed), 0, 0  # noqa: S311
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        encoder = make_encoder(place / "encoder")
        peaceful = []
        for number, overrides in enumerate(VARIANTS):
            began = time.monotonic()
            assert ended(start(encoder, place / f"peaceful{number}" / "model", overrides), 600)
            peaceful.append((outcome(place / f"peaceful{number}" / "model"), time.monotonic() - began))
        for number in range(asked.runs):
            variant = number % len(VARIANTS)
            expected, seconds = peaceful[variant]
            out, times = place / f"run{number}" / "model", 0
            while times < asked.kills and not ended(
                start(encoder, out, VARIANTS[variant]), draw.uniform(0, 1.1 * seconds)
            ):
                times += 1
            if not out.exists():
                assert ended(start(encoder, out, VARIANTS[variant]), 600)
            kills += times
            same = outcome(out) == expected
            different += not same
            print(
                f"run {number}: variant {variant}, killed {times} times, {'same' if same else 'DIFFERENT'}", flush=True
            )
    print(f"{asked.runs} runs, {kills} kills, {different} different")
    raise SystemExit(different > 0)


if __name__ == "__main__":
    main()
