"""What affekt's engine is compared with: the transformers pipeline, and a bare tokenizer with ONNX Runtime."""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

Run = Callable[[Sequence[str]], object]
ROOT = Path(__file__).resolve().parent.parent


def options(description: str | None) -> argparse.ArgumentParser:
    """Arguments that every engine benchmark takes."""
    data = Path(os.environ.get("AFFEKT_DATA", ROOT.parent / "shared" / "data"))
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="a model folder with PyTorch weights and ONNX graphs")
    parser.add_argument("--data", type=Path, default=data / "goemotions" / "dev.tsv", help="texts, the first column")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--limit", type=int)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--rows", nargs="+", default=["affekt", "bare int8", "pipeline"])
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, help="also write the figures as JSON")
    return parser


def texts(path: Path, limit: int | None) -> list[str]:
    """The first column of a tab-separated file."""
    with open(path, encoding="utf-8") as file:
        return [line.split("\t")[0] for line in file][:limit]


def affekt_row(model: Path, threads: int, batch: int) -> Run:
    """The int8 graph in affekt itself."""
    import affekt

    classifier = affekt.load(model, backend="onnx-int8", threads=threads)
    if batch == 1:
        return lambda texts: [classifier.predict(text) for text in texts]
    return classifier.predict


def pipeline_row(model: Path, threads: int, batch: int) -> Run:
    """``transformers.pipeline`` as the model card shows it."""
    import torch
    from transformers import pipeline

    torch.set_num_threads(threads)
    run = pipeline("text-classification", model=str(model), top_k=None, device=-1)
    if batch == 1:
        return lambda texts: [run(text) for text in texts]
    return lambda texts: run(list(texts), batch_size=batch)


def bare_row(model: Path, threads: int, batch: int) -> Run:
    """A traced graph, quantized dynamically; texts sorted by length, padded, in batches."""
    import onnxruntime
    from tokenizers import Tokenizer

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(str(dynamic_graph(model)), options, providers=["CPUExecutionProvider"])
    tokenizer = Tokenizer.from_file(str(model / "tokenizer.json"))
    tokenizer.enable_truncation(128)
    tokenizer.enable_padding()

    def run(texts: Sequence[str]) -> list[object]:
        order = np.argsort([len(text) for text in texts])
        found = []
        for start in range(0, len(order), batch):
            encodings = tokenizer.encode_batch([texts[i] for i in order[start : start + batch]])
            ids = np.array([encoding.ids for encoding in encodings])
            mask = np.array([encoding.attention_mask for encoding in encodings])
            logits = session.run(None, {"input_ids": ids, "attention_mask": mask})[0]
            found.append(1 / (1 + np.exp(-logits)) >= 0.5)
        return found

    if batch == 1:
        return lambda texts: [run([text]) for text in texts]
    return run


def dynamic_graph(model: Path) -> Path:
    """``torch.onnx.export`` and ``quantize_dynamic``, made once per process."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    from affekt.backends.torch import load_model
    from affekt.export.graph import save
    from affekt.export.traced import traced_graph

    folder = Path(tempfile.mkdtemp())
    save(traced_graph(load_model(model)), folder / "traced.onnx")
    quantize_dynamic(folder / "traced.onnx", folder / "int8.onnx", per_channel=True, weight_type=QuantType.QInt8)
    return folder / "int8.onnx"


ROWS: dict[str, Callable[[Path, int, int], Run]] = {
    "affekt": affekt_row,
    "bare int8": bare_row,
    "pipeline": pipeline_row,
}


def rounds(script: str, given: argparse.Namespace) -> dict[str, list[dict[str, float]]]:
    """Each row in a fresh process, in turns, as often as asked: row -> figures of every round."""
    found: dict[str, list[dict[str, float]]] = {name: [] for name in given.rows}
    for _ in range(given.repeats):
        for name, figures in found.items():
            command = [sys.executable, script, *sys.argv[1:], "--one", name]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                raise SystemExit(f"{name} failed: {done.stderr.strip()[-2000:]}")
            figures.append(json.loads(done.stdout.strip().splitlines()[-1]))
    return found


def medians(found: dict[str, list[dict[str, float]]]) -> dict[str, dict[str, float]]:
    """The median of each figure over the rounds."""
    return {
        name: {key: statistics.median(one[key] for one in figures) for key in figures[0]}
        for name, figures in found.items()
    }


def peak_multiply_adds(seconds: float = 0.5) -> float:
    """int8 multiply-adds per second that one thread of ONNX Runtime reaches in one large product."""
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper

    rng = np.random.default_rng(0)
    weight = numpy_helper.from_array(rng.integers(-64, 65, (1536, 384)).astype(np.int8), "w")
    graph = helper.make_graph(
        [helper.make_node("MatMulInteger", ["x", "w"], ["y"])],
        "peak",
        [helper.make_tensor_value_info("x", TensorProto.UINT8, [512, 1536])],
        [helper.make_tensor_value_info("y", TensorProto.INT32, [512, 384])],
        [weight],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    feed = {"x": rng.integers(0, 256, (512, 1536)).astype(np.uint8)}
    done, start = 0, time.process_time()
    while time.process_time() - start < seconds:
        session.run(None, feed)
        done += 1
    return done * 512 * 1536 * 384 / (time.process_time() - start)


def multiply_adds(model: Path, tokens: float) -> float:
    """Of one text of so many tokens, in products with constant weights."""
    config = json.loads((model / "config.json").read_text())
    size, inner, layers = (config[name] for name in ("hidden_size", "intermediate_size", "num_hidden_layers"))
    layer = 4 * size * size + 2 * size * inner
    return tokens * (layers - 1) * layer + layer


if str(ROOT / "src") not in sys.path:
    sys.path.insert(0, str(ROOT / "src"))
