"""Training and scoring on several GPUs: speed, and whether the losses are those of one process.

torchrun --nproc-per-node 8 benchmarks/multi_gpu.py --data DIR --encoder DIR --score-data TABLE
torchrun --nproc-per-node 2 benchmarks/multi_gpu.py --data DIR --encoder DIR --score-data T --shape small --score 2000

DIR of --data holds GoEmotions' train.tsv; that of --encoder a tokenizer.json. The model has roberta-large's shape (or a
small one) and random weights. Measured are: steps at a global batch of 32 and of 32 per process, with the exchange of
gradients inside, and the memory that takes; the losses of the same global batches in all processes and in one; and a
table repeated to many texts, scored with one worker per process, tokenizing included.
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import distributed
from transformers import AutoModelForSequenceClassification, RobertaConfig

sys.path.insert(0, str(Path(__file__).resolve().parent))
from gpu_throughput import read_texts

from affekt.backends.packed import attention_by_text
from affekt.backends.torch import CudaBackend
from affekt.cleaning import CleaningOptions
from affekt.engine import Engine
from affekt.tokenizing import TextTokenizer
from affekt.training.batching.batches import Layout, prefetch
from affekt.training.batching.sampling import BatchPlan
from affekt.training.engines.captured import CapturedEngine
from affekt.training.engines.optimizers import parameter_groups
from affekt.training.engines.processes import Processes
from affekt.training.losses.losses import make_loss
from affekt.training.losses.objective import Objective
from affekt.training.networks.architectures import architecture_of

LENGTH, PER_PROCESS, LABELS = 128, 32, 28
LARGE = {"hidden_size": 1024, "num_hidden_layers": 24, "num_attention_heads": 16, "intermediate_size": 4096}
SMALL = {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 128}


def say(text: str) -> None:
    """In the first process."""
    if distributed.get_rank() == 0:
        print(text, flush=True)


def make_model(shape: str, device: torch.device, dropout: float) -> Any:
    """Random weights, the same in all processes."""
    torch.manual_seed(0)
    rest = {"vocab_size": 50_265, "max_position_embeddings": 514, "type_vocab_size": 1, "pad_token_id": 1}
    drops = {"hidden_dropout_prob": dropout, "attention_probs_dropout_prob": dropout}
    config = RobertaConfig(num_labels=LABELS, **(LARGE if shape == "large" else SMALL), **rest, **drops)
    return AutoModelForSequenceClassification.from_config(config).float().to(device)


def read(path: Path, tokenizer: Tokenizer, most: int) -> tuple[list[Any], Any]:
    """Token ids and targets."""
    rows = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()][:most]
    targets = np.zeros((len(rows), LABELS), dtype=np.float32)
    for number, cells in enumerate(rows):
        targets[number, [int(label) for label in cells[1].split(",")]] = 1.0
    texts = [cells[0] for cells in rows]
    return [np.array(e.ids, dtype=np.int32) for e in tokenizer.encode_batch(texts)], targets


def make_engine(model: Any, ids: list[Any], targets: Any, size: int, processes: Processes) -> CapturedEngine:
    """bfloat16 and captured on a GPU; float32 and eager on a CPU."""
    known = architecture_of(model)
    assert known is not None
    layout = Layout("packed", LENGTH, 1, known.first_position(model.config))
    return CapturedEngine(
        model, Objective(make_loss("asymmetric")), parameter_groups(model, lr=2e-5, weight_decay=0.01), layout,
        ids, targets, np.ones(len(ids), dtype=np.float32), size=size, processes=processes,
        dtype=torch.bfloat16 if processes.device.type == "cuda" else torch.float32,
    )  # fmt: skip


def wait(device: torch.device) -> None:
    """For this process's device, and for the other processes."""
    if device.type == "cuda":
        torch.cuda.synchronize()
    distributed.barrier()


def speed(engine: CapturedEngine, plan: BatchPlan, steps: int, device: torch.device) -> float:
    """Seconds per step, once all shapes are captured."""
    for step in range(40 if device.type == "cuda" else 2):
        engine.step(engine.prepare(plan.batch(step)), 0.0)
    ahead = prefetch(engine.prepare(batch) for batch in plan.batches(0, steps))
    wait(device)
    began = time.perf_counter()
    for item in ahead:
        engine.step(item, 1.0)
    wait(device)
    return (time.perf_counter() - began) / steps


def train(asked: argparse.Namespace, ids: list[Any], targets: Any, device: torch.device) -> None:
    """Speed at both global batches, and the exchange alone."""
    processes = Processes.current(device)
    engine = make_engine(make_model(asked.shape, device, 0.1), ids, targets, PER_PROCESS, processes)
    for batch in (PER_PROCESS, PER_PROCESS * processes.size):
        seconds = speed(engine, BatchPlan(len(ids), batch, 0), asked.steps, device)
        say(f"global batch {batch}: {seconds * 1e3:.2f} ms a step, {batch / seconds:,.0f} texts/s")
    wait(device)
    began = time.perf_counter()
    for _ in range(asked.steps):
        for group in engine.flat.groups:
            processes.add_up(group.grad)
    wait(device)
    if device.type == "cuda":
        say(f"peak memory per GPU: {torch.cuda.max_memory_allocated() / 2**30:.2f} GiB")
    say(f"exchange of gradients alone: {(time.perf_counter() - began) / asked.steps * 1e3:.2f} ms")


def losses(engine: CapturedEngine, plan: BatchPlan, steps: int) -> list[float]:
    """The loss of each step."""
    found = []
    for step in range(steps):
        engine.step(engine.prepare(plan.batch(step)), 1.0)
        found.append(engine.read().mean_loss)
    return found


def compare(asked: argparse.Namespace, ids: list[Any], targets: Any, device: torch.device) -> None:
    """Losses of the same batches in all processes together, and in each alone, without dropout."""
    together = Processes.current(device)
    size = PER_PROCESS * together.size
    plan = BatchPlan(len(ids), size, 1)
    curves = []
    for processes, most in ((together, PER_PROCESS), (Processes(device=device), PER_PROCESS)):
        engine = make_engine(make_model(asked.shape, device, 0.0), ids, targets, most, processes)
        curves.append(np.array(losses(engine, plan, asked.compare)))
        del engine
    apart = np.abs(curves[0] - curves[1]) / np.abs(curves[1])
    say(f"losses, first and last of {asked.compare} steps: {curves[0][0]:.4f}, {curves[0][-1]:.4f}")
    say(f"relative difference from one process: at most {apart.max():.2e}, at last {apart[-1]:.2e}")
    limit = 2e-2 if device.type == "cuda" else 1e-5
    assert apart.max() < limit, f"losses differ by {apart.max():.2e}, more than {limit:.0e}"


def score(asked: argparse.Namespace, device: torch.device) -> None:
    """A table repeated to many texts, from raw strings to scores, each process its share through affekt's engine."""
    rank, size = distributed.get_rank(), distributed.get_world_size()
    source = read_texts(asked.score_data, None)
    mine = [source[number % len(source)] for number in range(rank, asked.score, size)]
    engine = scoring_engine(asked, device)
    for part in engine.stream(mine[:4096], truncate=True):
        assert np.isfinite(part.logits).all()
    wait(device)
    began = time.perf_counter()
    done = sum(len(part.logits) for part in engine.stream(mine, truncate=True))
    wait(device)
    seconds = time.perf_counter() - began
    assert done == len(mine)
    say(f"scoring {asked.score:,} texts with {size} workers: {seconds:.1f} s, {asked.score / seconds:,.0f} texts/s")


def scoring_engine(asked: argparse.Namespace, device: torch.device) -> Engine:
    """A model folder of the shape, written by the first process, in each process's engine."""
    with tempfile.TemporaryDirectory() as own:
        name = [own]
        distributed.broadcast_object_list(name)
        folder, model = Path(name[0]), make_model(asked.shape, torch.device("cpu"), 0.0)
        if distributed.get_rank() == 0:
            model.save_pretrained(folder)
            shutil.copy(asked.encoder / "tokenizer.json", folder)
        distributed.barrier()
        cuda = device.type == "cuda"
        kind, attention = ("float16", None) if cuda else ("float32", attention_by_text)
        backend = CudaBackend(folder, kind, str(device), attention)
        engine = Engine(CleaningOptions(), TextTokenizer.of(folder, 512), backend)
        distributed.barrier()
        return engine


def main() -> None:
    """All of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--encoder", type=Path, required=True)
    parser.add_argument("--shape", choices=("large", "small"), default="large")
    parser.add_argument("--texts", type=int, default=20_000)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--compare", type=int, default=30)
    parser.add_argument("--score", type=int, default=1_000_000)
    parser.add_argument("--score-data", type=Path, required=True, help="csv, also .gz; the column body, or the first")
    asked = parser.parse_args()
    cuda = torch.cuda.is_available()
    device = torch.device("cuda", int(os.environ["LOCAL_RANK"])) if cuda else torch.device("cpu")
    if cuda:
        torch.cuda.set_device(device)
    distributed.init_process_group("nccl" if cuda else "gloo")
    tokenizer = Tokenizer.from_file(str(asked.encoder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(LENGTH)
    ids, targets = read(asked.data / "train.tsv", tokenizer, asked.texts)
    where = torch.cuda.get_device_name() if cuda else "CPU"
    say(f"{distributed.get_world_size()} processes on {where}, PyTorch {torch.__version__}")
    train(asked, ids, targets, device)
    compare(asked, ids, targets, device)
    score(asked, device)
    distributed.barrier()
    distributed.destroy_process_group()


if __name__ == "__main__":
    main()
