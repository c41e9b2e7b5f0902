"""Channels of activations brought to one size, so that eight bits suffice for all of them.

Some channels of a transformer are a hundred times larger than the others, and with one scale for all of them the
others round to nothing. Dividing each channel by a number of its own, and multiplying the rows of the weights that read
it by the same number, changes no answer and evens the sizes out (SmoothQuant: Xiao et al. 2023). It costs one more step
per activation, so it is done only for models that need it.
"""

import numpy as np
import onnx
from onnx import helper, numpy_helper

from affekt.export.calibrate import Extremes, FloatArray
from affekt.export.quantize import constants_of, linears, oriented

SHARE = 0.8
"""How much of the difference in size goes into the weights: 0 nothing, 1 all of it."""

UNEVEN = 4.0
"""Activations whose largest channel is less than this many times the mean channel stay as they are."""


def smooth(model: onnx.ModelProto, extremes: Extremes) -> tuple[onnx.ModelProto, Extremes]:
    """The same graph with even channels before its linear layers.

    Args:
        model: a float32 graph.
        extremes: of every activation that enters a linear layer.

    Returns:
        The graph, and the extremes of its activations.
    """
    result = onnx.ModelProto()
    result.CopyFrom(model)
    constants, readers = constants_of(result), linears(result)
    found: Extremes = {}
    inserted: dict[str, onnx.NodeProto] = {}
    for name, nodes in readers.items():
        size = np.abs(extremes[name]).max(axis=0)
        if size.max() < UNEVEN * size.mean():
            found[name] = extremes[name]
            continue
        weights = [oriented(node, constants) for node in nodes]
        divisor = _divisor(size, np.max([np.abs(weight).max(axis=1) for weight in weights], axis=0))
        even = f"{name}.even"
        result.graph.initializer.append(numpy_helper.from_array(1.0 / divisor, f"{even}.factor"))
        inserted[name] = helper.make_node("Mul", [name, f"{even}.factor"], [even], name=even)
        found[even] = extremes[name] / divisor
        for node, weight in zip(nodes, weights, strict=True):
            _replace(node, constants, weight * divisor[:, None])
            node.input[0] = even
    _insert(result, inserted)
    return result, found


def _divisor(size: FloatArray, weight: FloatArray) -> FloatArray:
    """What to divide each channel by; 1 in the geometric mean."""
    raw = np.maximum(size, 1e-5) ** SHARE / np.maximum(weight, 1e-8) ** (1 - SHARE)
    even: FloatArray = (raw / np.exp(np.log(raw).mean())).astype(np.float32)
    return np.maximum(even, np.float32(1e-4))


def _replace(node: onnx.NodeProto, constants: dict[str, onnx.TensorProto], weight: FloatArray) -> None:
    """Give a linear layer another weight, (in, out)."""
    name = node.input[1]
    turned = any(attribute.name == "transB" and attribute.i for attribute in node.attribute)
    constants[name].CopyFrom(numpy_helper.from_array(np.ascontiguousarray(weight.T if turned else weight), name))


def _insert(model: onnx.ModelProto, inserted: dict[str, onnx.NodeProto]) -> None:
    """Put each node behind the one that makes its input."""
    nodes = []
    for node in model.graph.node:
        nodes.append(node)
        nodes += [inserted[name] for name in node.output if name in inserted]
    kept = [onnx.NodeProto.FromString(node.SerializeToString()) for node in nodes]
    del model.graph.node[:]
    model.graph.node.extend(kept)
