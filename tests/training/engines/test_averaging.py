"""Averages of weights against their formulas, kept apart from the weights themselves."""

import pytest
import torch

from affekt.errors import CheckpointError
from affekt.training.engines.averaging import WeightAverage

torch.set_num_threads(1)


def model() -> torch.nn.Linear:
    torch.manual_seed(0)
    return torch.nn.Linear(3, 2)


def walk(layer: torch.nn.Module, average: WeightAverage, steps: int, seed: int = 1) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    visited = []
    for _ in range(steps):
        with torch.no_grad():
            for parameter in layer.parameters():
                parameter.add_(torch.randn(parameter.shape, generator=generator))
        average.update()
        visited.append(next(layer.parameters()).detach().clone())
    return visited


def test_decay_one_is_the_plain_mean() -> None:
    layer = model()
    average = WeightAverage(layer, decay=1.0)
    visited = walk(layer, average, 7)
    with average.applied():
        torch.testing.assert_close(layer.weight.detach(), torch.stack(visited).mean(0))


def test_starts_where_it_is_told() -> None:
    layer = model()
    average = WeightAverage(layer, decay=1.0, start=4)
    visited = walk(layer, average, 7)
    with average.applied():
        torch.testing.assert_close(layer.weight.detach(), torch.stack(visited[4:]).mean(0))


def test_becomes_exponential() -> None:
    layer = model()
    average = WeightAverage(layer, decay=0.8)
    expected = torch.zeros(2, 3)
    for n, weight in enumerate(walk(layer, average, 20), start=1):
        expected += max(1 - 0.8, 1 / n) * (weight - expected)
    with average.applied():
        torch.testing.assert_close(layer.weight.detach(), expected)


def test_the_weights_come_back_bit_by_bit_in_the_same_memory() -> None:
    layer = model()
    average = WeightAverage(layer, decay=0.9)
    walk(layer, average, 3)
    before, place = layer.weight.detach().clone(), layer.weight.data_ptr()
    with pytest.raises(RuntimeError, match="on purpose"), average.applied():  # noqa: PT012
        assert not torch.equal(layer.weight, before)
        raise RuntimeError("on purpose")
    assert torch.equal(layer.weight, before)
    assert layer.weight.data_ptr() == place


def test_going_on_equals_never_having_stopped() -> None:
    whole, halves = model(), model()
    never, first = WeightAverage(whole, decay=0.9), WeightAverage(halves, decay=0.9)
    walk(whole, never, 4)
    walk(halves, first, 4)
    second = WeightAverage(halves, decay=0.9)
    second.load_state_dict({name: tensor.clone() for name, tensor in first.state_dict().items()})
    walk(whole, never, 4, seed=2)
    walk(halves, second, 4, seed=2)
    for name, tensor in never.state_dict().items():
        assert torch.equal(tensor, second.state_dict()[name])


def test_frozen_parameters_are_left_alone_and_narrow_ones_averaged_in_float32() -> None:
    layer = model().to(torch.bfloat16)
    layer.bias.requires_grad_(requires_grad=False)
    state = WeightAverage(layer, decay=0.9).state_dict()
    assert set(state) == {"count", "average.weight"}
    assert state["average.weight"].dtype == torch.float32


def test_another_models_average_is_refused() -> None:
    with pytest.raises(CheckpointError, match=r"average\.bias"):
        WeightAverage(model(), decay=0.9).load_state_dict({"count": torch.zeros(())})
