"""A smaller encoder out of a pretrained one: layers left out, and feed-forward parts with fewer neurons.

The neurons that stay are those whose output varies most, weighed by what it is multiplied with; the second map of the
feed-forward part is then fitted again by least squares, so that the smaller part says what the whole one said as far as
it can (after Hassibi and Stork 1993, and He, Zhang and Sun 2017 for channels). Layers are shrunk from the first to the
last, each seeing what the smaller ones before it say. The result is a stock model of another shape.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from affekt.batching import batches
from affekt.errors import SettingError
from affekt.training.batching.batches import TokenIds

SAMPLE = 1_024
"""Texts that the neurons are measured on."""

MOST_TOKENS = 65_536
"""About the most tokens of all of them: of long texts, fewer are taken."""

TOKENS = 4_096
"""Most tokens that go through the encoder at a time."""

RIDGE = 1e-3
"""Of the least squares, relative to the neurons' mean variance."""

LEAST = 1e-12
"""Of that variance, for neurons that say nothing."""


def drop_layers(model: PreTrainedModel, numbers: Sequence[int]) -> None:
    """Leave out layers of the encoder, in place.

    Args:
        model: a stock classifier whose base model has ``encoder.layer``.
        numbers: of the layers, from 0.

    Raises:
        SettingError: for other architectures, and for layers that it does not have or that would leave none.
    """
    layers = _layers(model, "drop_layers")
    last = len(layers) - 1
    if absent := sorted(set(numbers) - set(range(len(layers)))):
        raise SettingError(f"drop_layers={sorted(numbers)}: there is no layer {absent[0]}.", hint=f"0 to {last} are.")
    if len(set(numbers)) > last:
        raise SettingError(f"drop_layers={sorted(numbers)} leaves no layer.", hint="At least one must stay.")
    encoder: Any = model.base_model.encoder
    encoder.layer = nn.ModuleList(layer for n, layer in enumerate(layers) if n not in numbers)
    model.config.num_hidden_layers = len(layers) - len(set(numbers))


@torch.no_grad()
def shrink_feed_forward(model: PreTrainedModel, width: int, token_ids: TokenIds) -> None:
    """Keep the ``width`` most telling neurons of every layer's feed-forward part, in place.

    Args:
        model: a stock classifier whose base model has ``encoder.layer``.
        width: neurons that stay in each layer.
        token_ids: of texts to measure them on; at most :data:`SAMPLE` of them are taken, evenly spaced.

    Raises:
        SettingError: for other architectures, and for a width above the encoder's.
    """
    layers, now = _layers(model, "feed_forward"), model.config.intermediate_size
    chunks: Any = getattr(model.config, "chunk_size_feed_forward", 0)
    between: Any = getattr(model.base_model.encoder, "conv", None)
    if chunks or between is not None or not all(_is_plain(layer) for layer in layers):
        raise _unfit(model, "feed_forward")
    if width > now:
        raise SettingError(
            f"feed_forward={width} is above the {now} neurons that the encoder has.",
            hint="Leave feed_forward out, or give fewer.",
        )
    if width == now:
        return
    was_training = model.training
    try:
        model.eval()
        calls = [_caught(model, layers[0], ids) for ids in _batches(token_ids)]
        for layer in layers:
            _shrink(layer, _measured(layer, calls, now), width)
            calls = [call.after(layer) for call in calls]
    finally:
        model.train(was_training)
    model.config.intermediate_size = width


def _batches(token_ids: TokenIds) -> Iterator[Tensor]:
    """Some of the texts, those of one length together, so that nothing is padded: (texts, tokens) int64 each."""
    spaced = np.linspace(0, len(token_ids) - 1, min(len(token_ids), SAMPLE)).astype(int)
    ends = np.cumsum([len(token_ids[n]) for n in spaced])
    share = max(1, math.ceil(ends[-1] / MOST_TOKENS)) if len(ends) else 1
    sample = [token_ids[n] for n in spaced[::share]]
    for group in batches([len(ids) for ids in sample], TOKENS, equal=True):
        yield torch.from_numpy(np.stack([np.asarray(sample[n], dtype=np.int64) for n in group]))


@dataclass(frozen=True)
class _Call:
    """How a layer is called for one batch.

    Attributes:
        hidden: (texts, tokens, hidden), its first argument.
        further: the others.
        named: and those by name.
    """

    hidden: Tensor
    further: tuple[Any, ...]
    named: dict[str, Any]

    def after(self, layer: nn.Module) -> "_Call":
        """The call of the next layer."""
        said = layer(self.hidden, *self.further, **self.named)
        return _Call(said[0] if isinstance(said, tuple) else said, self.further, self.named)


class _CaughtError(Exception):
    """Ends a forward pass at the layer that was waited for."""


def _caught(model: PreTrainedModel, layer: nn.Module, ids: Tensor) -> _Call:
    """How the encoder calls a layer for a batch."""
    found: list[_Call] = []

    def catch(_: nn.Module, arguments: tuple[Any, ...], named: dict[str, Any]) -> None:
        rest = dict(named)
        hidden, *further = arguments or (rest.pop("hidden_states"),)
        found.append(_Call(hidden, tuple(further), rest))
        raise _CaughtError

    hook = layer.register_forward_pre_hook(catch, with_kwargs=True)
    try:
        model.base_model(ids, attention_mask=torch.ones_like(ids))
    except _CaughtError:
        pass
    finally:
        hook.remove()
    return found[0]


@dataclass(frozen=True)
class _Moments:
    """What some neurons say over all tokens: means (neurons,) and covariances (neurons, neurons), float64."""

    mean: Tensor
    covariance: Tensor


def _measured(layer: Any, calls: Sequence[_Call], neurons: int) -> _Moments:
    """The moments of a layer's neurons."""
    count, total = 0, torch.zeros(neurons, dtype=torch.float64)
    products = torch.zeros(neurons, neurons, dtype=torch.float64)

    def add(_: nn.Module, __: Any, states: Tensor) -> None:
        nonlocal count
        rows = states.reshape(-1, neurons)
        count += len(rows)
        total.add_(rows.sum(0))
        products.add_(rows.T @ rows)

    hook = layer.intermediate.register_forward_hook(add)
    try:
        for call in calls:
            call.after(layer)
    finally:
        hook.remove()
    mean = total / count
    return _Moments(mean, products / count - torch.outer(mean, mean))


def _shrink(layer: Any, said: _Moments, width: int) -> None:
    """Make a layer's two maps those of the ``width`` neurons that tell most."""
    up, down = layer.intermediate.dense, layer.output.dense
    variance, weight = said.covariance.diagonal(), down.weight.double()
    importance = variance * weight.pow(2).sum(0)
    kept = (importance if importance.any() else variance).topk(width).indices.sort().values
    inner = said.covariance[kept][:, kept]
    inner.diagonal().add_(RIDGE * inner.diagonal().mean().clamp(min=LEAST))
    fitted = torch.linalg.solve(inner, said.covariance[kept] @ weight.T).T
    bias = down.bias + weight @ said.mean - fitted @ said.mean[kept]
    layer.intermediate.dense = _linear(up.weight[kept], up.bias[kept])
    layer.output.dense = _linear(fitted.float(), bias.float())


def _linear(weight: Tensor, bias: Tensor) -> nn.Linear:
    linear = nn.Linear(weight.shape[1], weight.shape[0], device="meta")
    linear.weight, linear.bias = nn.Parameter(weight.contiguous().clone()), nn.Parameter(bias.clone())
    return linear


def _layers(model: PreTrainedModel, setting: str) -> nn.ModuleList:
    layers = getattr(getattr(model.base_model, "encoder", None), "layer", None)
    if not isinstance(layers, nn.ModuleList) or not hasattr(layers[0], "intermediate"):
        raise _unfit(model, setting)
    return layers


def _is_plain(layer: Any) -> bool:
    """Whether the feed-forward part is two linear maps and nothing else."""
    maps = (getattr(part, "dense", None) for part in (layer.intermediate, layer.output))
    return all(isinstance(one, nn.Linear) for one in maps) and not hasattr(layer, "ffn")


def _unfit(model: PreTrainedModel, setting: str) -> SettingError:
    return SettingError(f"'{model.config.model_type}' encoders cannot be made smaller: leave {setting} out.")
