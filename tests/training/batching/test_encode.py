"""Texts are cleaned, tokenized and cut as they will be ever after."""

from pathlib import Path

import numpy as np
import pytest
from transformers import AutoTokenizer

from affekt.cleaning import CleaningOptions, clean
from affekt.tokenizing import TextTokenizer
from affekt.training.batching.encode import encode, tokenize
from models import tokenizer as save_tokenizer

TEXTS = ["I love  this \U0001f602 &amp; that!", "", "https://example.com", "caf\u00e9 \ud83d lone half", "happy " * 60]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tokens")
    save_tokenizer(path)
    return path


@pytest.mark.parametrize("options", [CleaningOptions(), CleaningOptions(emoji=False, urls=False)])
def test_training_and_prediction_see_the_same_tokens(options: CleaningOptions, folder: Path) -> None:
    trained = tokenize(TEXTS, AutoTokenizer.from_pretrained(folder), options, 20)
    cleaned = [clean(text, options) for text in TEXTS]
    predicted = TextTokenizer(folder / "tokenizer.json", 20).many(cleaned, truncate=True).rows
    assert [ids.tolist() for ids in trained] == predicted
    assert all(ids.dtype == np.int32 for ids in trained)


def test_long_texts_are_counted(folder: Path) -> None:
    targets = np.zeros((5, 3), dtype=np.float64)
    made = encode(TEXTS, targets, AutoTokenizer.from_pretrained(folder), CleaningOptions(), 20)  # type: ignore[arg-type]
    assert made.cut == sum(len(ids) == 20 for ids in made.token_ids)
    assert made.cut >= 1
    assert max(map(len, made.token_ids)) == 20
    assert len(made) == 5
    assert made.targets.dtype == np.float32
    assert made.weights.tolist() == [1.0] * 5


def test_nothing_is_nothing(folder: Path) -> None:
    assert tokenize([], AutoTokenizer.from_pretrained(folder), CleaningOptions(), 20) == []


def test_weights_are_kept(folder: Path) -> None:
    weights = np.array([1, 2, 3, 4, 5])
    made = encode(
        TEXTS, np.zeros((5, 1), np.float32), AutoTokenizer.from_pretrained(folder), CleaningOptions(), 20, weights
    )  # type: ignore[arg-type]  # fmt: skip
    assert made.weights.tolist() == [1, 2, 3, 4, 5]
