"""Smaller encoders: what stays is what tells most, and the result is a stock model."""

from pathlib import Path

import pytest
import torch
from tiny_models import texts, tiny
from transformers import AutoModelForSequenceClassification

from affekt.errors import SettingError
from affekt.training.networks.pooling import add_mean_pooling_layer
from affekt.training.networks.thinning import drop_layers, shrink_feed_forward

KINDS = ["bert", "roberta", "electra", "mpnet", "xlm-roberta"]
IDS = torch.tensor([[5, 6, 7, 8, 9], [10, 11, 12, 0, 0]])
MASK = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]])


def states(model: torch.nn.Module) -> torch.Tensor:
    with torch.no_grad():
        hidden: torch.Tensor = model.eval().base_model(IDS, attention_mask=MASK).last_hidden_state  # type: ignore[operator]
    return hidden


@pytest.mark.parametrize("kind", KINDS)
def test_silent_neurons_cost_nothing(kind: str) -> None:
    model = tiny(kind)
    for layer in model.base_model.encoder.layer:
        with torch.no_grad():
            layer.output.dense.weight[:, 1::3] = 0.0
    before = states(model)
    shrink_feed_forward(model, 32, texts(200), model.config.pad_token_id)
    assert model.config.intermediate_size == 32
    assert [tuple(layer.output.dense.weight.shape) for layer in model.base_model.encoder.layer] == [(32, 32)] * 2
    assert torch.allclose(states(model), before, atol=2e-2)


def test_constant_neurons_go_into_the_bias() -> None:
    model = tiny("bert")
    for layer in model.base_model.encoder.layer:
        with torch.no_grad():
            layer.intermediate.dense.weight[::2] = 0.0
    before = states(model)
    shrink_feed_forward(model, 24, texts(200), 0)
    assert torch.allclose(states(model), before, atol=2e-2)


def test_what_stays_is_fitted_again() -> None:
    whole, cut, fitted = tiny("bert"), tiny("bert"), tiny("bert")
    shrink_feed_forward(fitted, 36, texts(300), 0)
    for layer, kept in zip(cut.base_model.encoder.layer, fitted.base_model.encoder.layer, strict=True):
        rows = [
            int((layer.intermediate.dense.weight == row).all(1).nonzero()) for row in kept.intermediate.dense.weight
        ]
        silent = sorted(set(range(48)) - set(rows))
        with torch.no_grad():
            layer.output.dense.weight[:, silent] = 0.0
    apart = [(states(model) - states(whole)).norm() for model in (cut, fitted)]
    assert apart[1] < 0.8 * apart[0]


@pytest.mark.parametrize("kind", KINDS)
def test_the_saved_folder_is_stock(kind: str, tmp_path: Path) -> None:
    model = tiny(kind, num_hidden_layers=3)
    drop_layers(model, [1])
    add_mean_pooling_layer(model)
    shrink_feed_forward(model, 16, texts(50), model.config.pad_token_id)
    model.save_pretrained(tmp_path)
    again = AutoModelForSequenceClassification.from_pretrained(tmp_path)
    assert type(again) is type(model)
    assert (again.config.num_hidden_layers, again.config.intermediate_size) == (3, 16)
    assert torch.allclose(states(again), states(model))


def test_layers_that_stay_are_those_not_named() -> None:
    model = tiny("bert", num_hidden_layers=4)
    first, _, third, _ = list(model.base_model.encoder.layer)
    drop_layers(model, (3, 1))
    assert list(model.base_model.encoder.layer) == [first, third]
    assert model.config.num_hidden_layers == 2


def test_it_is_the_same_every_time_and_leaves_the_mode_alone() -> None:
    one, two = tiny("bert").train(), tiny("bert").eval()
    for model in (one, two):
        shrink_feed_forward(model, 20, texts(80), 0)
    assert one.training
    assert not two.training
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), two.parameters(), strict=True))


@pytest.mark.parametrize("numbers", [[2], [-1], [0, 1]])
def test_layers_that_are_not_there_are_refused(numbers: list[int]) -> None:
    with pytest.raises(SettingError, match="drop_layers"):
        drop_layers(tiny("bert"), numbers)


def test_a_width_that_shrinks_nothing_is_refused() -> None:
    with pytest.raises(SettingError, match="feed_forward=48 is not below the 48 neurons"):
        shrink_feed_forward(tiny("bert"), 48, texts(5), 0)


@pytest.mark.parametrize("kind", ["distilbert", "modernbert"])
def test_other_architectures_are_refused(kind: str) -> None:
    with pytest.raises(SettingError, match="leave drop_layers out"):
        drop_layers(tiny(kind), [0])
    with pytest.raises(SettingError, match="leave feed_forward out"):
        shrink_feed_forward(tiny(kind), 8, texts(5), 0)
