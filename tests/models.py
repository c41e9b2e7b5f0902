"""Tiny random models: real Hugging Face folders and real affekt model folders, made in seconds without a network."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from affekt.backends import TokenBatch
from affekt.decision import Calibration, DecisionRule
from affekt.model_folder import Manifest, RuleRecord, write_model_folder
from affekt.taxonomy import GOEMOTIONS

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = (
    "i you we they he she it the a this that is was am are so very not no love hate thank thanks happy sad angry "
    "great awful wonderful terrible work day good bad really never always face heart red joy tears with of and to in "
    "please sorry what why how wow yes oh my god new old man woman game team people time make made want need feel"
).split()
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789.,!?'\":;-()_"

SMALL: dict[str, Any] = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "max_position_embeddings": 80,
}


def vocabulary() -> list[str]:
    """Pieces of the tiny WordPiece tokenizer."""
    return [*SPECIAL, *dict.fromkeys([*LETTERS, *WORDS]), *(f"##{letter}" for letter in LETTERS)]


def tokenizer(folder: Path) -> None:
    """Save a small WordPiece tokenizer as a Hugging Face folder has it."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

    pieces = {piece: number for number, piece in enumerate(vocabulary())}
    made = Tokenizer(models.WordPiece(pieces, unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer(lowercase=True)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.decoder = decoders.WordPiece()
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", pieces["[CLS]"]), ("[SEP]", pieces["[SEP]"])]
    )
    made.save(str(folder / "tokenizer.json"))
    settings = {
        "tokenizer_class": "BertTokenizer",
        "model_max_length": 64,
        "do_lower_case": True,
        "pad_token": "[PAD]",
        "unk_token": "[UNK]",
        "cls_token": "[CLS]",
        "sep_token": "[SEP]",
        "mask_token": "[MASK]",
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")


def hugging_face_folder(
    folder: Path, labels: Sequence[str] = GOEMOTIONS, kind: str = "bert", seed: int = 0, **settings: Any
) -> Path:
    """A random model of an architecture, saved as ``transformers`` saves it.

    Args:
        folder: where to.
        labels: label names.
        kind: ``model_type`` of the configuration.
        seed: of the weights.
        settings: entries of the configuration that differ from :data:`SMALL`.
    """
    import torch
    from transformers import AutoConfig, AutoModelForSequenceClassification

    folder.mkdir(parents=True, exist_ok=True)
    config = AutoConfig.for_model(
        kind,
        **{**SMALL, "vocab_size": len(vocabulary()), "pad_token_id": 0, **settings},
        num_labels=len(labels),
        id2label=dict(enumerate(labels)),
        label2id={label: number for number, label in enumerate(labels)},
        problem_type="multi_label_classification",
    )
    torch.manual_seed(seed)
    model = AutoModelForSequenceClassification.from_config(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    model.save_pretrained(folder)
    tokenizer(folder)
    return folder


def manifest(labels: Sequence[str] = GOEMOTIONS, taxonomy: str = "goemotions", max_length: int = 32) -> Manifest:
    """A manifest with calibrations and thresholds that differ from label to label."""
    count = len(labels)
    slope = tuple(1.0 + 0.01 * number for number in range(count))
    intercept = tuple(0.02 * number - 0.3 for number in range(count))
    rule = DecisionRule(Calibration(slope, intercept), tuple(0.4 + 0.005 * number for number in range(count)))
    record = RuleRecord.of(tuple(labels), rule)
    return Manifest(
        name="tiny",
        version="1",
        labels=tuple(labels),
        taxonomy=taxonomy,
        max_length=max_length,
        rules={taxonomy: record},
    )


def model_folder(
    folder: Path,
    labels: Sequence[str] = GOEMOTIONS,
    taxonomy: str = "goemotions",
    *,
    onnx: bool = False,
    **settings: Any,
) -> Path:
    """A random affekt model folder with PyTorch weights; settings as for :func:`hugging_face_folder`.

    Args:
        folder: where to.
        labels: label names.
        taxonomy: name of the label set.
        onnx: add the float32 and int8 graphs, without comparing their answers.
        settings: of the architecture.
    """

    def fill(inside: Path) -> None:
        hugging_face_folder(inside, labels, **settings)
        if onnx:
            graphs(inside)

    write_model_folder(folder, manifest(labels, taxonomy), fill)
    return folder


def graphs(folder: Path) -> None:
    """Write both ONNX graphs of a Hugging Face folder, calibrated on random tokens."""
    from affekt.backends.torch import load_model
    from affekt.encoders import encoder_of
    from affekt.export.calibrate import observe
    from affekt.export.encoder import encoder_graph
    from affekt.export.graph import save
    from affekt.export.quantize import linear_inputs, quantize

    (folder / "onnx").mkdir()
    encoder = encoder_of(load_model(folder))
    assert encoder is not None
    graph = encoder_graph(encoder)
    batches = [random_batch(4, tokens, seed=tokens) for tokens in (3, 9, 24, 32)]
    save(graph, folder / "onnx" / "model.onnx")
    save(quantize(graph, observe(graph, linear_inputs(graph), batches)), folder / "onnx" / "model_quantized.onnx")


def random_rows(lengths: Sequence[int], seed: int = 0) -> list[list[int]]:
    """Rows of random token ids, each from ``[CLS]`` to ``[SEP]``."""
    import numpy as np

    rng = np.random.default_rng(seed)
    first, last = SPECIAL.index("[CLS]"), SPECIAL.index("[SEP]")
    return [[first, *rng.integers(len(SPECIAL), len(vocabulary()), length - 2).tolist(), last] for length in lengths]


def random_batch(texts: int, tokens: int, seed: int = 0) -> TokenBatch:
    """A batch of random texts of one length."""
    return TokenBatch.of(random_rows([tokens] * texts, seed))
