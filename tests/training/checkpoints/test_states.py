"""States of optimizers and generators come back exactly, and nothing that a pickle would be needed for goes in."""

import json
import random
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load, save

from affekt.errors import CheckpointError
from affekt.training.checkpoints.states import (
    flatten,
    optimizer_state,
    restore_optimizer,
    restore_rng,
    rng_state,
    unflatten,
)

torch.set_num_threads(1)


def through_files(tensors: dict[str, torch.Tensor], rest: Any) -> tuple[dict[str, torch.Tensor], Any]:
    return load(save(tensors)), json.loads(json.dumps(rest))


def test_trees_come_back_as_they_were() -> None:
    tree = {"a": [1, 2.5, None, "x", True], 7: (torch.arange(3), {"deep": torch.eye(2)}), "$tensor": {"$items": []}}
    back = unflatten(*through_files(*flatten(tree, "root")))
    assert back["a"] == tree["a"]
    assert back["$tensor"] == {"$items": []}
    assert torch.equal(back[7][0], torch.arange(3))
    assert torch.equal(back[7][1]["deep"], torch.eye(2))


def test_other_objects_are_refused_by_name() -> None:
    with pytest.raises(CheckpointError, match=r"root\.a\.1.*object"):
        flatten({"a": [1, object()]}, "root")


def test_a_missing_tensor_is_named() -> None:
    tensors, rest = flatten({"a": torch.zeros(1)}, "root")
    tensors.clear()
    with pytest.raises(CheckpointError, match=r"root\.a"):
        unflatten(tensors, rest)


def steps(model: torch.nn.Module, optimizer: torch.optim.Optimizer, count: int) -> None:
    for _ in range(count):
        optimizer.zero_grad()
        model(torch.randn(4, 5)).square().sum().backward()
        optimizer.step()


@pytest.mark.parametrize("kind", ["adamw fused", "adamw amsgrad", "sgd momentum"])
def test_going_on_equals_never_having_stopped(kind: str) -> None:
    def make() -> tuple[torch.nn.Module, torch.optim.Optimizer]:
        model = torch.nn.Linear(5, 3)
        if kind == "sgd momentum":
            return model, torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
        options: dict[str, Any] = {"fused": True} if kind == "adamw fused" else {"amsgrad": True}
        return model, torch.optim.AdamW(model.parameters(), lr=0.1, **options)

    torch.manual_seed(0)
    model, optimizer = make()
    steps(model, optimizer, 3)
    files = through_files(*optimizer_state(optimizer))
    weights = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    torch.manual_seed(1)
    steps(model, optimizer, 3)

    again, second = make()
    again.load_state_dict(weights)
    restore_optimizer(second, *files)
    torch.manual_seed(1)
    steps(again, second, 3)
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, again.state_dict()[name])


def test_another_models_state_is_refused() -> None:
    model, other = torch.nn.Linear(5, 3), torch.nn.Linear(4, 3)
    optimizer = torch.optim.AdamW(model.parameters())
    steps(model, optimizer, 1)
    files = optimizer_state(optimizer)
    with pytest.raises(CheckpointError, match="shape"):
        restore_optimizer(torch.optim.AdamW(other.parameters()), *files)
    with pytest.raises(CheckpointError, match="parameter 1"):
        restore_optimizer(torch.optim.AdamW([model.weight]), *files)


def test_states_of_8bit_optimizers_go_through_files() -> None:
    """The shape that bitsandbytes keeps: bytes, quantisation maps shared by all parameters, counts as numbers."""
    shared = torch.linspace(-1, 1, 256)
    quantised = {"state1": torch.randint(0, 255, (9, 4), dtype=torch.uint8), "qmap1": shared, "absmax1": torch.rand(3)}
    state = {0: {"step": 3, "__bnb_optimizer_quant_state__": quantised}, 1: {"step": 3, "state1": torch.rand(4)}}
    tensors, rest = flatten(state, "optimizer")
    copied = {name: tensor.clone() for name, tensor in tensors.items()}
    back = unflatten(*through_files(copied, rest))
    assert back[0]["step"] == 3
    for name, tensor in quantised.items():
        held = back[0]["__bnb_optimizer_quant_state__"][name]
        assert held.dtype == tensor.dtype
        assert torch.equal(held, tensor)


def draw() -> tuple[float, float, float, float]:
    return random.random(), random.gauss(0, 1), float(np.random.standard_normal()), torch.rand(1).item()  # noqa: NPY002


def test_generators_go_on_where_they_were() -> None:
    draw()
    files = through_files(*rng_state())
    expected = [draw() for _ in range(3)]
    draw()
    restore_rng(*files)
    assert [draw() for _ in range(3)] == expected


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_generators_go_on_where_they_were() -> None:
    device = torch.device("cuda", 0)
    files = through_files(*rng_state(device))
    expected = torch.rand(5, device=device)
    restore_rng(*files, device)
    assert torch.equal(torch.rand(5, device=device), expected)
