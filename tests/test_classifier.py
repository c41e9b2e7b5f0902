"""The classifier: one path for one text and many, and one sentence for every model folder that cannot be used."""

import shutil
from pathlib import Path

import numpy as np
import pytest

import affekt
from affekt.classifier import EmotionClassifier
from affekt.cleaning import clean
from affekt.errors import BackendError, DataError, ModelFolderError, SettingError
from affekt.model_folder import update_manifest
from affekt.taxonomy import GOEMOTIONS, TAXONOMIES

TEXTS = ["I love this!", "", "What an awful day", "love " * 60, "thank you 😂", "I love this!"]


@pytest.fixture(scope="module")
def classifier(tiny_model: Path) -> EmotionClassifier:
    return EmotionClassifier.load(tiny_model, threads=1)


@pytest.fixture
def copy(tiny_model: Path, tmp_path: Path) -> Path:
    shutil.copytree(tiny_model, tmp_path / "model")
    return tmp_path / "model"


def test_a_text_gets_one_prediction_and_a_list_one_each(classifier: EmotionClassifier) -> None:
    (single,) = classifier.predict(TEXTS[0])
    many = classifier.predict(TEXTS)
    assert many[0] == many[5] == single
    assert [prediction.text for prediction in many] == TEXTS
    assert [prediction.windowed for prediction in many] == [False, False, False, True, False, False]
    assert classifier.predict([]) == []


def test_scores_and_logits_are_arrays_in_the_order_of_the_labels(classifier: EmotionClassifier) -> None:
    scores, logits = classifier.scores(TEXTS), classifier.logits(iter(TEXTS))
    assert scores.shape == logits.shape == (6, 28)
    assert scores.dtype == logits.dtype == np.float32
    assert ((scores >= 0) & (scores <= 1)).all()
    for prediction, row in zip(classifier.predict(TEXTS), scores, strict=True):
        assert list(prediction.scores.values()) == row.tolist()
    assert classifier.scores([]).shape == (0, 28)
    assert classifier.scores("a", "ekman").shape == (1, 7)


def test_every_label_set_of_the_model_can_be_asked_for(classifier: EmotionClassifier) -> None:
    assert classifier.labels == GOEMOTIONS
    assert classifier.taxonomies == ("goemotions", "core14", "ekman", "sentiment")
    for name in classifier.taxonomies:
        (prediction,) = classifier.predict("love", taxonomy=name)
        assert tuple(prediction.scores) == TAXONOMIES[name].labels


def test_a_generator_in_is_a_generator_out(classifier: EmotionClassifier) -> None:
    streamed = classifier.stream((text for text in TEXTS), taxonomy="ekman", top_k=2, window=4)
    assert list(streamed) == classifier.predict(TEXTS, taxonomy="ekman", top_k=2)


def test_truncation_reads_only_the_beginning(classifier: EmotionClassifier) -> None:
    (cut,) = classifier.predict(TEXTS[3], truncate=True)
    assert not cut.windowed
    assert list(cut.scores.values()) == classifier.scores([TEXTS[3]], truncate=True)[0].tolist()


def test_a_text_and_its_cleaned_form_agree(classifier: EmotionClassifier) -> None:
    dirty = ["so happy 😂😂 https://example.com &amp; you", "@you I “love” it", "  what\u200b a\tday "]
    tidy = [clean(text, classifier.manifest.cleaning) for text in dirty]
    np.testing.assert_array_equal(classifier.logits(dirty), classifier.logits(tidy))


def test_bad_settings_and_texts_are_refused_before_any_work(classifier: EmotionClassifier) -> None:
    with pytest.raises(SettingError):
        classifier.predict("a", top_k=0)
    with pytest.raises(SettingError):
        classifier.scores("a", "plutchik")
    with pytest.raises(DataError, match="10,000,000"):
        classifier.predict("x" * 10_000_000)
    with pytest.raises(DataError, match="Text 1"):
        classifier.predict(["a", None])  # type: ignore[list-item]


def test_the_public_way_in_is_the_same(tiny_model: Path) -> None:
    found = affekt.load(str(tiny_model), backend="onnx-float32", threads=1)
    assert isinstance(found, affekt.EmotionClassifier)
    assert found.backend.name == "onnx-float32"
    assert found.folder == tiny_model
    with pytest.raises(AttributeError, match="no attribute 'loads'"):
        _ = affekt.loads


@pytest.mark.parametrize("name", ["tokenizer.json", "config.json", "onnx/model_quantized.onnx"])
def test_a_changed_byte_is_found_before_it_can_change_an_answer(copy: Path, name: str) -> None:
    content = bytearray((copy / name).read_bytes())
    content[len(content) // 2] ^= 1
    (copy / name).write_bytes(content)
    with pytest.raises(ModelFolderError, match="SHA-256 differs"):
        EmotionClassifier.load(copy)


@pytest.mark.parametrize("name", ["tokenizer.json", "config.json"])
def test_a_truncated_folder_is_one_sentence(copy: Path, name: str) -> None:
    (copy / name).unlink()
    with pytest.raises(ModelFolderError, match="incomplete"):
        EmotionClassifier.load(copy)


def test_a_graph_that_is_none_is_one_sentence(copy: Path) -> None:
    (copy / "onnx" / "model_quantized.onnx").write_bytes(b"\x80\x04not a graph")
    update_manifest(copy, lambda old: old)
    with pytest.raises(BackendError, match="ONNX Runtime cannot open"):
        EmotionClassifier.load(copy)


def test_a_pickle_where_weights_should_be_is_refused(copy: Path) -> None:
    (copy / "pytorch_model.bin").write_bytes(b"\x80\x04.")
    with pytest.raises(ModelFolderError, match="pickle"):
        EmotionClassifier.load(copy)
    (copy / "pytorch_model.bin").unlink()
    (copy / "model.safetensors").write_bytes(b"\x80\x04" + b"." * 100)
    update_manifest(copy, lambda old: old)
    with pytest.raises(BackendError, match="PyTorch cannot load"):
        EmotionClassifier.load(copy, backend="torch-cpu")
