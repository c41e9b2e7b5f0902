"""What a step minimises: the loss of a micro-batch, from tokens to one number, for every layout and precision."""

from typing import Literal

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from affekt.training.batching.batches import MicroBatch, Tokens
from affekt.training.batching.packing import PackedTokens, packed_logits
from affekt.training.losses.loss_terms import r_drop
from affekt.training.losses.losses import Loss, WithCorrelations


class Classifier(nn.Module):
    """A stock sequence classifier that takes packed or padded tokens and gives logits.

    Wrapping it keeps DDP and FSDP, which hook into ``forward``, unaware of packing.
    """

    def __init__(self, model: PreTrainedModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, tokens: Tokens) -> Tensor:
        """Logits (texts, labels)."""
        if isinstance(tokens, PackedTokens):
            return packed_logits(self.model, tokens)
        logits: Tensor = self.model(input_ids=tokens.input_ids, attention_mask=tokens.attention_mask).logits
        return logits


class Objective(nn.Module):
    """Weighted sum of a micro-batch's losses; dividing by the global batch's weight is the caller's.

    Args:
        loss: one value per text.
        r_drop_weight: of the consistency between two dropout passes; 0 runs one pass.
    """

    def __init__(self, loss: Loss, r_drop_weight: float = 0.0) -> None:
        super().__init__()
        self.loss = loss
        self.r_drop_weight = r_drop_weight

    def forward(self, classifier: nn.Module, batch: MicroBatch) -> Tensor:
        """The sum over the texts, a scalar."""
        logits = _wide(classifier(batch.tokens))
        losses = self.loss(logits, batch.targets)
        if self.r_drop_weight:
            again = _wide(classifier(batch.tokens))
            losses = 0.5 * (losses + self.loss(again, batch.targets))
            losses = losses + self.r_drop_weight * r_drop(logits, again, _reduction(self.loss))
        total: Tensor = (losses * batch.weights).sum()
        return total


def _reduction(loss: Loss) -> Literal["mean", "sum"]:
    """How the loss itself, inside of its correlation terms if it has any, takes its labels together."""
    inner = loss.loss if isinstance(loss, WithCorrelations) else loss
    return "sum" if getattr(inner, "reduction", "mean") == "sum" else "mean"


def _wide(logits: Tensor) -> Tensor:
    return logits.to(torch.promote_types(logits.dtype, torch.float32))
