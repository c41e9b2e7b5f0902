"""Smaller encoders: what stays is what tells most, and the result is a stock model."""

from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_models import texts, tiny
from transformers import AutoModelForSequenceClassification

from affekt.errors import SettingError
from affekt.training.networks import thinning
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
    shrink_feed_forward(model, 32, texts(200))
    assert model.config.intermediate_size == 32
    assert [tuple(layer.output.dense.weight.shape) for layer in model.base_model.encoder.layer] == [(32, 32)] * 2
    assert torch.allclose(states(model), before, atol=2e-2)


def test_constant_neurons_go_into_the_bias() -> None:
    model = tiny("bert")
    for layer in model.base_model.encoder.layer:
        with torch.no_grad():
            layer.intermediate.dense.weight[::2] = 0.0
    before = states(model)
    shrink_feed_forward(model, 24, texts(200))
    assert torch.allclose(states(model), before, atol=2e-2)


def test_what_stays_is_fitted_again() -> None:
    whole, cut, fitted = tiny("bert"), tiny("bert"), tiny("bert")
    shrink_feed_forward(fitted, 36, texts(300))
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
    shrink_feed_forward(model, 16, texts(50))
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
        shrink_feed_forward(model, 20, texts(80))
    assert one.training
    assert not two.training
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), two.parameters(), strict=True))


def test_neurons_are_fitted_on_texts_of_all_lengths_without_padding() -> None:
    """A batch holds one length, and few tokens, whatever the longest text."""
    sizes = []
    model = tiny("bert")
    embed = model.base_model.embeddings
    hook = embed.register_forward_pre_hook(
        lambda _, __, named: sizes.append(named["input_ids"].shape), with_kwargs=True
    )
    rows = [np.full(length, 7, dtype=np.int32) for length in (3, 60, 3, 3, 17, 60)]
    shrink_feed_forward(model, 20, rows)
    hook.remove()
    assert sorted(map(tuple, sizes)) == [(1, 17), (2, 60), (3, 3)]


def test_a_sample_is_spread_over_all_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(thinning, "SAMPLE", 3)
    rows = [np.full(2, n, dtype=np.int32) for n in range(10)]
    assert torch.cat(list(thinning._batches(rows)))[:, 0].tolist() == [0, 4, 9]
    monkeypatch.setattr(thinning, "MOST_TOKENS", 3)
    assert torch.cat(list(thinning._batches(rows)))[:, 0].tolist() == [0, 9]


@pytest.mark.parametrize("kind", KINDS)
def test_each_layer_sees_what_the_smaller_ones_before_it_say(kind: str) -> None:
    """One layer after another by hand gives the same as all in one call."""
    whole, parts = tiny(kind).eval(), tiny(kind).eval()
    layers = list(parts.base_model.encoder.layer)
    shrink_feed_forward(whole, 24, texts(60))
    for number in range(len(layers)):
        with torch.no_grad():
            calls = [thinning._caught(parts, layers[number], ids) for ids in thinning._batches(texts(60))]
            thinning._shrink(layers[number], thinning._measured(layers[number], calls, 48), 24)
    assert all(torch.allclose(a, b, atol=1e-6) for a, b in zip(whole.parameters(), parts.parameters(), strict=True))


@pytest.mark.parametrize("silent", ["first map", "second map", "both"])
def test_layers_whose_neurons_say_nothing_become_smaller_as_well(silent: str) -> None:
    model = tiny("bert")
    for layer in model.base_model.encoder.layer:
        with torch.no_grad():
            if silent != "second map":
                layer.intermediate.dense.weight.zero_()
            if silent != "first map":
                layer.output.dense.weight.zero_()
    before = states(model)
    shrink_feed_forward(model, 8, texts(20))
    assert torch.allclose(states(model), before, atol=1e-5)


@pytest.mark.parametrize(("numbers", "said"), [([2], "no layer 2"), ([-1], "no layer -1"), ([0, 1], "leaves no layer")])
def test_layers_that_are_not_there_are_refused(numbers: list[int], said: str) -> None:
    with pytest.raises(SettingError, match=said) as caught:
        drop_layers(tiny("bert"), numbers)
    assert caught.value.hint


def test_a_width_above_the_encoder_s_is_refused_and_its_own_changes_nothing() -> None:
    model = tiny("bert")
    with pytest.raises(SettingError, match="feed_forward=49 is above the 48 neurons"):
        shrink_feed_forward(model, 49, texts(5))
    before = [parameter.clone() for parameter in model.parameters()]
    shrink_feed_forward(model, 48, texts(5))
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), before, strict=True))


@pytest.mark.parametrize("change", ["chunks", "further maps", "not linear", "between"])
def test_feed_forward_parts_of_another_kind_are_refused(change: str) -> None:
    model = tiny("bert")
    layer = model.base_model.encoder.layer[1]
    if change == "chunks":
        model.config.chunk_size_feed_forward = 1
    elif change == "further maps":
        layer.ffn = torch.nn.ModuleList()
    elif change == "between":
        model.base_model.encoder.conv = torch.nn.Identity()
    else:
        layer.output.dense = torch.nn.Identity()
    with pytest.raises(SettingError, match="leave feed_forward out"):
        shrink_feed_forward(model, 8, texts(5))


@pytest.mark.parametrize("kind", ["distilbert", "modernbert"])
def test_other_architectures_are_refused(kind: str) -> None:
    with pytest.raises(SettingError, match="leave drop_layers out"):
        drop_layers(tiny(kind), [0])
    with pytest.raises(SettingError, match="leave feed_forward out"):
        shrink_feed_forward(tiny(kind), 8, texts(5))
