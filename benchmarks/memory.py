"""Estimated against measured GPU memory of plain training steps; needs a CUDA device.

python benchmarks/memory.py
"""

import gc
import warnings

import torch
import transformers

from affekt.training.engines.memory import EncoderShape, estimate_memory
from affekt.training.engines.optimizers import Rates, make_optimizer, parameter_groups
from affekt.training.recipe import Recipe

LARGE = {"hidden_size": 1024, "num_hidden_layers": 24, "num_attention_heads": 16, "intermediate_size": 4096}
BASE = {"hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12, "intermediate_size": 3072}
MINI = {"hidden_size": 384, "num_hidden_layers": 6, "num_attention_heads": 12, "intermediate_size": 1536}
DEBERTA = {"relative_attention": True, "position_biased_input": False, "pos_att_type": ["p2c", "c2p"]}
ENCODERS = {
    "roberta-large": ("Roberta", LARGE | {"vocab_size": 50_265, "max_position_embeddings": 514}),
    "mpnet-base": ("MPNet", BASE | {"vocab_size": 30_527, "max_position_embeddings": 514}),
    "minilm-l6": ("Bert", MINI | {"vocab_size": 30_522}),
    "modernbert-base": (
        "ModernBert",
        BASE | {"intermediate_size": 1152, "num_hidden_layers": 22, "vocab_size": 50_368},
    ),
    "deberta-v3-base": ("DebertaV2", BASE | DEBERTA | {"vocab_size": 128_100, "position_buckets": 256}),
}
RUNS = [("adamw", "bf16", False), ("adamw", "fp16", True), ("adamw8bit", "bf16", False), ("adamw", "fp32", False)]
LENGTH = 128


def build(name: str) -> torch.nn.Module:
    """A model of that shape with random weights."""
    kind, settings = ENCODERS[name]
    config = getattr(transformers, f"{kind}Config")(num_labels=28, **settings)
    with torch.device("cuda"):
        model: torch.nn.Module = transformers.AutoModelForSequenceClassification.from_config(config)
    return model.float()


def measure(name: str, texts: int, optimizer: str, precision: str, *, checkpointing: bool) -> None:
    """Three steps at full length, and one line of what they took."""
    gc.collect()
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    model = build(name)
    if checkpointing:
        model.gradient_checkpointing_enable()  # type: ignore[operator]
    made = make_optimizer(optimizer, parameter_groups(model, weight_decay=0.01))
    Rates(made).set(1e-5)
    ids = torch.randint(10, 30_000, (texts, LENGTH), device="cuda")
    dtype = {"bf16": torch.bfloat16, "fp16": torch.float16, "fp32": torch.float32}[precision]
    for _ in range(3):
        with torch.autocast("cuda", dtype=dtype, enabled=precision != "fp32"):
            loss = model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits.float().square().mean()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        made.step()
        made.zero_grad(set_to_none=False)
    torch.cuda.synchronize()
    free, whole = torch.cuda.mem_get_info()
    recipe = Recipe(precision=precision, max_length=LENGTH, batching="padded")  # type: ignore[arg-type]
    expected = estimate_memory(
        EncoderShape.of(model),
        recipe,
        engine="plain",
        micro_batch=texts,
        optimizer=optimizer,
        checkpointing=checkpointing,
    )
    figures = [torch.cuda.max_memory_allocated(), torch.cuda.max_memory_reserved(), whole - free]
    said = " / ".join(f"{figure / 1e9:5.2f}" for figure in figures)
    print(f"{name:16} {texts:3} {optimizer:9} {precision} ckpt={checkpointing!s:5} used {said} expected {expected}")


def main() -> None:
    """Print, per encoder and setting, GB allocated / reserved / taken from the device, and what was expected."""
    torch.zeros(1, device="cuda")
    free, whole = torch.cuda.mem_get_info()
    print(f"CUDA alone: {(whole - free) / 1e9:.2f} GB")
    for name in ENCODERS:
        for texts in (4, 32):
            for optimizer, precision, checkpointing in RUNS:
                try:
                    measure(name, texts, optimizer, precision, checkpointing=checkpointing)
                except Exception as error:  # noqa: BLE001
                    warnings.warn(f"{name} {optimizer} {precision}: {error}", stacklevel=1)


if __name__ == "__main__":
    main()
