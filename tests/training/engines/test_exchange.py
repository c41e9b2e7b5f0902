"""Gradients that are added up while the backward pass runs are those that are added up afterwards."""

from typing import Any

import pytest
import torch
from torch import distributed

from affekt.training.engines.exchange import Exchange
from affekt.training.engines.flat import FlatWeights


class Model(torch.nn.Module):
    """Three layers, and a parameter that takes no part."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layers = torch.nn.Sequential(*(torch.nn.Linear(6, 6) for _ in range(3)))
        self.idle = torch.nn.Parameter(torch.ones(5))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layers(x)


class Doubling:
    """Stands for another process with the same gradients; remembers what was sent, and when."""

    def __init__(self) -> None:
        self.sent: list[tuple[int, int]] = []
        self.waited = 0

    def all_reduce(self, tensor: torch.Tensor, async_op: bool = False) -> Any:
        tensor.mul_(2)
        if async_op:
            self.sent.append((tensor.data_ptr(), tensor.numel()))
        return self

    def wait(self) -> None:
        self.waited += 1


@pytest.fixture
def peer(monkeypatch: pytest.MonkeyPatch) -> Doubling:
    peer = Doubling()
    monkeypatch.setattr(distributed, "all_reduce", peer.all_reduce)
    return peer


def make(size: int) -> tuple[Model, FlatWeights, Exchange]:
    model = Model()
    groups = [
        {"params": [p for p in model.parameters() if p.ndim > 1], "lr": 1.0, "weight_decay": 0.1},
        {"params": [p for p in model.parameters() if p.ndim == 1], "lr": 1.0, "weight_decay": 0.0},
    ]
    flat = FlatWeights(model, groups, torch.float32)
    return model, flat, Exchange(flat, dict(model.named_parameters()), size)


@pytest.mark.parametrize("size", [1, 300, 10**6])
def test_every_gradient_is_sent_once(peer: Doubling, size: int) -> None:
    model, flat, exchange = make(size)
    covered = sorted((piece.grad.data_ptr(), piece.grad.numel()) for piece in exchange.pieces)
    assert sum(number for _, number in covered) == sum(group.grad.numel() for group in flat.groups)
    x = torch.randn(4, 6)
    model(x).square().sum().backward()
    alone = [group.grad.clone() for group in flat.groups]
    for _ in range(2):  # and again, as in a replayed step
        flat.zero_grad()
        peer.sent.clear()
        exchange.during(lambda: model(x).square().sum().backward())
        assert sorted(peer.sent) == covered
        for group, once in zip(flat.groups, alone, strict=True):
            torch.testing.assert_close(group.grad, 2 * once)
    assert peer.waited == 2 * len(exchange.pieces)


def test_pieces_leave_before_the_pass_ends(peer: Doubling) -> None:
    model, _, exchange = make(1)
    early: list[int] = []
    model.layers[0].weight.register_hook(lambda _: early.append(len(peer.sent)))
    exchange.during(lambda: model(torch.randn(2, 6)).sum().backward())
    assert early[0] >= 4  # weights and biases of the two layers above


def test_passes_that_are_not_the_last_send_nothing(peer: Doubling) -> None:
    model, _, _ = make(1)
    model(torch.randn(2, 6)).sum().backward()
    assert not peer.sent
