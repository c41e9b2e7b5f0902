"""States of optimizers and random generators as tensors and JSON: saved without pickling anything."""

import random
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.optim import Optimizer

from affekt.errors import CheckpointError

Tensors = dict[str, Tensor]
_TENSOR, _ITEMS, _TUPLE = "$tensor", "$items", "$tuple"


def flatten(tree: Any, prefix: str) -> tuple[Tensors, Any]:
    """Take the tensors and arrays out of nested dicts, lists and tuples.

    Args:
        tree: any nesting of these, with strings, numbers, booleans and None at its ends.
        prefix: of the tensors' names.

    Returns:
        the tensors by name, and the rest as JSON can hold it.

    Raises:
        CheckpointError: the tree holds something else.
    """
    tensors: Tensors = {}

    def walk(node: Any, name: str) -> Any:
        if isinstance(node, np.ndarray):
            node = torch.from_numpy(node)
        if isinstance(node, Tensor):
            tensors[name] = node
            return {_TENSOR: name}
        if isinstance(node, Mapping):
            return {_ITEMS: [[key, walk(value, f"{name}.{key}")] for key, value in node.items()]}
        if isinstance(node, list | tuple):
            items = [walk(value, f"{name}.{index}") for index, value in enumerate(node)]
            return items if isinstance(node, list) else {_TUPLE: items}
        if node is None or isinstance(node, bool | int | float | str):
            return node
        raise CheckpointError(f"'{name}' is a {type(node).__name__}, which a checkpoint cannot hold.")

    return tensors, walk(tree, prefix)


def unflatten(tensors: Mapping[str, Tensor], rest: Any) -> Any:
    """The tree that :func:`flatten` took apart; arrays come back as tensors.

    Raises:
        CheckpointError: a tensor is missing.
    """
    if isinstance(rest, list):
        return [unflatten(tensors, value) for value in rest]
    if not isinstance(rest, dict):
        return rest
    if _TENSOR in rest:
        if rest[_TENSOR] not in tensors:
            raise CheckpointError(f"The checkpoint has no tensor '{rest[_TENSOR]}'.")
        return tensors[rest[_TENSOR]]
    if _TUPLE in rest:
        return tuple(unflatten(tensors, value) for value in rest[_TUPLE])
    return {key: unflatten(tensors, value) for key, value in rest[_ITEMS]}


def optimizer_state(optimizer: Optimizer) -> tuple[Tensors, Any]:
    """The optimizer's moments and counts, 8-bit ones included; its settings come from the recipe."""
    return flatten(optimizer.state_dict()["state"], "optimizer")


def restore_optimizer(optimizer: Optimizer, tensors: Mapping[str, Tensor], rest: Any) -> None:
    """Load :func:`optimizer_state` into an optimizer over the same parameters; link its rates again afterwards.

    Raises:
        CheckpointError: the state is of other parameters.
    """
    state = unflatten(tensors, rest)
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    for index, values in state.items():
        if not 0 <= index < len(parameters):
            raise CheckpointError(f"The optimizer's state has a parameter {index}, and the model {len(parameters)}.")
        moment = values.get("exp_avg", values.get("state1"))
        if isinstance(moment, Tensor) and moment.shape != parameters[index].shape:
            raise CheckpointError(
                f"The optimizer's state of parameter {index} has shape {tuple(moment.shape)}, "
                f"and the model's {tuple(parameters[index].shape)}."
            )
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})


def rng_state(device: torch.device | None = None, prefix: str = "rng") -> tuple[Tensors, Any]:
    """The states of Python's, numpy's and PyTorch's global generators.

    Args:
        device: whose CUDA generator to include, if it is one.
        prefix: of the tensors' names; one per process.
    """
    tree: dict[str, Any] = {
        "python": random.getstate(),
        "numpy": np.random.get_state(legacy=True),  # noqa: NPY002
        "torch": torch.get_rng_state(),
    }
    if device is not None and device.type == "cuda":
        tree["cuda"] = torch.cuda.get_rng_state(device)
    return flatten(tree, prefix)


def restore_rng(tensors: Mapping[str, Tensor], rest: Any, device: torch.device | None = None) -> None:
    """Set the global generators as they were at :func:`rng_state`."""
    tree = unflatten(tensors, rest)
    name, keys, *others = tree["numpy"]
    setters: dict[str, Callable[[], object]] = {
        "python": lambda: random.setstate(tree["python"]),
        "numpy": lambda: np.random.set_state((name, keys.numpy(), *others)),  # noqa: NPY002
        "torch": lambda: torch.set_rng_state(tree["torch"]),
    }
    for setter in setters.values():
        setter()
    if device is not None and device.type == "cuda" and "cuda" in tree:
        torch.cuda.set_rng_state(tree["cuda"], device)
