"""Parameter groups for every supported architecture, and optimizers that say what they need."""

import importlib.machinery
import sys
import types
from typing import Any

import pytest
import torch
import transformers
from torch import nn
from transformers import PreTrainedModel
from transformers.trainer_pt_utils import get_parameter_names

from affekt.errors import SettingError
from affekt.training.engines.optimizers import Rates, capturable, make_optimizer, parameter_groups, require_8bit

torch.set_num_threads(1)
SMALL: dict[str, Any] = {
    "hidden_size": 16,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "vocab_size": 50,
    "pad_token_id": 0,
    "num_labels": 4,
}
DISTIL = {"dim": 16, "n_layers": 3, "n_heads": 2, "hidden_dim": 32, "vocab_size": 50, "num_labels": 4}
ENDS = {"bos_token_id": 1, "eos_token_id": 2, "cls_token_id": 1, "sep_token_id": 2}
ARCHITECTURES = {
    "Roberta": SMALL,
    "Bert": SMALL,
    "MPNet": SMALL,
    "DistilBert": DISTIL,
    "Electra": SMALL,
    "DebertaV2": SMALL | {"relative_attention": True, "position_biased_input": False, "pos_att_type": ["p2c", "c2p"]},
    "ModernBert": SMALL | ENDS,
}


def build(name: str) -> PreTrainedModel:
    config = getattr(transformers, f"{name}Config")(**ARCHITECTURES[name])
    made: PreTrainedModel = getattr(transformers, f"{name}ForSequenceClassification")(config)
    return made


@pytest.fixture(params=ARCHITECTURES)
def model(request: pytest.FixtureRequest) -> PreTrainedModel:
    return build(request.param)


class Wrapper(nn.Module):
    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model


# transformers.Trainer.get_decay_parameter_names
NOT_DECAYED = [r"bias", r"layernorm", r"rmsnorm", r"(?:^|\.)norm(?:$|\.)", r"_norm(?:$|\.)"]


def test_decay_is_that_of_transformers(model: PreTrainedModel) -> None:
    decayed = set(get_parameter_names(model, [nn.LayerNorm], NOT_DECAYED))
    groups = parameter_groups(model, weight_decay=0.01)
    ours = {name for group in groups if group["weight_decay"] == 0.01 for name in group["names"]}
    assert ours == decayed


def test_every_parameter_is_in_one_group(model: PreTrainedModel) -> None:
    groups = parameter_groups(model, weight_decay=0.01, layer_decay=0.9, head_lr_factor=5.0)
    names = [name for group in groups for name in group["names"]]
    assert sorted(names) == sorted(name for name, _ in model.named_parameters())
    assert sum(len(group["params"]) for group in groups) == len(names)


def test_groups_say_their_peak_rates() -> None:
    for group in parameter_groups(build("Bert"), lr=2e-5, layer_decay=0.9, head_lr_factor=5.0):
        assert group["lr"] == 2e-5 * group["lr_factor"]


def factors(model: nn.Module) -> dict[str, float]:
    groups = parameter_groups(model, weight_decay=0.01, layer_decay=0.5, head_lr_factor=7.0)
    return {name: group["lr_factor"] for group in groups for name in group["names"]}


def test_rates_fall_layer_by_layer(model: PreTrainedModel) -> None:
    by_name = factors(model)
    for name, factor in by_name.items():
        if not name.startswith(f"{model.base_model_prefix}."):
            assert factor == 7.0, name
        elif "embeddings" in name:
            assert factor == 0.5**3, name
        elif "pooler" in name or "final_norm" in name:
            assert factor == 1.0, name
    layers = {
        int(n.split("layer")[1].split(".")[1]): f for n, f in by_name.items() if ".layer." in n or ".layers." in n
    }
    assert layers == {0: 0.25, 1: 0.5, 2: 1.0}


def test_wrapping_changes_nothing(model: PreTrainedModel) -> None:
    plain = factors(model)
    assert factors(Wrapper(model)) == {f"model.{name}": factor for name, factor in plain.items()}


def test_frozen_parameters_are_left_out() -> None:
    model = build("Bert")
    for parameter in model.base_model.parameters():
        parameter.requires_grad_(requires_grad=False)
    assert [n for group in parameter_groups(model) for n in group["names"]] == ["classifier.weight", "classifier.bias"]
    for parameter in model.parameters():
        parameter.requires_grad_(requires_grad=False)
    with pytest.raises(SettingError, match="No parameter"):
        parameter_groups(model)


def test_adamw_follows_the_paper() -> None:
    """One parameter, three steps, written out with numbers."""
    parameter = nn.Parameter(torch.tensor([2.0], dtype=torch.float64))
    group = {"params": [parameter], "names": ["w"], "weight_decay": 0.1, "lr_factor": 0.5}
    optimizer = make_optimizer("adamw", [group], betas=(0.8, 0.9), eps=1e-6)
    rates = Rates(optimizer)
    value, first, second = 2.0, 0.0, 0.0
    for step, (rate, gradient) in enumerate([(0.1, 1.0), (0.2, -3.0), (0.05, 0.5)], start=1):
        parameter.grad = torch.tensor([gradient], dtype=torch.float64)
        rates.set(rate)
        optimizer.step()
        lr = 0.5 * rate
        first, second = 0.8 * first + 0.2 * gradient, 0.9 * second + 0.1 * gradient**2
        value -= lr * 0.1 * value
        value -= lr * (first / (1 - 0.8**step)) / ((second / (1 - 0.9**step)) ** 0.5 + 1e-6)
    assert parameter.item() == pytest.approx(value, rel=1e-12)


def test_no_step_is_taken_before_a_rate_is_set() -> None:
    model = build("Bert")
    optimizer = make_optimizer("adamw", parameter_groups(model, weight_decay=0.01))
    Rates(optimizer)
    before = [p.detach().clone() for p in model.parameters()]
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    optimizer.step()
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))


def test_rates_are_linked_again_after_loading() -> None:
    model = build("Bert")
    optimizer = make_optimizer("adamw", parameter_groups(model, layer_decay=0.5))
    rates = Rates(optimizer)
    rates.set(1.0)
    optimizer.load_state_dict(optimizer.state_dict())
    rates.link()
    rates.set(2.0)
    assert max(group["lr"] for group in optimizer.param_groups) == 2.0
    assert min(group["lr"] for group in optimizer.param_groups) == 0.25


def test_only_cuda_is_captured() -> None:
    assert not capturable(make_optimizer("adamw", parameter_groups(build("Bert"))))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_captured_step_reads_the_rate_of_its_replay() -> None:
    captured, plain = build("Roberta").cuda(), build("Roberta").cuda()
    plain.load_state_dict(captured.state_dict())
    optimizers = [
        make_optimizer("adamw", parameter_groups(m, weight_decay=0.1, layer_decay=0.8)) for m in (captured, plain)
    ]
    rates = [Rates(optimizer) for optimizer in optimizers]
    gradients = [torch.randn_like(p) for p in captured.parameters()]
    for model in (captured, plain):
        for parameter, gradient in zip(model.parameters(), gradients, strict=True):
            parameter.grad = gradient.clone()
    rates[0].set(0.0)
    optimizers[0].step()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        optimizers[0].step()
    rates[1].set(0.0)
    optimizers[1].step()
    for rate in (1e-3, 5e-4, 1e-5):
        rates[0].set(rate)
        graph.replay()
        rates[1].set(rate)
        optimizers[1].step()
    for a, b in zip(captured.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)


def test_unknown_optimizers_are_named() -> None:
    with pytest.raises(SettingError, match="lion"):
        make_optimizer("lion", parameter_groups(build("Bert")))


def test_8bit_on_a_cpu_says_what_lacks_and_what_is_equivalent() -> None:
    with pytest.raises(SettingError, match="CUDA") as caught:
        make_optimizer("adamw8bit", parameter_groups(build("Bert")))
    assert "optimizer=adamw" in caught.value.hint


def test_8bit_without_bitsandbytes_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(SettingError, match="bitsandbytes") as caught:
        require_8bit(torch.device("cuda"))
    assert "affekt[gpu]" in caught.value.hint


def test_8bit_is_bitsandbytes_own(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, Any] = {}

    def adamw_8bit(groups: list[dict[str, Any]], **options: Any) -> str:
        asked.update(options, groups=groups)
        return "the optimizer"

    stand_in = types.ModuleType("bitsandbytes")
    stand_in.__spec__ = importlib.machinery.ModuleSpec("bitsandbytes", None)
    stand_in.optim = types.SimpleNamespace(AdamW8bit=adamw_8bit)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "bitsandbytes", stand_in)
    monkeypatch.setattr("affekt.training.engines.optimizers.require_8bit", lambda _device: None)
    made = make_optimizer("adamw8bit", parameter_groups(build("Bert"), weight_decay=0.1), eps=1e-6)
    assert made == "the optimizer"  # type: ignore[comparison-overlap]
    assert asked["eps"] == 1e-6
    assert all("names" not in group for group in asked["groups"])
