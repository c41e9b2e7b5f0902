"""Encoders become classifiers: new heads by seed, the recipe's dropout, and a sentence where they cannot be read."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from small_runs import make_encoder
from transformers import AutoConfig, ModernBertForMaskedLM
from transformers.utils import logging

from affekt.errors import TrainingError
from affekt.training.networks.build import load_classifier, load_tokenizer, pick_device, quiet

LABELS = ("joy", "anger", "fear")


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_encoder(tmp_path_factory.mktemp("build") / "encoder", "roberta")


def test_the_head_is_drawn_from_the_seed_and_the_rest_is_the_encoder(encoder: Path) -> None:
    one, same, other = (load_classifier(str(encoder), LABELS, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(one.classifier.out_proj.weight, same.classifier.out_proj.weight)
    assert not torch.equal(one.classifier.out_proj.weight, other.classifier.out_proj.weight)
    stored = load_file(encoder / "model.safetensors")
    assert all(torch.equal(one.base_model.state_dict()[name], value) for name, value in stored.items())
    assert one.config.id2label == {0: "joy", 1: "anger", 2: "fear"}
    assert one.config.label2id == {"joy": 0, "anger": 1, "fear": 2}
    assert one.config.num_labels == 3
    assert one.config.problem_type == "multi_label_classification"
    assert next(one.parameters()).dtype == torch.float32


@pytest.mark.parametrize("kind", ["bert", "roberta"])
def test_the_head_of_a_classifier_is_kept_for_the_same_labels_alone(kind: str, tmp_path: Path) -> None:
    encoder = make_encoder(tmp_path / "encoder", kind)
    first = load_classifier(str(encoder), LABELS, seed=1)
    first.save_pretrained(tmp_path / "model")
    heads = [name for name in first.state_dict() if not name.startswith(first.base_model_prefix)]
    for labels, kept in ((LABELS, True), (("joy", "anger", "pride"), False), (tuple(reversed(LABELS)), False)):
        again = load_classifier(str(tmp_path / "model"), labels, seed=2)
        weights = [name for name in heads if name.endswith("weight")]
        assert all(torch.equal(again.state_dict()[n], first.state_dict()[n]) == kept for n in weights)
        body = first.base_model.state_dict()
        assert all(torch.equal(again.base_model.state_dict()[name], value) for name, value in body.items())


def test_the_head_that_an_encoder_was_pretrained_with_is_kept(tmp_path: Path) -> None:
    encoder = make_encoder(tmp_path / "encoder", "modernbert")
    model = ModernBertForMaskedLM(AutoConfig.from_pretrained(encoder))
    model.save_pretrained(encoder)
    found = load_classifier(str(encoder), LABELS, seed=1)
    assert torch.equal(found.head.dense.weight, model.head.dense.weight)


def test_random_weights_have_the_shape(encoder: Path) -> None:
    one = load_classifier(str(encoder), LABELS, seed=1)
    two = load_classifier(str(encoder), LABELS, seed=1, weights=False)
    shapes = [{name: value.shape for name, value in m.state_dict().items()} for m in (one, two)]
    assert shapes[0] == shapes[1]
    assert not torch.equal(
        one.base_model.embeddings.word_embeddings.weight, two.base_model.embeddings.word_embeddings.weight
    )


@pytest.mark.parametrize("kind", ["bert", "distilbert", "modernbert", "mpnet"])
def test_dropout_is_the_recipes(kind: str, tmp_path: Path) -> None:
    folder = str(make_encoder(tmp_path / "encoder", kind))
    model = load_classifier(folder, LABELS, seed=0, dropout=0.37)
    rates = {module.p for module in model.modules() if isinstance(module, torch.nn.Dropout)}
    assert rates == {0.37}


def test_mean_pooling_adds_a_layer(encoder: Path) -> None:
    assert load_classifier(str(encoder), LABELS, seed=0, pooling="mean").config.num_hidden_layers == 3


def test_weights_that_do_not_fit_are_refused(encoder: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    for file in encoder.iterdir():
        (broken / file.name).write_bytes(file.read_bytes())
    stored = load_file(broken / "model.safetensors")
    del stored["encoder.layer.0.output.dense.weight"]
    save_file(stored, broken / "model.safetensors", {"format": "pt"})
    with pytest.raises(TrainingError, match=r"cannot be read: its weights do not fit.*layer\.0\.output\.dense\.weight"):
        load_classifier(str(broken), LABELS, seed=0)


def test_what_is_no_encoder_is_said(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="cannot be read"):
        load_tokenizer(str(tmp_path))
    with pytest.raises(TrainingError, match="cannot be read"):
        load_classifier(str(tmp_path), LABELS, seed=0)


def test_devices_are_picked() -> None:
    assert pick_device("cpu") == torch.device("cpu")
    assert pick_device().type == ("cuda" if torch.cuda.is_available() else "cpu")


def test_quiet_leaves_things_as_they_were() -> None:
    before = logging.get_verbosity(), logging.is_progress_bar_enabled()
    with quiet():
        assert logging.get_verbosity() == logging.ERROR
    assert (logging.get_verbosity(), logging.is_progress_bar_enabled()) == before
