"""A classifier without weights: real cleaning, real tokenizer, real rules, and logits that follow from the letters."""

import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
from starlette.testclient import TestClient
from tokenizers import Tokenizer, decoders, pre_tokenizers
from tokenizers.models import BPE
from tokenizers.processors import TemplateProcessing

from affekt.backends.base import BatchPlan, TokenBatch
from affekt.classifier import EmotionClassifier
from affekt.cleaning import CleaningOptions
from affekt.decision import Calibration, DecisionRule, FloatArray
from affekt.engine import Engine
from affekt.model_folder import Manifest, RuleRecord
from affekt.taxonomy import GOEMOTIONS
from affekt.tokenizing import TextTokenizer

MakeClient = Callable[..., TestClient]
"""Makes a client of an application, from API keys and settings (see ``conftest.py``)."""

METRICS = {
    "dev": {
        "data": "dev",
        "texts": 100,
        "headline": "saved",
        "outcomes": {"saved": {"macro_f1": {"value": 0.5, "low": 0.45, "high": 0.55}}},
        "mean": {"ece": 0.0625},
    }
}
"""In the form that training and evaluation write."""

WORDS = {"happy": "joy", "sad": "sadness", "angry": "anger", "thanks": "gratitude", "love": "love", "afraid": "fear"}


def letter_tokenizer() -> Tokenizer:
    """One token per byte, so that lengths are easy to reckon with."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {"[PAD]": 0, "[CLS]": 1, "[SEP]": 2} | {letter: 3 + i for i, letter in enumerate(letters)}
    tokenizer = Tokenizer(BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 1), ("[SEP]", 2)])
    return tokenizer


class LetterBackend:
    """Logits from the text itself: high for the emotions of known words, and a little of every text's checksum.

    Args:
        seconds_per_token: how slow it pretends to be.
    """

    name = "letters"
    plan = BatchPlan(token_budget=4096, max_texts=64, equal=False, window=1024)

    def __init__(self, seconds_per_token: float = 0.0) -> None:
        self.seconds_per_token = seconds_per_token
        self.calls: list[int] = []
        self._tokenizer = letter_tokenizer()

    def logits(self, batch: TokenBatch) -> FloatArray:
        self.calls.append(len(batch.input_ids))
        time.sleep(self.seconds_per_token * float(batch.attention_mask.sum()))
        pairs = zip(batch.input_ids, batch.attention_mask, strict=True)
        return np.stack([self._row(ids[mask.astype(bool)]) for ids, mask in pairs])

    def many(self, batches: Iterable[TokenBatch]) -> Iterator[FloatArray]:
        return map(self.logits, batches)

    def _row(self, ids: np.ndarray) -> FloatArray:
        text = self._tokenizer.decode(ids.tolist()).lower()
        if "poison" in text:
            raise RuntimeError(f"cannot read {text}")
        seed = zlib.crc32(text.encode())
        row = np.random.default_rng(seed).uniform(-3.5, -2.5, len(GOEMOTIONS)).astype(np.float32)
        for word, label in WORDS.items():
            row[GOEMOTIONS.index(label)] += 5.0 * (word in text)
        return row


def make_classifier(folder: Path, seconds_per_token: float = 0.0, max_length: int = 64) -> EmotionClassifier:
    """The classifier, with its tokenizer and card written to ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    letter_tokenizer().save(str(folder / "tokenizer.json"))
    (folder / "README.md").write_text("# Letters\n\nA model for tests.\n\n## Limits\n\nIt reads letters.\n")
    rule = DecisionRule(Calibration.identity(len(GOEMOTIONS)), (0.4,) * len(GOEMOTIONS))
    manifest = Manifest(
        name="letters",
        version="1.2",
        labels=GOEMOTIONS,
        taxonomy="goemotions",
        max_length=max_length,
        rules={"goemotions": RuleRecord.of(GOEMOTIONS, rule)},
        metrics=METRICS,
    )
    tokenizer = TextTokenizer(folder / "tokenizer.json", max_length)
    return EmotionClassifier(manifest, Engine(CleaningOptions(), tokenizer, LetterBackend(seconds_per_token)), folder)
