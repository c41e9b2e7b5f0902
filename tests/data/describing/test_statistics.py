import json

import numpy as np
import pytest

from affekt.data import Dataset, load_dataset
from affekt.data.describing.lengths import text_lengths
from affekt.data.describing.stats import statistics
from affekt.errors import DataError

NAN = float("nan")


@pytest.fixture
def dataset():
    targets = [[1, 1, 0, 0], [1, 0, 0, 0], [1, 1, 0, NAN], [0, 0, 0, 1]]
    return Dataset(("one", "one two", "one two three", "a b c d"), ("joy", "love", "grief", "fear"), targets)


def test_counts_shares_and_imbalance(dataset):
    result = statistics(dataset, "words")
    np.testing.assert_array_equal(result.counts, [3, 2, 0, 1])
    np.testing.assert_allclose(result.shares, [0.75, 0.5, 0, 1 / 3])
    np.testing.assert_allclose(result.imbalance, [1, 1.5, np.inf, 3])
    assert result.mean_imbalance == pytest.approx((1 + 1.5 + 3) / 3)
    assert result.order() == [0, 1, 3, 2]


def test_labels_per_text_and_combinations(dataset):
    result = statistics(dataset, "words")
    assert result.cardinality == 1.5
    assert result.per_text == {1: 2, 2: 2}
    assert result.combinations == [(("joy", "love"), 2), (("joy",), 1), (("fear",), 1)]


def test_labels_that_come_together(dataset):
    result = statistics(dataset, "words")
    np.testing.assert_array_equal(np.diag(result.together), result.counts)
    np.testing.assert_array_equal(result.together, result.together.T)
    (pair,) = result.pairs()
    assert (pair.labels, pair.count) == (("joy", "love"), 2)
    assert pair.lift == pytest.approx(2 / (3 * 2 / 4), abs=1e-3)


def test_lengths_in_words(dataset):
    result = statistics(dataset, "words")
    assert result.unit == "words"
    np.testing.assert_array_equal(result.lengths, [1, 2, 3, 4])
    assert result.percentiles() == {50: 2, 90: 4, 95: 4, 99: 4, 100: 4}


def test_lengths_in_tokens(tmp_path):
    from tokenizers import Tokenizer, models, pre_tokenizers

    tokenizer = Tokenizer(models.WordLevel({"one": 0, "two": 1, "[UNK]": 2}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.enable_truncation(2)
    tokenizer.enable_padding(length=9)
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    for place in (tmp_path, tmp_path / "tokenizer.json"):
        lengths, unit = text_lengths(["one", "one, two!", ""], place)
        assert (lengths.tolist(), unit) == ([1, 4, 0], "tokens")


def test_a_tokenizer_that_is_none(tmp_path):
    with pytest.raises(DataError, match="There is no tokenizer"):
        text_lengths(["one"], tmp_path)
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(DataError, match="is not a tokenizer"):
        text_lengths(["one"], tmp_path)


def test_without_a_shipped_model_words_are_counted(monkeypatch, tmp_path):
    monkeypatch.setattr("affekt.data.describing.lengths.SHIPPED", tmp_path)
    assert text_lengths(["one two"]) == (np.array([2]), "words")


def test_json_has_no_infinity(dataset):
    again = json.loads(json.dumps(statistics(dataset, "words").to_dict(), allow_nan=False))
    assert again["labels"][2] == {"label": "grief", "count": 0, "share": 0.0, "imbalance": None, "unknown": 0}
    assert again["labels"][3]["unknown"] == 1
    assert again["lengths"]["percentiles"]["100"] == 4


def test_sentences_for_people(dataset):
    story = "\n".join(statistics(dataset, "words").sentences())
    assert "Labels per text: mean 1.50; 1: 2 (50.0%), 2: 2 (50.0%)." in story
    assert "joy + love 2 (1.3 x chance)" in story
    assert "Unknown targets: 1." in story


def test_texts_without_labels_and_no_texts():
    result = statistics(Dataset(("a b", "c"), (), np.zeros((2, 0))), "words")
    assert result.sentences() == [
        "Length in words: mean 1.5; 50 % up to 1, 90 % up to 2, 95 % up to 2, 99 % up to 2, 100 % up to 2."
    ]
    json.dumps(result.to_dict(), allow_nan=False)
    with pytest.raises(DataError, match="has no texts"):
        statistics(Dataset((), ("joy",), np.zeros((0, 1))), "words")


def test_goemotions(data_dir):
    result = statistics(load_dataset(data_dir / "goemotions" / "train.tsv"), "words")
    assert result.counts.max() == 14_219
    assert result.counts.min() == 77
    assert len(result.combinations) == 711
