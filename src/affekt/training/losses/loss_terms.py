"""Terms added to a loss: label correlations, within a text and over the training set, and R-Drop."""

from typing import Literal

import torch
from torch import Tensor, nn


class LocalCorrelation(nn.Module):
    """SpanEmo's correlation loss (Alhuzali & Ananiadou 2021): positives score above their text's negatives.

    The mean of ``exp(s_n - s_p)`` over all pairs of a negative n and a positive p, with s the sigmoid of the logits.
    The mean of the products is the product of the means, so it costs no pairs. Soft targets weight a label as y
    positive and 1 - y negative; a text without positives or without negatives costs 0.
    """

    def forward(self, logits: Tensor, targets: Tensor, known: Tensor) -> Tensor:
        """Terms (batch,) of logits, finite targets and known, all (batch, labels)."""
        scores = torch.sigmoid(logits)
        return _mean(torch.exp(scores), 1.0 - targets, known) * _mean(torch.exp(-scores), targets, known)


def _mean(values: Tensor, weights: Tensor, known: Tensor) -> Tensor:
    weights = torch.where(known, weights, 0.0)
    return (values * weights).sum(-1) / weights.sum(-1).clamp(min=1e-6)


class GlobalCorrelation(nn.Module):
    """Scores should agree with how labels occur together in the training set.

    For every pair with correlation r in the training set: ``r (s_i - s_j)^2`` where r > 0 (labels that come together
    score alike), and ``-r s_i s_j`` where r < 0 (labels that exclude each other do not both score), averaged with
    weights abs(r). After the global regularizers of Chochlakis et al. 2023 ("Leveraging Label Correlations in a
    Multi-Label Setting"), simplified. It asks nothing of the targets; pairs with an unknown label are left out.

    Args:
        correlation: (labels, labels) in [-1, 1], symmetric, zero on the diagonal.
    """

    attract: Tensor
    repel: Tensor

    def __init__(self, correlation: Tensor) -> None:
        super().__init__()
        scale = correlation.abs().sum().clamp(min=1e-6)
        self.register_buffer("attract", correlation.clamp(min=0.0) / scale)
        self.register_buffer("repel", (-correlation).clamp(min=0.0) / scale)

    def forward(self, logits: Tensor, known: Tensor) -> Tensor:
        """Terms (batch,) of logits and known, (batch, labels)."""
        attract, repel = self.attract.to(logits.dtype), self.repel.to(logits.dtype)
        mask = known.to(logits.dtype)
        scores = torch.sigmoid(logits) * mask
        alike = 2.0 * ((scores * scores) @ attract * mask - scores @ attract * scores).sum(-1)
        return alike + (scores @ repel * scores).sum(-1)


def r_drop(first: Tensor, second: Tensor, reduction: Literal["mean", "sum"] = "mean") -> Tensor:
    """R-Drop's consistency (Liang et al. 2021) for independent labels: the mean of both Kullback-Leibler divergences.

    For Bernoulli distributions ``(KL(p|q) + KL(q|p)) / 2`` is ``(p - q)(logit p - logit q) / 2``, which is finite
    for any logits.

    Args:
        first: (batch, labels) logits of one pass with dropout.
        second: (batch, labels) logits of another pass over the same texts.
        reduction: over the labels; use the loss's own.

    Returns:
        (batch,) divergences, at least 0.
    """
    wide = torch.promote_types(first.dtype, torch.float32)
    first, second = first.to(wide), second.to(wide)
    elements = 0.5 * (torch.sigmoid(first) - torch.sigmoid(second)) * (first - second)
    return elements.mean(-1) if reduction == "mean" else elements.sum(-1)
