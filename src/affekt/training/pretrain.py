"""Task-adaptive pretraining (Gururangan et al. 2020): the encoder goes on guessing masked words, in the texts to come.

It needs no labels, so any texts of the same kind will do, and it runs in the same loop as training does: accumulation,
checkpoints and resuming are the same.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from transformers import AutoModelForMaskedLM, PreTrainedModel

from affekt.cleaning import CleaningOptions
from affekt.errors import DataError, SettingError, TrainingError
from affekt.files import atomic_folder
from affekt.training.batching.batches import Layout, MicroBatch, PaddedTokens, TokenIds
from affekt.training.batching.encode import tokenize
from affekt.training.batching.sampling import BatchPlan
from affekt.training.checkpoints.checkpoint import Checkpoints
from affekt.training.checkpoints.fingerprint import Fingerprint, tensors_digest
from affekt.training.checkpoints.keeping import DiskKeeper, final_weights
from affekt.training.engines.accelerators import make_accelerator
from affekt.training.engines.hardware import fit_to_device, longest
from affekt.training.engines.optimizers import parameter_groups
from affekt.training.engines.plain import PlainEngine
from affekt.training.engines.processes import Processes
from affekt.training.loop.loop import Loop, Rules
from affekt.training.loop.progress import Hook, Progress
from affekt.training.loop.schedules import Schedule
from affekt.training.networks.build import load_tokenizer, pick_device, quiet
from affekt.training.recipe import Recipe

IGNORED = -100


@dataclass(frozen=True)
class Masking:
    """Which tokens are to be guessed (Devlin et al. 2019).

    Attributes:
        share: of the tokens that are no special ones.
        mask_id: the tokenizer's.
        special: ids that are never chosen.
        vocabulary: number of ids.
    """

    share: float
    mask_id: int
    special: tuple[int, ...]
    vocabulary: int

    def apply(self, tokens: PaddedTokens) -> tuple[Tensor, Tensor]:
        """Input ids with 80 % of the chosen tokens masked and 10 % replaced, and the chosen ones alone (else -100)."""
        ids = tokens.input_ids
        ordinary = tokens.attention_mask.bool() & ~torch.isin(ids, torch.tensor(self.special, device=ids.device))
        drawn = torch.rand(ids.shape, device=ids.device)
        chosen = ordinary & (drawn < self.share)
        kind = torch.rand(ids.shape, device=ids.device)
        random = torch.randint(self.vocabulary, ids.shape, device=ids.device)
        inputs = torch.where(chosen & (kind < 0.8), self.mask_id, ids)
        inputs = torch.where(chosen & (kind >= 0.9), random, inputs)
        return inputs, torch.where(chosen, ids, IGNORED)


class MaskedObjective(nn.Module):
    """Sum over texts of each text's mean loss per chosen token.

    Args:
        masking: which tokens.
    """

    def __init__(self, masking: Masking) -> None:
        super().__init__()
        self.masking = masking

    def forward(self, classifier: Any, batch: MicroBatch) -> Tensor:
        """A scalar."""
        if not isinstance(batch.tokens, PaddedTokens):
            raise TrainingError("Masked words are learned in padded batches.", hint="Use batching=dynamic.")
        inputs, wanted = self.masking.apply(batch.tokens)
        logits = classifier.model(input_ids=inputs, attention_mask=batch.tokens.attention_mask).logits.float()
        losses = nn.functional.cross_entropy(logits.transpose(1, 2), wanted, ignore_index=IGNORED, reduction="none")
        per_text = losses.sum(-1) / (wanted != IGNORED).sum(-1).clamp(min=1)
        total: Tensor = (per_text * batch.weights).sum()
        return total


def pretrain(
    texts: Sequence[str],
    *,
    encoder: str | Path,
    out: str | Path,
    recipe: Recipe | None = None,
    share: float = 0.15,
    device: str = "auto",
    resume: bool = False,
    hooks: Sequence[Hook] = (),
) -> Path:
    """Let an encoder guess masked words of some texts, and write it to a folder that ``train`` takes as its encoder.

    Args:
        texts: any; duplicates count once.
        encoder: a local folder or a Hub id.
        out: the folder to write.
        recipe: of it epochs, batches, rates, precision, length, cleaning and seed are read.
        share: of the tokens that are to be guessed, in (0, 1).
        device: ``auto``, ``cpu`` or ``cuda``.
        resume: go on from the last checkpoint.
        hooks: told of everything.

    Returns:
        the folder.

    Raises:
        DataError: if there are no texts.
        SettingError: if a setting is outside its range, or something would be overwritten.
        TrainingError: if the encoder cannot be read.
    """
    target, different = Path(out), tuple(dict.fromkeys(texts))
    if not different:
        raise DataError("There are no texts to learn from.")
    if not 0.0 < share < 1.0:
        raise SettingError(f"The share of masked tokens must be between 0 and 1, got {share!r}.")
    if target.exists() and any(target.iterdir()):
        raise SettingError(f"'{target}' already exists.", hint="Give another --out.")
    chosen = fit_to_device((recipe or DEFAULT).replace(batching="dynamic"), pick_device(device))
    tokenizer, model = load_tokenizer(str(encoder)), _masked_model(str(encoder), chosen.seed)
    reads = longest(model)
    ids = tokenize(different, tokenizer, chosen.cleaning, min(chosen.max_length, reads or chosen.max_length))
    masking = _masking(tokenizer, model, share)
    weights = _run(model, masking, ids, chosen, target, pick_device(device), tokenizer.pad_token_id, resume, hooks)
    model.load_state_dict(weights, strict=False)
    with atomic_folder(target) as folder, quiet():
        model.cpu().save_pretrained(folder)
        tokenizer.save_pretrained(folder)
    Checkpoints(_checkpoints(target)).clear()
    return target


DEFAULT = Recipe(name="pretrain", epochs=5, lr=5e-5, warmup_ratio=0.06, batching="dynamic", cleaning=CleaningOptions())
"""Settings of a pretraining unless others are given."""


def _checkpoints(out: Path) -> Path:
    return out.with_name(f"{out.name}.run") / "checkpoints"


def _masked_model(encoder: str, seed: int) -> PreTrainedModel:
    """With a head drawn from the seed, where the encoder comes without one."""
    torch.manual_seed(seed)
    try:
        with quiet():
            model: PreTrainedModel = AutoModelForMaskedLM.from_pretrained(encoder, dtype=torch.float32)
    except (OSError, ValueError) as error:
        raise TrainingError(f"'{encoder}' cannot be read as a model of masked words: {error}.") from error
    return model


def _masking(tokenizer: Any, model: PreTrainedModel, share: float) -> Masking:
    if tokenizer.mask_token_id is None:
        raise TrainingError("This encoder's tokenizer has no mask token, so there is nothing to guess.")
    special = tuple(sorted(set(tokenizer.all_special_ids)))
    return Masking(share, int(tokenizer.mask_token_id), special, int(model.config.vocab_size))


def _run(
    model: PreTrainedModel,
    masking: Masking,
    ids: TokenIds,
    recipe: Recipe,
    out: Path,
    device: torch.device,
    pad_id: int,
    resume: bool,
    hooks: Sequence[Hook],
) -> dict[str, Tensor]:
    """The trained weights."""
    settings = recipe.model_dump(mode="json") | {"share": masking.share}
    digest = hashlib.sha256(b"".join(len(one).to_bytes(4, "little") + one.tobytes() for one in ids)).hexdigest()
    fingerprint = Fingerprint.of([digest], settings, tensors_digest(model.state_dict()))
    torch.manual_seed(recipe.seed + 1)
    groups = parameter_groups(model, lr=recipe.lr, weight_decay=recipe.weight_decay, layer_decay=recipe.layer_decay)
    nothing, ones = np.zeros((len(ids), 1), dtype=np.float32), np.ones(len(ids), dtype=np.float32)
    engine = PlainEngine(
        model, MaskedObjective(masking), groups, Layout("dynamic", recipe.max_length, pad_id), ids, nothing, ones,
        accelerator=make_accelerator(recipe.precision, device), size=recipe.micro_batch or recipe.batch_size,
        max_grad_norm=recipe.max_grad_norm, optimizer=recipe.optimizer, checkpointing=recipe.checkpointing,
    )  # fmt: skip
    keeper = DiskKeeper(Checkpoints(_checkpoints(out)), fingerprint, Processes(device=device))
    progress = Progress()
    if resume and (checkpoint := keeper.latest()) is not None:
        progress = keeper.restore(engine, checkpoint)
        if checkpoint.state["complete"]:
            return final_weights(checkpoint)
    plan = BatchPlan(len(ids), recipe.batch_size, recipe.seed)
    schedule = Schedule(recipe.schedule, plan.steps_per_epoch * recipe.epochs, recipe.warmup_ratio)
    rules = Rules(peak_lr=recipe.lr, nonfinite_limit=recipe.nonfinite_limit)
    progress = Loop(engine, plan, schedule, evaluate=None, keeper=keeper, rules=rules, hooks=hooks).run(progress)
    weights = keeper.best_weights(engine, progress)
    keeper.finish()
    return weights
