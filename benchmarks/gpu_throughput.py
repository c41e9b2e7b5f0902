"""Texts per second on one GPU, from raw strings to scores: a plain PyTorch loop and affekt, side by side.

The protocol of the public ``gpu_benchmark_goemotions`` table: model load excluded, no warm-up by the caller, tokenizing
included, texts in the order they come. Every row runs in a process of its own; its first pass is the figure, later
passes show the steady state. affekt's backend prepares the GPU while it loads, except in the row ``affekt-unprepared``.
Weights are random (their values don't change the work), the tokenizer is any ``tokenizer.json``.

    python benchmarks/gpu_throughput.py --data reddit_10k.csv.gz --tokenizer tokenizer.json --out gpu.json

Needs torch, transformers, tokenizers, numpy, emoji; the package itself need not be installed.
"""

import argparse
import csv
import gzip
import io
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "src"))

SHAPES: dict[str, dict[str, int]] = {
    "roberta-base": {"hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12, "intermediate_size": 3072},
    "roberta-large": {
        "hidden_size": 1024,
        "num_hidden_layers": 24,
        "num_attention_heads": 16,
        "intermediate_size": 4096,
    },
}
LABELS = 28
ROWS = ("plain-8", "plain-32", "plain-32-fp16", "affekt", "affekt-bfloat16", "affekt-unprepared")
PEAK = 989e12
"""Dense half-precision multiply-adds per second of an H100 or H200 SXM, times two."""


def read_texts(path: Path, limit: int | None) -> list[str]:
    """The column ``body``, or the first one, of a csv file."""
    csv.field_size_limit(1 << 30)
    with gzip.open(path) if path.suffix == ".gz" else open(path, "rb") as raw:
        rows = list(csv.DictReader(io.TextIOWrapper(raw, encoding="utf-8", newline="")))
    column = "body" if "body" in rows[0] else next(iter(rows[0]))
    return [row[column] for row in rows][:limit]


def make_model(folder: Path, shape: str, tokenizer: Path) -> None:
    """A RoBERTa classifier of a shape, with random weights."""
    from tokenizers import Tokenizer
    from transformers import RobertaConfig, RobertaForSequenceClassification

    words = Tokenizer.from_file(str(tokenizer))
    pad = next(number for name in ("<pad>", "[PAD]") if (number := words.token_to_id(name)) is not None)
    config = RobertaConfig(
        **SHAPES[shape],
        vocab_size=max(50265, words.get_vocab_size()),
        max_position_embeddings=514,
        type_vocab_size=1,
        pad_token_id=pad,
        num_labels=LABELS,
        problem_type="multi_label_classification",
    )
    RobertaForSequenceClassification(config).save_pretrained(folder)
    words.save(str(folder / "tokenizer.json"))


def plain(folder: Path, device: str, size: int, half: bool) -> Callable[[list[str]], int]:
    """The loop that most people write."""
    import torch
    from transformers import AutoModelForSequenceClassification, PreTrainedTokenizerFast

    config = json.loads((folder / "config.json").read_text())
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"))
    tokenizer.pad_token = tokenizer.convert_ids_to_tokens(config["pad_token_id"])
    dtype = torch.float16 if half else torch.float32
    model = AutoModelForSequenceClassification.from_pretrained(folder, dtype=dtype).to(device).eval()

    @torch.inference_mode()
    def run(texts: list[str]) -> int:
        scores = []
        for start in range(0, len(texts), size):
            part = tokenizer(
                texts[start : start + size], padding=True, truncation=True, max_length=512, return_tensors="pt"
            )
            logits = model(
                input_ids=part["input_ids"].to(device), attention_mask=part["attention_mask"].to(device)
            ).logits
            scores.append(torch.sigmoid(logits).cpu())
        return len(torch.cat(scores))

    return run


def ours(folder: Path, device: str, dtype: str, warm: bool) -> Any:
    """The same folder in affekt's engine."""
    from affekt.backends.packed import attention_by_text
    from affekt.backends.torch import CudaBackend
    from affekt.cleaning import CleaningOptions
    from affekt.engine import Engine
    from affekt.tokenizing import TextTokenizer

    attention = attention_by_text if device == "cpu" else None
    backend = CudaBackend(folder, "float32" if device == "cpu" else dtype, device, attention, warm=warm)
    engine = Engine(CleaningOptions(), TextTokenizer.of(folder, 512), backend)
    if warm:
        engine.rehearse()
    return engine


def score(engine: Any, texts: list[str]) -> int:
    """Scores of all texts by affekt's engine."""
    from affekt.decision import sigmoid

    return sum(len(sigmoid(part.logits)) for part in engine.stream(texts, truncate=True))


@contextmanager
def timed(into: dict[str, float], name: str) -> Iterator[None]:
    """Add the seconds that a block takes."""
    start = time.perf_counter()
    yield
    into[name] = into.get(name, 0.0) + time.perf_counter() - start


def where_time_goes(engine: Any, texts: list[str]) -> dict[str, float]:
    """Seconds of each stage when nothing overlaps."""
    from affekt.backends import TokenBatch
    from affekt.batching import batches
    from affekt.cleaning import clean

    spent: dict[str, float] = {}
    with timed(spent, "cleaning"):
        cleaned = [clean(text, engine.cleaning) for text in texts]
    with timed(spent, "tokenizing"):
        tokens = engine.tokenizer.many(cleaned, truncate=True)
    plan = engine.backend.plan
    with timed(spent, "batching"):
        groups = batches(tokens.lengths(), plan.token_budget, plan.max_texts, equal=plan.equal)
        feed = [TokenBatch.of([tokens.rows[i] for i in group], engine.tokenizer.pad_id) for group in groups]
    with timed(spent, "model"):
        list(engine.backend.many(feed))
    spent["tokens"] = float(tokens.lengths().sum())
    return spent


def measure(row: str, folder: Path, texts: list[str], device: str, passes: int) -> dict[str, Any]:
    """One row, in this process."""
    start = time.perf_counter()
    if row.startswith("plain"):
        run = plain(folder, device, int(row.split("-")[1]), row.endswith("fp16"))
        engine = None
    else:
        engine = ours(folder, device, "bfloat16" if "bfloat16" in row else "float16", "unprepared" not in row)

        def run(texts: list[str]) -> int:
            return score(engine, texts)

    load = time.perf_counter() - start
    seconds = []
    for _ in range(passes):
        start = time.perf_counter()
        assert run(texts) == len(texts)
        seconds.append(time.perf_counter() - start)
    stages = where_time_goes(engine, texts) if engine is not None else {}
    return {"row": row, "load_s": load, "passes_s": seconds, "stages_s": stages, "memory_gib": peak_memory(device)}


def peak_memory(device: str) -> float:
    """GiB that PyTorch took on the GPU."""
    import torch

    return torch.cuda.max_memory_allocated() / 2**30 if device == "cuda" else 0.0


def multiply_adds(shape: str) -> int:
    """Of one token through the layers' matrices."""
    size = SHAPES[shape]
    return size["num_hidden_layers"] * (
        4 * size["hidden_size"] ** 2 + 2 * size["hidden_size"] * size["intermediate_size"]
    )


def show(shape: str, results: list[dict[str, Any]], texts: int) -> None:
    """Print a table."""
    print(f"\n{shape}: {texts:,} texts, raw strings to scores")
    print(f"{'row':20s} {'texts/s':>10s} {'later passes':>13s} {'load s':>7s} {'GPU GiB':>8s}")
    for result in results:
        first, later = result["passes_s"][0], result["passes_s"][1:] or result["passes_s"]
        speed, steady = texts / first, texts / statistics.median(later)
        print(f"{result['row']:20s} {speed:10,.0f} {steady:13,.0f} {result['load_s']:7.1f} {result['memory_gib']:8.1f}")
    for result in results:
        stages = dict(result["stages_s"])
        if stages:
            flops = 2.0 * multiply_adds(shape) * stages.pop("tokens")
            parts = ", ".join(f"{name} {seconds * 1e3:.0f} ms" for name, seconds in stages.items())
            share = flops / stages["model"] / PEAK
            print(f"  {result['row']}, one after another: {parts}")
            print(f"  {'':{len(result['row'])}s}  the model reaches {share:.0%} of {PEAK / 1e12:.0f} TFLOP/s")


def main() -> None:
    """Run every row of every shape in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--shapes", nargs="+", default=list(SHAPES))
    parser.add_argument("--rows", nargs="+", default=list(ROWS))
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--limit", type=int)
    parser.add_argument("--passes", type=int, default=3)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    texts = read_texts(options.data, options.limit)
    if options.one:
        print(json.dumps(measure(options.one, options.folder, texts, options.device, options.passes)))
        return
    report = {}
    for shape in options.shapes:
        with tempfile.TemporaryDirectory() as name:
            make_model(Path(name), shape, options.tokenizer)
            report[shape] = [in_process(row, name) for row in options.rows]
        show(shape, [result for result in report[shape] if "passes_s" in result], len(texts))
    if options.out:
        options.out.write_text(json.dumps(report, indent=1))


def in_process(row: str, folder: str) -> dict[str, Any]:
    """One row in a fresh process; a failure becomes a line, not the end."""
    command = [sys.executable, __file__, *sys.argv[1:], "--one", row, "--folder", folder]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"{row} failed: {done.stderr.strip()[-2000:]}", file=sys.stderr)
        return {"row": row, "error": done.stderr[-2000:]}
    result: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    print(f"{row}: {', '.join(f'{seconds:.2f} s' for seconds in result['passes_s'])}", file=sys.stderr, flush=True)
    return result


if __name__ == "__main__":
    main()
