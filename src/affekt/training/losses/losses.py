"""Multi-label losses, one value per text, so that any grouping of texts into micro-batches can be summed exactly.

Every loss is a module called as ``loss(logits, targets, weights)``:

- logits: (batch, labels), any float type; computed in float32 at least.
- targets: (batch, labels) in [0, 1], soft or hard; NaN where a label is unknown.
- weights: (batch,) or None, multiplied into the texts' losses.
- returns: (batch,), one loss per text. The caller divides the sum by the number of texts in the global batch.

Nothing here depends on the values of a tensor in Python: no synchronisation, no data-dependent shape, so that a step
can be captured in a CUDA graph.
"""

import inspect
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, logsigmoid

from affekt.errors import SettingError
from affekt.training.losses.label_counts import LabelCounts
from affekt.training.losses.loss_terms import GlobalCorrelation, LocalCorrelation

Reduction = Literal["mean", "sum"]


def _require(condition: bool, parameter: str, allowed: str, got: object) -> None:
    if not condition:
        raise SettingError(f"The loss's '{parameter}' must be {allowed}, got {got!r}.")


class Loss(nn.Module, ABC):
    """What every loss shares: float32, unknown labels, label smoothing and weights per text.

    Args:
        smoothing: every target y becomes ``y (1 - smoothing) + smoothing / 2`` (Szegedy et al. 2016, for two
            classes).
    """

    linear_in_targets: ClassVar[bool] = True
    """Whether the loss of a soft target is the expectation of the losses of the hard ones."""

    def __init__(self, *, smoothing: float = 0.0) -> None:
        super().__init__()
        _require(0.0 <= smoothing < 1.0, "smoothing", "in [0, 1)", smoothing)
        self.smoothing = smoothing

    def forward(self, logits: Tensor, targets: Tensor, weights: Tensor | None = None) -> Tensor:
        """The losses of the texts, (batch,)."""
        logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
        known = ~torch.isnan(targets)
        targets = torch.where(known, targets, 0.0).to(logits.dtype)
        if self.smoothing:
            targets = targets * (1.0 - self.smoothing) + 0.5 * self.smoothing
        losses = self.text_losses(logits, targets, known)
        return losses if weights is None else losses * weights.to(losses.dtype)

    @abstractmethod
    def text_losses(self, logits: Tensor, targets: Tensor, known: Tensor) -> Tensor:
        """Losses (batch,) of finite ``targets``; only where ``known`` (batch, labels) bool do they count."""


class ElementLoss(Loss):
    """A loss that is a mean or a sum over the labels.

    Args:
        reduction: ``mean`` or ``sum`` over a text's labels.
        rescale: with unknown labels, ``True`` takes the mean over the known ones (and the sum as that mean times the
            number of labels); ``False`` counts an unknown label as a loss of zero.
        smoothing: see :class:`Loss`.
    """

    def __init__(self, *, reduction: Reduction = "mean", rescale: bool = True, smoothing: float = 0.0) -> None:
        super().__init__(smoothing=smoothing)
        _require(reduction in ("mean", "sum"), "reduction", "'mean' or 'sum'", reduction)
        self.reduction, self.rescale = reduction, rescale

    def text_losses(self, logits: Tensor, targets: Tensor, known: Tensor) -> Tensor:
        """Mean or sum over the known labels."""
        total = torch.where(known, self.elements(logits, targets), 0.0).sum(-1)
        labels = logits.shape[-1]
        mean = total / (known.sum(-1).clamp(min=1) if self.rescale else labels)
        return mean if self.reduction == "mean" else mean * labels

    @abstractmethod
    def elements(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Losses (batch, labels) of the single labels."""


class BinaryCrossEntropy(ElementLoss):
    """Binary cross-entropy, optionally with more weight on positives of rare labels.

    Args:
        pos_weight: (labels,) factors of the positives' losses.
        pos_weight_cap: derive ``pos_weight`` from the training set as negatives / positives, within [1, cap].
        counts: of the training set, needed by ``pos_weight_cap``.
        reduction: see :class:`ElementLoss`.
        rescale: see :class:`ElementLoss`.
        smoothing: see :class:`Loss`.
    """

    pos_weight: Tensor | None

    def __init__(
        self,
        *,
        pos_weight: Sequence[float] | Tensor | None = None,
        pos_weight_cap: float | None = None,
        counts: LabelCounts | None = None,
        reduction: Reduction = "mean",
        rescale: bool = True,
        smoothing: float = 0.0,
    ) -> None:
        super().__init__(reduction=reduction, rescale=rescale, smoothing=smoothing)
        if pos_weight_cap is not None:
            if pos_weight is not None or counts is None:
                raise SettingError("'pos_weight_cap' needs the training set's label counts and excludes 'pos_weight'.")
            pos_weight = torch.from_numpy(counts.positive_weights(pos_weight_cap))
        weight = None if pos_weight is None else torch.as_tensor(pos_weight, dtype=torch.float32)
        self.register_buffer("pos_weight", weight)

    def elements(self, logits: Tensor, targets: Tensor) -> Tensor:
        """``-(w y log p + (1 - y) log(1 - p))``."""
        weight = None if self.pos_weight is None else self.pos_weight.to(logits.dtype)
        return binary_cross_entropy_with_logits(logits, targets, reduction="none", pos_weight=weight)


class Focal(ElementLoss):
    """Focal loss (Lin et al. 2017): cross-entropy that fades where the model is already right.

    For a positive ``-a (1 - p)^gamma log p``, for a negative ``-b p^gamma log(1 - p)``; soft targets interpolate the
    two. With ``alpha = 0.25`` a score of 0.5 is the optimum only where the true probability is 0.75: scores come out
    low, so a fixed threshold of 0.5 costs recall and calibration is needed.

    Args:
        alpha: the positives' weight in [0, 1]; None weights all by 1.
        gamma: how fast easy labels fade, at least 0; 0 is weighted cross-entropy.
        alpha_form: ``balanced`` is the paper's (a = alpha, b = 1 - alpha; torchvision's ``sigmoid_focal_loss``);
            ``constant`` is the widespread shortcut ``alpha * (1 - exp(-bce))**gamma * bce`` (a = b = alpha), a mere
            change of scale.
        reduction: see :class:`ElementLoss`.
        rescale: see :class:`ElementLoss`.
        smoothing: see :class:`Loss`.
    """

    def __init__(
        self,
        *,
        alpha: float | None = 0.25,
        gamma: float = 2.0,
        alpha_form: Literal["balanced", "constant"] = "balanced",
        reduction: Reduction = "mean",
        rescale: bool = True,
        smoothing: float = 0.0,
    ) -> None:
        super().__init__(reduction=reduction, rescale=rescale, smoothing=smoothing)
        _require(alpha is None or 0.0 <= alpha <= 1.0, "alpha", "None or in [0, 1]", alpha)
        _require(gamma >= 0.0, "gamma", "at least 0", gamma)
        _require(alpha_form in ("balanced", "constant"), "alpha_form", "'balanced' or 'constant'", alpha_form)
        self.gamma = gamma
        self.positive = 1.0 if alpha is None else alpha
        self.negative = 1.0 - alpha if alpha is not None and alpha_form == "balanced" else self.positive

    def elements(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Interpolated between the positive and the negative form."""
        log_p, log_q = logsigmoid(logits), logsigmoid(-logits)
        positive = -self.positive * torch.exp(self.gamma * log_q) * log_p
        negative = -self.negative * torch.exp(self.gamma * log_p) * log_q
        return targets * positive + (1.0 - targets) * negative


class Asymmetric(ElementLoss):
    """Asymmetric loss (Ridnik et al. 2021): easy negatives fade fast and, below ``clip``, vanish.

    For a positive ``-(1 - p)^gamma_pos log p``; for a negative ``-m^gamma_neg log(1 - m)`` with ``m = max(p - clip,
    0)``; soft targets interpolate the two. The paper's code sums over labels, and so does the default; the gradient
    flows through the focusing weights, its default too.

    Args:
        gamma_neg: how fast easy negatives fade, at least 0.
        gamma_pos: how fast easy positives fade, at least 0.
        clip: the margin in [0, 1) below which a negative's score costs nothing.
        reduction: see :class:`ElementLoss`.
        rescale: see :class:`ElementLoss`.
        smoothing: see :class:`Loss`.
    """

    def __init__(
        self,
        *,
        gamma_neg: float = 4.0,
        gamma_pos: float = 0.0,
        clip: float = 0.05,
        reduction: Reduction = "sum",
        rescale: bool = True,
        smoothing: float = 0.0,
    ) -> None:
        super().__init__(reduction=reduction, rescale=rescale, smoothing=smoothing)
        _require(gamma_neg >= 0.0, "gamma_neg", "at least 0", gamma_neg)
        _require(gamma_pos >= 0.0, "gamma_pos", "at least 0", gamma_pos)
        _require(0.0 <= clip < 1.0, "clip", "in [0, 1)", clip)
        self.gamma_neg, self.gamma_pos, self.clip = gamma_neg, gamma_pos, clip

    def elements(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Interpolated between the positive and the negative form."""
        log_p, log_q = logsigmoid(logits), logsigmoid(-logits)
        positive = -torch.exp(self.gamma_pos * log_q) * log_p
        return targets * positive + (1.0 - targets) * self._negative(log_p, log_q)

    def _negative(self, log_p: Tensor, log_q: Tensor) -> Tensor:
        if not self.clip:
            return -torch.exp(self.gamma_neg * log_p) * log_q
        shifted = (torch.exp(log_p) - self.clip).clamp(min=0.0)
        base = shifted.clamp(min=torch.finfo(shifted.dtype).tiny) if self.gamma_neg < 1.0 else shifted
        return -(base**self.gamma_neg) * torch.log1p(-shifted)


class RankingAroundZero(Loss):
    """ZLPR (Su et al. 2022): positives are pushed above zero and negatives below it, together, per text.

    ``log(1 + sum_neg exp(s)) + log(1 + sum_pos exp(-s))``; soft targets weight the terms of both sums.
    """

    linear_in_targets = False

    def text_losses(self, logits: Tensor, targets: Tensor, known: Tensor) -> Tensor:
        """The two log-sums over the known labels."""
        zero = torch.zeros_like(logits[..., :1])
        negatives = torch.cat([zero, logits + torch.where(known, 1.0 - targets, 0.0).log()], -1)
        positives = torch.cat([zero, -logits + torch.where(known, targets, 0.0).log()], -1)
        return torch.logsumexp(negatives, -1) + torch.logsumexp(positives, -1)


class WithCorrelations(Loss):
    """A loss plus weighted correlation terms: of a text's labels (local) and of the training set's (global).

    Args:
        loss: the loss to add to.
        local: weight of :class:`LocalCorrelation`; 0 leaves it out.
        global_term: the :class:`GlobalCorrelation`, if any.
        global_weight: its weight.
    """

    def __init__(
        self,
        loss: Loss,
        *,
        local: float = 0.0,
        global_term: GlobalCorrelation | None = None,
        global_weight: float = 0.0,
    ) -> None:
        super().__init__(smoothing=0.0)
        _require(local >= 0.0, "local", "at least 0", local)
        _require(global_weight >= 0.0, "global_weight", "at least 0", global_weight)
        self.loss, self.local, self.global_weight = loss, local, global_weight
        self.local_term = LocalCorrelation() if local else None
        self.global_term = global_term

    def text_losses(self, logits: Tensor, targets: Tensor, known: Tensor) -> Tensor:
        """The sum of the loss and its terms."""
        total: Tensor = self.loss(logits, torch.where(known, targets, torch.nan))
        if self.local_term is not None:
            total = total + self.local * self.local_term(logits, targets, known)
        if self.global_term is not None:
            total = total + self.global_weight * self.global_term(logits, known)
        return total


LOSSES: dict[str, type[Loss]] = {
    "bce": BinaryCrossEntropy,
    "focal": Focal,
    "asymmetric": Asymmetric,
    "zlpr": RankingAroundZero,
}
"""Every loss by the name a recipe gives it."""


def make_loss(
    name: str,
    *,
    counts: LabelCounts | None = None,
    local_correlation: float = 0.0,
    global_correlation: float = 0.0,
    **options: object,
) -> Loss:
    """The loss called ``name``.

    Args:
        name: a key of :data:`LOSSES`.
        counts: label counts of the training set; needed by ``pos_weight_cap`` and ``global_correlation``.
        local_correlation: weight of :class:`LocalCorrelation`, at least 0.
        global_correlation: weight of :class:`GlobalCorrelation`, at least 0.
        options: that loss's own settings.

    Raises:
        SettingError: an unknown name or option, or a value outside its range.

    Example:
        >>> loss = make_loss("asymmetric", gamma_neg=4.0)
        >>> loss(torch.zeros(2, 3), torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.0, 0.5]])).shape
        torch.Size([2])
    """
    if name not in LOSSES:
        raise SettingError(f"There is no loss '{name}'.", hint=f"Choose one of: {', '.join(LOSSES)}.")
    allowed = set(inspect.signature(LOSSES[name]).parameters)
    if unknown := sorted(set(options) - (allowed - {"counts"})):
        known = ", ".join(sorted(allowed - {"counts"}))
        raise SettingError(f"The loss '{name}' has no option '{unknown[0]}'.", hint=f"It has: {known}.")
    loss = LOSSES[name](**(options | ({"counts": counts} if "counts" in allowed else {})))  # type: ignore[arg-type]
    if not local_correlation and not global_correlation:
        return loss
    if global_correlation and counts is None:
        raise SettingError("'global_correlation' needs the training set's label counts.")
    term = GlobalCorrelation(torch.from_numpy(counts.correlation())) if global_correlation and counts else None
    return WithCorrelations(loss, local=local_correlation, global_term=term, global_weight=global_correlation)
