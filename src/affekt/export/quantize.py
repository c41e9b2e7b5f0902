"""The int8 graph: the same answers on every processor and in every company.

- **Scales of activations are fixed**, from the ranges seen on calibration texts. With the usual dynamic quantization a
  text's answer depends on the texts that share its batch, because the batch as a whole sets the scale.
- **Weights have 7 bits.** Processors without VNNI add pairs of products in 16 bits, which overflow (and saturate) for
  255 · 127 · 2 but not for 255 · 64 · 2; so the sums are exact everywhere.
- Weights have one scale per output column, embeddings one per row; what remains large is int8 in the file only.

Which integers the weights become is :mod:`affekt.export.rounding`'s; without it, the nearest.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from affekt.export.calibrate import Extremes
from affekt.export.graph import CONTRIB

WEIGHT_TOP = 64
EMBEDDING_TOP = 127
LARGE_TABLE = 1000
"""Embedding tables with fewer rows, such as positions, stay float32."""
LARGE_CONSTANT = 100_000
"""Other constants of at least so many elements are kept as int8, and made floats once, when the graph is loaded."""

Array = npt.NDArray[Any]
Rounded = tuple[npt.NDArray[np.int8], npt.NDArray[np.float32]]
"""Integers (in, out) and the scale (1, out) that makes them weights again."""


def linears(model: onnx.ModelProto) -> dict[str, list[onnx.NodeProto]]:
    """Activation -> the products with a constant matrix that read it.

    The last product, which makes the logits, stays float32 and is not among them.
    """
    constants = constants_of(model)
    found: dict[str, list[onnx.NodeProto]] = {}
    for node in model.graph.node:
        if _is_linear(node, constants, model):
            found.setdefault(node.input[0], []).append(node)
    return found


def linear_inputs(model: onnx.ModelProto) -> dict[str, int]:
    """Activations that enter a product with a constant matrix, and their channels."""
    constants = constants_of(model)
    return {name: len(oriented(nodes[0], constants)) for name, nodes in linears(model).items()}


def oriented(node: onnx.NodeProto, constants: dict[str, onnx.TensorProto]) -> Array:
    """The constant matrix of a product as (in, out)."""
    weight = numpy_helper.to_array(constants[node.input[1]])
    return weight.T if _attribute(node, "transB", 0) else weight


def quantize(
    model: onnx.ModelProto, extremes: Extremes, rounded: Mapping[str, Rounded] = MappingProxyType({})
) -> onnx.ModelProto:
    """The int8 graph of a float32 graph.

    Args:
        model: the float32 graph.
        extremes: of the activations to quantize; products of others stay float32.
        rounded: a product's output -> its weights, already rounded; the nearest integers for those that are not there.
    """
    rewriter = _Rewriter(constants_of(model), extremes, rounded)
    for node in model.graph.node:
        if node.input[0] in extremes and _is_linear(node, rewriter.constants, model):
            rewriter.linear(node)
        elif _is_table(node, rewriter.constants):
            rewriter.table(node)
        else:
            rewriter.other(node)
    return rewriter.finish(model)


def constants_of(model: onnx.ModelProto) -> dict[str, onnx.TensorProto]:
    """Name -> constant."""
    return {tensor.name: tensor for tensor in model.graph.initializer}


def _is_linear(node: onnx.NodeProto, constants: dict[str, onnx.TensorProto], model: onnx.ModelProto) -> bool:
    if node.op_type not in ("Gemm", "MatMul") or node.input[1] not in constants or node.input[0] in constants:
        return False
    return len(constants[node.input[1]].dims) == 2 and node.output[0] != model.graph.output[0].name


def _is_table(node: onnx.NodeProto, constants: dict[str, onnx.TensorProto]) -> bool:
    if node.op_type != "Gather" or node.input[0] not in constants or _attribute(node, "axis", 0) != 0:
        return False
    table = constants[node.input[0]]
    return table.data_type == TensorProto.FLOAT and len(table.dims) == 2 and table.dims[0] >= LARGE_TABLE


def _is_large(tensor: onnx.TensorProto) -> bool:
    return tensor.data_type == TensorProto.FLOAT and int(np.prod(tensor.dims)) >= LARGE_CONSTANT


def _attribute(node: onnx.NodeProto, name: str, default: Any) -> Any:
    return next((helper.get_attribute_value(a) for a in node.attribute if a.name == name), default)


@dataclass
class _Rewriter:
    """Collects the nodes and constants of the int8 graph."""

    constants: dict[str, onnx.TensorProto]
    extremes: Extremes
    rounded: Mapping[str, Rounded]
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    added: dict[str, onnx.TensorProto] = field(default_factory=dict)
    quantized: dict[str, tuple[str, str, str]] = field(default_factory=dict)

    def constant(self, name: str, value: Array | np.generic) -> str:
        """Add a constant and return its name."""
        self.added[name] = numpy_helper.from_array(np.asarray(value, order="C"), name)
        return name

    def linear(self, node: onnx.NodeProto) -> None:
        """``MatMul`` or ``Gemm`` with constant weights, as a product of integers."""
        output = node.output[0]
        known = self.rounded.get(output)
        values, scale = known or symmetric(oriented(node, self.constants), WEIGHT_TOP, axis=0)
        activation, unit, zero = self._activation(node.input[0])
        integers = self.constant(f"{output}.weight_int8", values)
        scales = self.constant(f"{output}.weight_scale", scale.ravel())
        inputs = [activation, integers, unit, scales, zero, "", *node.input[2:3]]
        self.nodes.append(helper.make_node("MatMulIntegerToFloat", inputs, [output], name=output, domain=CONTRIB))

    def _activation(self, name: str) -> tuple[str, str, str]:
        """The quantized form of an activation, its scale and its zero point, made once."""
        if name not in self.quantized:
            low, high = self.extremes[name].min(), self.extremes[name].max()
            unit = np.float32(max(high - low, 1e-8) / 255.0)
            zero = np.uint8(np.clip(np.round(-low / unit), 0, 255))
            made = (
                f"{name}.uint8",
                self.constant(f"{name}.uint8_scale", unit),
                self.constant(f"{name}.uint8_zero", zero),
            )
            self.nodes.append(helper.make_node("QuantizeLinear", [name, *made[1:]], [made[0]], name=made[0]))
            self.quantized[name] = made
        return self.quantized[name]

    def table(self, node: onnx.NodeProto) -> None:
        """``Gather`` of rows of a table, as int8 rows times their scales."""
        (name, rows), output = node.input, node.output[0]
        values, scale = symmetric(numpy_helper.to_array(self.constants[name]), EMBEDDING_TOP, axis=1)
        table, units = self.constant(f"{name}.int8", values), self.constant(f"{name}.scale", scale)
        integers, floats, scales = (f"{output}.{kind}" for kind in ("int8", "float", "scale"))
        self.nodes += [
            helper.make_node("Gather", [table, rows], [integers], name=integers),
            helper.make_node("Cast", [integers], [floats], name=floats, to=TensorProto.FLOAT),
            helper.make_node("Gather", [units, rows], [scales], name=scales),
            helper.make_node("Mul", [floats, scales], [output], name=output),
        ]

    def other(self, node: onnx.NodeProto) -> None:
        """Any other node, its large constants kept small in the file; engines fold the product when they load it."""
        kept = onnx.NodeProto()
        kept.CopyFrom(node)
        for place, name in enumerate(node.input):
            if node.op_type != "Gather" and name in self.constants and _is_large(self.constants[name]):
                kept.input[place] = self._stored(name)
        self.nodes.append(kept)

    def _stored(self, name: str) -> str:
        floats, restored = f"{name}.float", f"{name}.restored"
        if f"{name}.int8" not in self.added:
            values, scale = symmetric(numpy_helper.to_array(self.constants[name]), EMBEDDING_TOP, axis=-1)
            table, unit = self.constant(f"{name}.int8", values), self.constant(f"{name}.scale", scale)
            self.nodes += [
                helper.make_node("Cast", [table], [floats], name=floats, to=TensorProto.FLOAT),
                helper.make_node("Mul", [floats, unit], [restored], name=restored),
            ]
        return restored

    def finish(self, model: onnx.ModelProto) -> onnx.ModelProto:
        """The int8 model, with the constants that are still used."""
        used = {name for node in self.nodes for name in node.input}
        result = onnx.ModelProto()
        result.CopyFrom(model)
        kept = [tensor for tensor in model.graph.initializer if tensor.name in used]
        del result.graph.node[:], result.graph.initializer[:], result.graph.value_info[:]
        result.graph.node.extend(self.nodes)
        result.graph.initializer.extend([*kept, *self.added.values()])
        if all(entry.domain != CONTRIB for entry in result.opset_import):
            result.opset_import.append(helper.make_opsetid(CONTRIB, 1))
        return result


def symmetric(values: Array, top: int, axis: int) -> Rounded:
    """Integers in [-top, top] and the scale that makes them the values again.

    Args:
        values: a matrix, or several.
        top: greatest integer.
        axis: the axis along which values share a scale.
    """
    scale = np.abs(values).max(axis=axis, keepdims=True).astype(np.float32) / np.float32(top)
    scale[scale == 0] = 1.0
    return np.clip(np.round(values / scale), -top, top).astype(np.int8), scale
