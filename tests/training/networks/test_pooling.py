"""The pooling layer starts as what it says, and what it makes is a stock model."""

from pathlib import Path

import pytest
import torch
from tiny_models import tiny
from transformers import AutoModelForSequenceClassification

from affekt.errors import TrainingError
from affekt.training.networks.pooling import SCALE, add_mean_pooling_layer

KINDS = ["bert", "roberta", "electra", "mpnet", "xlm-roberta"]
IDS = torch.tensor([[5, 6, 7, 8, 9], [10, 11, 12, 0, 0]])
MASK = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]])


def states(model: torch.nn.Module) -> torch.Tensor:
    with torch.no_grad():
        hidden: torch.Tensor = model.base_model(IDS, attention_mask=MASK).last_hidden_state  # type: ignore[operator]
    return hidden


@pytest.mark.parametrize("kind", KINDS)
def test_it_starts_as_first_plus_scaled_mean(kind: str) -> None:
    model = tiny(kind).eval()
    if kind == "mpnet":  # its relative biases are shared by all layers, so the mean is exact without them only
        torch.nn.init.zeros_(model.base_model.encoder.relative_attention_bias.weight)
    hidden = states(model)
    mean = (hidden * MASK[..., None]).sum(1) / MASK.sum(1, keepdim=True)
    eps = model.config.layer_norm_eps
    size = hidden.shape[-1:]
    expected = torch.nn.functional.layer_norm(hidden[:, 0] + SCALE * mean, size, eps=eps)
    expected = torch.nn.functional.layer_norm(expected, size, eps=eps)
    add_mean_pooling_layer(model)
    assert torch.allclose(states(model.eval())[:, 0], expected, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_the_saved_folder_is_stock(kind: str, tmp_path: Path) -> None:
    model = tiny(kind)
    add_mean_pooling_layer(model)
    model.save_pretrained(tmp_path)
    again = AutoModelForSequenceClassification.from_pretrained(tmp_path)
    assert type(again) is type(model)
    assert again.config.num_hidden_layers == 3
    assert torch.allclose(states(again.eval()), states(model.eval()))


@pytest.mark.parametrize("kind", KINDS)
def test_it_trains(kind: str) -> None:
    model = tiny(kind)
    add_mean_pooling_layer(model)
    model(IDS, attention_mask=MASK).logits.sum().backward()
    layer = model.base_model.encoder.layer[-1]
    moving = {n for n, p in layer.named_parameters() if p.grad is not None and p.grad.abs().max() > 0}
    assert any("value.weight" in name or "attn.v.weight" in name for name in moving)
    assert layer is not model.base_model.encoder.layer[-2]


@pytest.mark.parametrize("kind", ["distilbert", "modernbert"])
def test_other_architectures_are_refused(kind: str) -> None:
    with pytest.raises(TrainingError, match="cannot take a pooling layer"):
        add_mean_pooling_layer(tiny(kind))
