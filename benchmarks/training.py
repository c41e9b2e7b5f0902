"""Training speed and memory: the reference settings beside the fast path, in one run on one machine, on real texts.

python benchmarks/training.py --data DIR --encoder DIR [--only PART ...] [--full]

DIR of --data holds GoEmotions' train.tsv and dev.tsv; that of --encoder a BERT-like sentence encoder such as MiniLM-L6,
whose tokenizer is used for all. Parts:

- large: roberta-large's shape with random weights. The reference settings (micro-batch 4 x accumulation 8, padded to
  128, fp16 autocast with loss scaling, 8-bit AdamW) as a plain loop, then the fast path on the same texts. With --full
  the fast path really runs three epochs, evaluation included.
- minilm: three epochs of the encoder itself on the fast path, evaluation included.
- curves: the encoder on the fast path and padded to 128 on the plain engine, several seeds each.
- budget: roberta-large's shape within memory budgets: what --memory chooses, and whether it keeps to it, with every
  text at full length, on a card that nobody else uses (needs pydantic and emoji too).
- cpu: the encoder on the CPU, padded to 128 and packed.

PyTorch, transformers, accelerate, tokenizers and numpy are needed; bitsandbytes for the reference's real optimizer.
"""

import argparse
import gc
import importlib.util
import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer
from transformers import AutoConfig, AutoModelForSequenceClassification, RobertaConfig

from affekt.training.batching.batches import Layout, pad, prefetch
from affekt.training.batching.sampling import BatchPlan
from affekt.training.checkpoints.keeping import MemoryKeeper
from affekt.training.engines.accelerators import make_accelerator
from affekt.training.engines.captured import CapturedEngine
from affekt.training.engines.optimizers import parameter_groups
from affekt.training.engines.plain import PlainEngine
from affekt.training.loop.loop import Loop, Rules
from affekt.training.loop.schedules import Schedule
from affekt.training.losses.losses import make_loss
from affekt.training.losses.objective import Objective
from affekt.training.networks.architectures import architecture_of

LENGTH, BATCH, EPOCHS, PUBLISHED = 128, 32, 3, 41_810
LARGE = {
    "hidden_size": 1024, "num_hidden_layers": 24, "num_attention_heads": 16, "intermediate_size": 4096,
    "vocab_size": 50_265, "max_position_embeddings": 514, "type_vocab_size": 1, "pad_token_id": 1,
    "bos_token_id": 0, "eos_token_id": 2, "layer_norm_eps": 1e-5,
}  # fmt: skip


@dataclass
class Texts:
    """Token ids and targets of a table."""

    ids: list[np.ndarray[Any, np.dtype[np.int32]]]
    targets: np.ndarray[Any, np.dtype[np.float32]]
    weights: np.ndarray[Any, np.dtype[np.float32]] = field(init=False)

    def __post_init__(self) -> None:
        """Every text counts alike."""
        self.weights = np.ones(len(self.ids), dtype=np.float32)


def read(path: Path, tokenizer: Tokenizer, most: int | None = None) -> Texts:
    """Texts of GoEmotions' own format, cut to LENGTH tokens."""
    rows = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()][:most]
    tokenizer.no_padding()
    tokenizer.enable_truncation(LENGTH)
    ids = [np.array(e.ids, dtype=np.int32) for e in tokenizer.encode_batch([row[0] for row in rows])]
    targets = np.zeros((len(rows), 28), dtype=np.float32)
    for row, cells in enumerate(rows):
        targets[row, [int(label) for label in cells[1].split(",")]] = 1.0
    return Texts(ids, targets)


def macro_f1(truth: Any, logits: Any) -> float:
    """At a score of 0.5."""
    gold, decided = truth > 0.5, logits > 0
    below = gold.sum(0) + decided.sum(0)
    return float(np.where(below > 0, 2 * (gold & decided).sum(0) / np.maximum(below, 1), 0).mean())


def large() -> Any:
    """roberta-large's shape with random weights, on the GPU."""
    torch.manual_seed(0)
    with torch.device("cuda"):
        config = RobertaConfig(num_labels=28, problem_type="multi_label_classification", **LARGE)
        return AutoModelForSequenceClassification.from_config(config).float()


def pretrained(encoder: Path, device: str, seed: int = 0) -> Any:
    """The encoder with a new head."""
    torch.manual_seed(seed)
    config = AutoConfig.from_pretrained(encoder)
    config.id2label = {label: f"label {label}" for label in range(28)}
    config.problem_type = "multi_label_classification"
    model = AutoModelForSequenceClassification.from_pretrained(encoder, config=config, dtype=torch.float32)
    return model.to(device)


def layout(model: Any, batching: str) -> Layout:
    """Rows or padding of LENGTH tokens."""
    known = architecture_of(model)
    assert known is not None
    return Layout(batching, LENGTH, model.config.pad_token_id, known.first_position(model.config))


def fast(model: Any, texts: Texts, *, lr: float, decay: float = 0.01) -> CapturedEngine:
    """The captured engine with the loss that works best."""
    groups = parameter_groups(model, lr=lr, weight_decay=decay)
    data = (texts.ids, texts.targets, texts.weights)
    return CapturedEngine(model, Objective(make_loss("asymmetric")), groups, layout(model, "packed"), *data, size=BATCH)


def plain(model: Any, texts: Texts, batching: str, device: str, precision: str, *, lr: float) -> PlainEngine:
    """The engine on accelerate."""
    groups = parameter_groups(model, lr=lr, weight_decay=0.01)
    accelerator = make_accelerator(precision, torch.device(device))
    data = (texts.ids, texts.targets, texts.weights)
    objective = Objective(make_loss("asymmetric"))
    return PlainEngine(
        model, objective, groups, layout(model, batching), *data, accelerator=accelerator, size=BATCH
    )  # fmt: skip


def fresh() -> None:
    """Give back what the part before held."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()


def used() -> dict[str, float]:
    """GiB allocated and reserved by PyTorch at the peak, and taken from the device now."""
    free, whole = torch.cuda.mem_get_info()
    return {
        "allocated": torch.cuda.max_memory_allocated() / 2**30,
        "reserved": torch.cuda.max_memory_reserved() / 2**30,
        "device": (whole - free) / 2**30,
    }


def timed(step: Callable[[int], None], steps: int, warm: int) -> float:
    """Seconds per step after a warm-up."""
    for number in range(warm):
        step(number)
    torch.cuda.synchronize()
    began = time.perf_counter()
    for number in range(warm, warm + steps):
        step(number)
    torch.cuda.synchronize()
    return (time.perf_counter() - began) / steps


# ---- the reference settings ----------------------------------------------------------------------------------------


def reference_optimizer(model: Any) -> tuple[Any, str]:
    """8-bit AdamW, or the 32-bit one where bitsandbytes is missing."""
    if importlib.util.find_spec("bitsandbytes") is not None:
        import bitsandbytes

        return bitsandbytes.optim.AdamW8bit(model.parameters(), lr=2e-5, weight_decay=0.01), "8-bit AdamW"
    return torch.optim.AdamW(model.parameters(), lr=2e-5, weight_decay=0.01), "32-bit AdamW (no bitsandbytes here)"


def reference(texts: Texts, dev: Texts, steps: int) -> dict[str, Any]:
    """Steps of the reference settings, and an evaluation, as a plain loop does them."""
    fresh()
    model = large().train()
    optimizer, name = reference_optimizer(model)
    scaler, loss_of = torch.amp.GradScaler("cuda"), make_loss("focal")
    plan = BatchPlan(len(texts.ids), BATCH, 0)

    def step(number: int) -> None:
        batch = plan.batch(number)
        for part in batch.reshape(8, 4) if len(batch) == BATCH else [batch]:
            tokens = pad([texts.ids[i] for i in part], LENGTH, model.config.pad_token_id).to("cuda")
            targets = torch.from_numpy(texts.targets[part]).cuda()
            with torch.autocast("cuda", dtype=torch.float16):
                logits = model(input_ids=tokens.input_ids, attention_mask=tokens.attention_mask).logits
            scaler.scale(loss_of(logits, targets).mean() / 8).backward()
        scaler.unscale_(optimizer)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        scaler.step(optimizer)
        scaler.update()
        optimizer.zero_grad()

    seconds = timed(step, steps, 4)
    memory = used()
    began = time.perf_counter()
    model.eval()
    with torch.no_grad(), torch.autocast("cuda", dtype=torch.float16):
        for start in range(0, len(dev.ids), 64):
            tokens = pad(dev.ids[start : start + 64], LENGTH, model.config.pad_token_id).to("cuda")
            model(input_ids=tokens.input_ids, attention_mask=tokens.attention_mask).logits.float().cpu()
    evaluation = time.perf_counter() - began
    return row(f"reference, {name}", seconds, evaluation, memory)


def row(name: str, seconds: float, evaluation: float, memory: dict[str, float]) -> dict[str, Any]:
    """A line of the table."""
    steps = math.ceil(PUBLISHED / BATCH) * EPOCHS
    return {
        "what": name,
        "ms per 32 texts": seconds * 1e3,
        "texts/s": BATCH / seconds,
        "evaluation, s": evaluation,
        "3 epochs, s (projected)": steps * seconds + EPOCHS * evaluation,
        **{f"GiB {key}": value for key, value in memory.items()},
    }


# ---- the fast path -------------------------------------------------------------------------------------------------


def fast_steps(texts: Texts, dev: Texts, steps: int) -> dict[str, Any]:
    """Steps and an evaluation of the fast path; all shapes are captured in the warm-up."""
    fresh()
    engine = fast(large(), texts, lr=2e-5)
    plan = BatchPlan(len(texts.ids), BATCH, 0)
    shapes = {item[0].rows: item for item in map(engine.prepare, plan.batches(0, 200))}
    began = time.perf_counter()
    for item in shapes.values():
        engine.step(item, 0.0)
    torch.cuda.synchronize()
    print(f"  {len(shapes)} shapes captured in {time.perf_counter() - began:.1f} s")
    ahead = prefetch(engine.prepare(batch) for batch in plan.batches(0, steps + 10))
    seconds = timed(lambda _: engine.step(next(ahead), 1.0), steps, 10)
    update = engine._updating  # noqa: SLF001
    assert update is not None
    print(f"  of it the update, by {type(engine.update).__name__}: {timed(lambda _: update(), 20, 3) * 1e3:.2f} ms")
    engine.logits(dev.ids[:500])
    began = time.perf_counter()
    engine.logits(dev.ids)
    return row("fast path", seconds, time.perf_counter() - began, used())


def whole_run(engine: Any, texts: Texts, dev: Texts, name: str, seed: int = 0) -> dict[str, Any]:
    """Three epochs with an evaluation after each, everything included but loading and tokenizing."""
    plan = BatchPlan(len(texts.ids), BATCH, seed)
    steps = plan.steps_per_epoch * EPOCHS
    rules, keeper = Rules(peak_lr=1.0), MemoryKeeper()
    began = time.perf_counter()
    progress = Loop(
        engine, plan, Schedule("linear", steps, 0.1),
        evaluate=lambda: macro_f1(dev.targets, engine.logits(dev.ids)), keeper=keeper, rules=rules,
    ).run()  # fmt: skip
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    seconds = time.perf_counter() - began
    shown = [{key: epoch[key] for key in ("loss", "score", "seconds")} for epoch in progress.epochs]
    return {
        "what": name,
        "texts": len(texts.ids) * EPOCHS,
        "seconds": seconds,
        "texts/s": len(texts.ids) * EPOCHS / seconds,
        "skipped": progress.skipped,
        "epochs": shown,
        **{f"GiB {key}": value for key, value in (used() if torch.cuda.is_available() else {}).items()},
    }


# ---- parts ---------------------------------------------------------------------------------------------------------


def part_large(texts: Texts, dev: Texts, asked: argparse.Namespace) -> list[dict[str, Any]]:
    """The reference settings beside the fast path."""
    some = Texts(texts.ids[:PUBLISHED], texts.targets[:PUBLISHED])
    rows = [] if asked.no_reference else [reference(some, dev, asked.steps)]
    rows.append(fast_steps(some, dev, 10 * asked.steps))
    if len(rows) == 2:
        ratio = rows[0]["ms per 32 texts"] / rows[1]["ms per 32 texts"]
        rows.append({"what": "fast path over reference", "ms per 32 texts": ratio})
    if asked.full:
        fresh()
        rows.append(whole_run(fast(large(), some, lr=2e-5), some, dev, "fast path, three epochs in full"))
    return rows


def part_minilm(texts: Texts, dev: Texts, asked: argparse.Namespace) -> list[dict[str, Any]]:
    """Three epochs of the encoder itself."""
    fresh()
    engine = fast(pretrained(asked.encoder, "cuda"), texts, lr=1e-4)
    return [whole_run(engine, texts, dev, "encoder, fast path, three epochs")]


def part_curves(texts: Texts, dev: Texts, asked: argparse.Namespace) -> list[dict[str, Any]]:
    """The same runs on the fast path and padded."""
    rows = []
    for seed in range(asked.first_seed, asked.first_seed + asked.seeds):
        for name in ("packed and captured", "padded to 128"):
            fresh()
            model = pretrained(asked.encoder, "cuda", seed)
            captured = name == "packed and captured"
            engine = fast(model, texts, lr=1e-4) if captured else plain(model, texts, "padded", "cuda", "bf16", lr=1e-4)
            torch.manual_seed(seed + 1)
            rows.append(whole_run(engine, texts, dev, f"{name}, seed {seed}", seed))
    return rows


def part_budget(_texts: Texts, dev: Texts, asked: argparse.Namespace) -> list[dict[str, Any]]:
    """Steps and an evaluation within each budget, all texts as long as they may be."""
    from affekt.training.batching.encode import Encoded
    from affekt.training.engines.assemble import make_engine
    from affekt.training.engines.hardware import fit_to_memory, has_8bit
    from affekt.training.engines.processes import Processes
    from affekt.training.recipe import Recipe

    device, rows = torch.device("cuda"), []
    draw = np.random.default_rng(0)
    ids = [draw.integers(10, 30_000, LENGTH).astype(np.int32) for _ in range(8 * BATCH)]
    ones = np.ones(len(ids), dtype=np.float32)
    encoded = Encoded(ids, np.zeros((len(ids), 28), dtype=np.float32), ones)
    for budget in asked.budgets:
        fresh()
        model, recipe = large(), Recipe(precision="bf16", lr=1e-5)
        fitted = {"longest_text": LENGTH, "has_8bit": has_8bit(device)}
        recipe, kind, said = fit_to_memory(recipe, model, device, int(budget * 1e9), **fitted)
        engine = make_engine(recipe, kind, model, encoded, 1, device=device, processes=Processes(device=device))
        plan = BatchPlan(len(ids), BATCH, 0)
        for batch in plan.batches(0, 8):
            engine.step(engine.prepare(batch), 1.0)
        engine.logits(dev.ids[:2000])
        engine.read()
        taken = used()["device"] * 2**30 / 1e9
        settings = {
            "micro-batch": recipe.micro_batch,
            "optimizer": recipe.optimizer,
            "recomputed": recipe.checkpointing,
        }
        rows.append({"what": f"budget {budget:g} GB, {kind}", "GB taken": taken, **settings, "plan": said})
        del engine, model
        torch.cuda.set_per_process_memory_fraction(1.0)
    return rows


def part_cpu(texts: Texts, _dev: Texts, asked: argparse.Namespace) -> list[dict[str, Any]]:
    """Optimizer steps on the CPU, padded and packed in turns."""
    engines = {}
    for batching in ("padded", "packed"):
        engines[batching] = plain(pretrained(asked.encoder, "cpu"), texts, batching, "cpu", "fp32", lr=1e-5)
    plan, seconds = BatchPlan(len(texts.ids), BATCH, 0), dict.fromkeys(engines, 0.0)
    for step in range(asked.cpu_steps + 1):
        for batching, engine in engines.items():
            began = time.perf_counter()
            engine.step(engine.prepare(plan.batch(step)), 1.0)
            seconds[batching] += (time.perf_counter() - began) * (step > 0)
    speeds = {name: BATCH * asked.cpu_steps / value for name, value in seconds.items()}
    rows: list[dict[str, Any]] = [{"what": f"encoder on the CPU, {n}", "texts/s": v} for n, v in speeds.items()]
    return [*rows, {"what": "packed over padded", "texts/s": speeds["packed"] / speeds["padded"]}]


PARTS = {"large": part_large, "minilm": part_minilm, "curves": part_curves, "budget": part_budget, "cpu": part_cpu}


def show(rows: list[dict[str, Any]]) -> None:
    """A line per row."""
    for one in rows:
        figures = {key: round(v, 3) if isinstance(v, float) else v for key, v in one.items() if key != "what"}
        print(f"{one['what']}: {json.dumps(figures)}", flush=True)


def main() -> None:
    """Run the parts asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--encoder", type=Path, required=True)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=["large", "minilm", "cpu"])
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--no-reference", action="store_true")
    parser.add_argument("--steps", type=int, default=20, help="of the reference; ten times as many of the fast path")
    parser.add_argument("--cpu-steps", type=int, default=10)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--budgets", type=float, nargs="+", default=[6.0, 8.0, 12.0, 16.0], help="GB, of part budget")
    parser.add_argument("--texts", type=int, default=None, help="read only so many training texts")
    asked = parser.parse_args()
    tokenizer = Tokenizer.from_file(str(asked.encoder / "tokenizer.json"))
    texts = read(asked.data / "train.tsv", tokenizer, asked.texts)
    dev = read(asked.data / "dev.tsv", tokenizer)
    lengths = [len(ids) for ids in texts.ids]
    where = torch.cuda.get_device_name() if torch.cuda.is_available() else f"{torch.get_num_threads()} CPU threads"
    print(f"{len(lengths):,} texts of {np.mean(lengths):.1f} tokens on average; PyTorch {torch.__version__}, {where}")
    for part in asked.only:
        if part != "cpu" and not torch.cuda.is_available():
            print(f"{part}: needs a CUDA device")
            continue
        show(PARTS[part](texts, dev, asked))


if __name__ == "__main__":
    main()
