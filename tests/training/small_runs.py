"""Whole training runs that take a second: tiny encoders with a real tokenizer, and a set that can be learned."""

from pathlib import Path
from typing import Any

import numpy as np
from tiny_models import SETTINGS, tiny

from affekt.data import Dataset
from affekt.evaluation.measure import Resampling
from affekt.training.run import TrainResult, train
from models import WORDS, tokenizer, vocabulary

LABELS = ("joy", "anger", "fear", "sadness", "neutral")
FEW = Resampling(resamples=20, folds=2, repeats=1)


def make_set(texts: int = 48, seed: int = 0, name: str = "small") -> Dataset:
    """Texts whose labels depend on their words."""
    rng = np.random.default_rng(seed)
    drawn = [rng.integers(0, len(WORDS), rng.integers(3, 14)) for _ in range(texts)]
    targets = np.array([[(ids % 5 == label).mean() > 0.25 for label in range(5)] for ids in drawn], dtype=np.float32)
    return Dataset([" ".join(WORDS[i] for i in ids) for ids in drawn], LABELS, targets, name=name)


def make_encoder(folder: Path, kind: str = "bert", **settings: Any) -> Path:
    """A tiny random encoder of an architecture, without a head, as Hugging Face saves it."""
    folder.mkdir(parents=True)
    model = tiny(kind, vocab_size=len(vocabulary()), pad_token_id=0, **settings)
    assert "vocab_size" in SETTINGS[kind]
    model.base_model.save_pretrained(folder)
    tokenizer(folder)
    return folder


def small_run(folder: Path, *overrides: str, kind: str = "bert", **options: Any) -> TrainResult:
    """Train on the CPU: 48 texts, 2 epochs of 6 steps."""
    encoder = options.pop("encoder", None) or make_encoder(folder / "encoder", kind)
    settings = ["batch_size=8", "epochs=2", "lr=1e-3", "max_length=32", *overrides]
    defaults: dict[str, Any] = {"device": "cpu", "progress": False, "resampling": FEW}
    data, dev = options.pop("data", make_set()), options.pop("dev", make_set(24, seed=1, name="held out"))
    out = options.pop("out", folder / "model")
    return train(data, dev, encoder=encoder, out=out, overrides=settings, **(defaults | options))
