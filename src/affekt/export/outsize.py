"""The largest channels of activations computed apart, in float32, so that eight bits suffice for the others.

Some channels of a transformer are a hundred times larger than the others, and with one scale for all of them the others
round to nothing. A few channels apart leave the rest even (LLM.int8(): Dettmers et al. 2022). It costs a small product
more per linear layer, so it is done only for models that need it.
"""

import numpy as np
import onnx
from onnx import helper, numpy_helper

from affekt.export.calibrate import Extremes, FloatArray
from affekt.export.quantize import constants_of, linears, oriented

CHANNELS = 16
"""Channels of each activation that are computed apart, at most an eighth of all."""


def apart(model: onnx.ModelProto, extremes: Extremes) -> tuple[onnx.ModelProto, Extremes]:
    """The same graph, in which each linear layer reads the largest channels of its input through a product of its own.

    Args:
        model: a float32 graph.
        extremes: of every activation that enters a linear layer.

    Returns:
        The graph, and the extremes of its activations without those channels: what is to be quantized.
    """
    result = onnx.ModelProto()
    result.CopyFrom(model)
    constants, found, added = constants_of(result), dict(extremes), {}
    for name, nodes in linears(result).items():
        size = np.abs(extremes[name]).max(axis=0)
        largest = np.sort(np.argsort(-size, kind="stable")[: min(CHANNELS, len(size) // 8)])
        found[name] = extremes[name].copy()
        found[name][:, largest] = 0.0
        for node in nodes:
            new = _split(result, node, constants, largest)
            added[node.output[0]] = new
    _insert(result, added)
    _drop_unused(result)
    return result, found


def _split(
    model: onnx.ModelProto, node: onnx.NodeProto, constants: dict[str, onnx.TensorProto], largest: np.ndarray
) -> list[onnx.NodeProto]:
    """Take channels out of a linear layer; the nodes that add them to its output."""
    name, output = node.input[0], node.output[0]
    weight = oriented(node, constants).copy()
    columns, rows = f"{output}.largest", f"{output}.largest_weight"
    model.graph.initializer.append(numpy_helper.from_array(largest.astype(np.int64), columns))
    model.graph.initializer.append(numpy_helper.from_array(weight[largest], rows))
    weight[largest] = 0.0
    node.name = node.output[0] = f"{output}.others"
    _replace(model, node, weight)
    gathered, product = f"{output}.largest_input", f"{output}.largest_product"
    return [
        helper.make_node("Gather", [name, columns], [gathered], name=gathered, axis=-1),
        helper.make_node("MatMul", [gathered, rows], [product], name=product),
        helper.make_node("Add", [product, f"{output}.others"], [output], name=output),
    ]


def _replace(model: onnx.ModelProto, node: onnx.NodeProto, weight: FloatArray) -> None:
    """Give a linear layer a weight of its own, (in, out): layers may share the one that they had."""
    name = f"{node.output[0]}_weight"
    turned = any(attribute.name == "transB" and attribute.i for attribute in node.attribute)
    model.graph.initializer.append(numpy_helper.from_array(np.ascontiguousarray(weight.T if turned else weight), name))
    node.input[1] = name


def _drop_unused(model: onnx.ModelProto) -> None:
    """Without the constants that no node reads any more."""
    used = {name for node in model.graph.node for name in node.input}
    kept = [tensor for tensor in model.graph.initializer if tensor.name in used]
    copies = [onnx.TensorProto.FromString(tensor.SerializeToString()) for tensor in kept]
    del model.graph.initializer[:]
    model.graph.initializer.extend(copies)


def _insert(model: onnx.ModelProto, added: dict[str, list[onnx.NodeProto]]) -> None:
    """Put nodes behind the one that makes the output by which they are known."""
    nodes = []
    for node in model.graph.node:
        nodes += [node, *(new for name in node.output for new in added.get(name, []))]
    kept = [onnx.NodeProto.FromString(node.SerializeToString()) for node in nodes]
    del model.graph.node[:]
    model.graph.node.extend(kept)
