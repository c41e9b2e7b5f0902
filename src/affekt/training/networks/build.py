"""From an encoder's name and a recipe to a model on a device and the engine that will run its steps."""

import contextlib
from collections.abc import Iterator, Sequence
from logging import getLogger
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer, PreTrainedModel
from transformers.utils import logging

from affekt.errors import TrainingError
from affekt.training.batching.batches import TokenIds
from affekt.training.networks.lora import add_adapters
from affekt.training.networks.pooling import add_mean_pooling_layer
from affekt.training.networks.thinning import drop_layers, shrink_feed_forward
from affekt.training.recipe import Recipe

DROPOUT_NAMES = (
    "hidden_dropout_prob", "attention_probs_dropout_prob", "classifier_dropout", "dropout", "attention_dropout",
    "seq_classif_dropout", "embedding_dropout", "mlp_dropout",
)  # fmt: skip


def pick_device(device: str = "auto") -> torch.device:
    """``cuda`` where there is one, else ``cpu``, unless one is named."""
    if device != "auto":
        return torch.device(device)
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def load_tokenizer(encoder: str) -> Any:
    """The encoder's fast tokenizer.

    Raises:
        TrainingError: if it cannot be reached; says how to work offline.
    """
    try:
        with quiet():
            return AutoTokenizer.from_pretrained(encoder)
    except (OSError, ValueError) as error:
        raise _unreachable(encoder, error) from error


def load_classifier(
    encoder: str,
    labels: tuple[str, ...],
    *,
    seed: int,
    dropout: float | None = None,
    weights: bool = True,
    pooling: str = "first",
    without: Sequence[int] = (),
) -> PreTrainedModel:
    """A stock sequence classifier on the encoder, in float32 on the CPU.

    Its head is drawn from ``seed``, unless the encoder is a classifier for the same labels: that one goes on learning.

    Args:
        encoder: a local folder or a Hub id.
        labels: label names in the order of the logits.
        seed: of the new head.
        dropout: replaces the configuration's dropout probabilities.
        weights: False makes a model of the encoder's shape with random weights.
        pooling: ``mean`` adds a layer that starts as the mean over the tokens.
        without: numbers of layers to leave out.

    Raises:
        TrainingError: if the encoder cannot be reached or read.
        SettingError: for layers that it does not have.
    """
    try:
        with quiet():
            config = AutoConfig.from_pretrained(encoder)
        known = tuple(config.id2label.values())
        config.id2label = dict(enumerate(labels))
        config.label2id = {label: i for i, label in enumerate(labels)}
        config.problem_type = "multi_label_classification"
        if dropout is not None:
            for name in DROPOUT_NAMES:
                if hasattr(config, name):
                    setattr(config, name, dropout)
        torch.manual_seed(seed)
        if not weights:
            model: PreTrainedModel = AutoModelForSequenceClassification.from_config(config).float()
        else:
            model = _pretrained(encoder, config, known)
    except (OSError, ValueError) as error:
        raise _unreachable(encoder, error) from error
    if without:
        drop_layers(model, without)
    if pooling == "mean":
        add_mean_pooling_layer(model)
    return model


def adapt(model: PreTrainedModel, recipe: Recipe, token_ids: TokenIds) -> None:
    """Make a model smaller and give it adapters, as a recipe says, in place.

    Args:
        model: as :func:`load_classifier` made it.
        recipe: the run's.
        token_ids: of texts that a smaller encoder is fitted on.

    Raises:
        SettingError: for what the encoder's architecture does not allow.
    """
    if recipe.feed_forward is not None:
        shrink_feed_forward(model, recipe.feed_forward, token_ids)
    if recipe.lora_rank:
        add_adapters(model, rank=recipe.lora_rank, alpha=recipe.lora_alpha, dropout=recipe.lora_dropout)


def _pretrained(encoder: str, config: Any, known: Sequence[str]) -> PreTrainedModel:
    """The encoder's weights, with the head that lies beside them if it is one for the same labels.

    Args:
        encoder: a local folder or a Hub id.
        config: its configuration, with the labels that are wanted.
        known: the labels that it had.
    """
    with quiet():
        model, report = AutoModelForSequenceClassification.from_pretrained(
            encoder, config=config, dtype=torch.float32, ignore_mismatched_sizes=True, output_loading_info=True
        )
    prefix = f"{model.base_model_prefix}."
    odd = sorted(str(key[0]) for key in report["mismatched_keys"] if str(key[0]).startswith(prefix))
    absent = [key for key in report["missing_keys"] if key.startswith(prefix) and ".pooler." not in key]
    if odd or absent:
        raise ValueError(f"its weights do not fit its configuration, '{(odd or absent)[0]}' for one.")
    found: PreTrainedModel = model
    kinds = config.architectures or ()
    if any(kind.endswith("ForSequenceClassification") for kind in kinds) and list(known) != [*config.id2label.values()]:
        drawn = AutoModelForSequenceClassification.from_config(config).state_dict()
        head = {name: value for name, value in drawn.items() if not name.startswith(prefix)}
        found.load_state_dict(head, strict=False)
    return found


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Without the reports and progress bars of transformers and the Hub."""
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    hub = getLogger("huggingface_hub")
    hub_level = hub.level
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    hub.setLevel("ERROR")
    try:
        yield
    finally:
        hub.setLevel(hub_level)
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()


def _unreachable(encoder: str, error: Exception) -> TrainingError:
    if Path(encoder).exists():
        return TrainingError(f"The encoder '{encoder}' cannot be read: {str(error).splitlines()[0]}")
    return TrainingError(
        f"The encoder '{encoder}' is neither a folder here nor reachable on the Hugging Face Hub.",
        hint="To work offline, download it where there is a network and pass the folder with --encoder.",
    )
