"""Tiny random classifiers of every architecture, for tests of what runs them."""

from typing import Any

import numpy as np
import torch
from transformers import AutoConfig, AutoModelForSequenceClassification, PreTrainedModel

LABELS = 5
VOCABULARY = 60

SMALL: dict[str, Any] = {
    "vocab_size": VOCABULARY,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "max_position_embeddings": 80,
    "pad_token_id": 0,
}
DISTILBERT = {"dim": 32, "n_layers": 2, "n_heads": 4, "hidden_dim": 48, "vocab_size": VOCABULARY, "pad_token_id": 0}
DEBERTA = {
    "relative_attention": True,
    "position_buckets": 8,
    "pos_att_type": ["p2c", "c2p"],
    "share_att_key": True,
    "norm_rel_ebd": "layer_norm",
    "pooler_hidden_size": 32,
    "type_vocab_size": 0,
}
MODERNBERT = {
    "bos_token_id": 1,
    "eos_token_id": 2,
    "cls_token_id": 1,
    "sep_token_id": 2,
    "local_attention": 8,
    "global_attn_every_n_layers": 2,
}
SETTINGS: dict[str, dict[str, Any]] = {
    "bert": SMALL,
    "roberta": SMALL | {"pad_token_id": 1},
    "xlm-roberta": SMALL | {"pad_token_id": 1},
    "electra": SMALL | {"embedding_size": 24},
    "mpnet": SMALL | {"pad_token_id": 1},
    "distilbert": DISTILBERT,
    "modernbert": SMALL | MODERNBERT,
    "deberta-v2": SMALL | DEBERTA,
}
PACKED = [name for name in SETTINGS if name != "deberta-v2"]


def tiny(kind: str, *, dropout: float | None = None, seed: int = 0, **settings: Any) -> PreTrainedModel:
    """A random classifier whose weights are large enough to matter."""
    config = AutoConfig.for_model(
        kind, **{**SETTINGS[kind], **settings}, num_labels=LABELS, problem_type="multi_label_classification"
    )
    if dropout is not None:
        for name in vars(config):
            if "dropout" in name and not isinstance(getattr(config, name), bool):
                setattr(config, name, dropout)
    torch.manual_seed(seed)
    model: PreTrainedModel = AutoModelForSequenceClassification.from_config(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    return model


def texts(count: int, seed: int = 0, longest: int = 24) -> list[np.ndarray]:
    """Random token ids of unequal lengths, 3 to ``longest``."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(3, longest + 1, count)
    return [rng.integers(3, VOCABULARY, length).astype(np.int32) for length in lengths]


def targets(count: int, seed: int = 0) -> np.ndarray:
    """Random 0/1 targets (texts, LABELS)."""
    return (np.random.default_rng(seed).random((count, LABELS)) < 0.3).astype(np.float32)
