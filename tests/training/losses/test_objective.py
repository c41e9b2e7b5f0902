"""What a step minimises: sums over texts, with R-Drop in the loss's own reduction, correlations or not."""

import numpy as np
import pytest
import torch
from tiny_models import LABELS, targets, texts, tiny

from affekt.training.batching.batches import Layout, MicroBatch
from affekt.training.losses.label_counts import LabelCounts
from affekt.training.losses.loss_terms import r_drop
from affekt.training.losses.losses import make_loss
from affekt.training.losses.objective import Classifier, Objective

TARGETS = targets(6)


def batch(weights: torch.Tensor | None = None) -> MicroBatch:
    tokens = Layout("dynamic", 32, 0).tokens(texts(6))
    return MicroBatch(tokens, torch.from_numpy(TARGETS), torch.ones(6) if weights is None else weights)


class Noisy(torch.nn.Module):
    """Gives other logits at every call."""

    def __init__(self) -> None:
        super().__init__()
        self.given: list[torch.Tensor] = []

    def forward(self, _tokens: object) -> torch.Tensor:
        self.given.append(torch.randn(6, LABELS))
        return self.given[-1]


def test_it_is_the_weighted_sum_over_texts() -> None:
    model, loss = Noisy(), make_loss("bce")
    weights = torch.linspace(0.0, 2.0, 6)
    total = Objective(loss)(model, batch(weights))
    assert torch.allclose(total, (loss(model.given[0], torch.from_numpy(TARGETS)) * weights).sum())


@pytest.mark.parametrize("correlation", [0.0, 0.5])
@pytest.mark.parametrize(("reduction", "name"), [("mean", "bce"), ("sum", "asymmetric")])
def test_r_drop_reduces_labels_as_the_loss_does(reduction: str, name: str, correlation: float) -> None:
    counts = LabelCounts.of(TARGETS)
    loss = make_loss(
        name, counts=counts, reduction=reduction, local_correlation=correlation, global_correlation=correlation
    )
    model = Noisy()
    total = Objective(loss, 2.0)(model, batch())
    first, second = model.given
    gold = torch.from_numpy(TARGETS)
    expected = 0.5 * (loss(first, gold) + loss(second, gold)) + 2.0 * r_drop(first, second, reduction)  # type: ignore[arg-type]
    assert torch.allclose(total, expected.sum())


def test_a_loss_over_whole_texts_takes_the_mean() -> None:
    model = Noisy()
    total = Objective(make_loss("zlpr"), 1.0)(model, batch())
    assert torch.isfinite(total)


def test_unknown_targets_cost_nothing() -> None:
    model = tiny("bert", dropout=0.0)
    holes = torch.from_numpy(TARGETS.copy())
    holes[:, 0] = torch.nan
    given = batch()
    Objective(make_loss("bce"))(Classifier(model), MicroBatch(given.tokens, holes, given.weights)).backward()
    bias = model.classifier.bias.grad
    assert bias is not None
    assert bias[0] == 0
    assert (bias[1:] != 0).all()
    assert np.isfinite(bias.numpy()).all()
