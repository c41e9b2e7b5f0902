"""Correlation terms and R-Drop against sums over pairs written out."""

import math

import pytest
import torch
from torch.distributions import Bernoulli, kl_divergence

from affekt.training.losses.loss_terms import GlobalCorrelation, LocalCorrelation, r_drop

torch.set_num_threads(1)


def batch(seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    logits = 2 * torch.randn(5, 4, generator=generator, dtype=torch.float64)
    return logits, (torch.rand(5, 4, generator=generator) < 0.5).double()


def test_local_is_the_mean_over_pairs() -> None:
    logits, targets = batch()
    targets[0], targets[1] = 0.0, 1.0
    values = LocalCorrelation()(logits, targets, torch.ones_like(targets, dtype=torch.bool))
    for text in range(5):
        scores, truth = torch.sigmoid(logits[text]).tolist(), targets[text].tolist()
        pairs = [
            math.exp(n - p) for n, no in zip(scores, truth, strict=True) if not no
            for p, yes in zip(scores, truth, strict=True) if yes
        ]  # fmt: skip
        assert values[text].item() == pytest.approx(sum(pairs) / len(pairs) if pairs else 0.0, abs=1e-9)


def test_global_is_the_weighted_mean_over_pairs() -> None:
    logits, targets = batch()
    known = torch.rand(targets.shape, generator=torch.Generator().manual_seed(4)) < 0.8
    r = torch.tensor([[0, 0.5, -0.2, 0], [0.5, 0, 0.1, -0.6], [-0.2, 0.1, 0, 0.3], [0, -0.6, 0.3, 0]]).double()
    values = GlobalCorrelation(r)(logits, known)
    for text in range(5):
        s, total = torch.sigmoid(logits[text]).tolist(), 0.0
        for i in range(4):
            for j in range(4):
                if known[text, i] and known[text, j]:
                    weight = r[i, j].item()
                    total += weight * (s[i] - s[j]) ** 2 if weight > 0 else -weight * s[i] * s[j]
        assert values[text].item() == pytest.approx(total / r.abs().sum().item(), abs=1e-12)


def test_global_of_uncorrelated_labels_is_zero() -> None:
    logits, targets = batch()
    assert (GlobalCorrelation(torch.zeros(4, 4))(logits, torch.ones_like(targets, dtype=torch.bool)) == 0).all()


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_r_drop_is_the_symmetric_divergence(reduction: str) -> None:
    first, second = batch(0)[0], batch(1)[0]
    p, q = Bernoulli(logits=first), Bernoulli(logits=second)
    expected = 0.5 * (kl_divergence(p, q) + kl_divergence(q, p))
    torch.testing.assert_close(r_drop(first, second, reduction), getattr(expected, reduction)(-1))  # type: ignore[arg-type]


def test_r_drop_is_symmetric_zero_for_equals_and_finite() -> None:
    first, second = batch(0)[0], batch(1)[0]
    torch.testing.assert_close(r_drop(first, second), r_drop(second, first))
    assert (r_drop(first, first) == 0).all()
    wide = torch.full((1, 2), 1e4, requires_grad=True)
    value = r_drop(wide, -wide.detach())
    value.sum().backward()
    assert torch.isfinite(value).all()
    assert wide.grad is not None
    assert torch.isfinite(wide.grad).all()
