"""A small way to write ONNX graphs: nodes are calls, constants are kept once, unimportant names are made up."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 20
"""Standard operators: the newest set that ONNX Runtime 1.19 and transformers.js 3 both know."""

IR_VERSION = 9
CONTRIB = "com.microsoft"
"""ONNX Runtime's own operators; every build for processors and for the browser has them."""

LARGEST = 1_900_000_000
"""Bytes of the largest model that is written as one file; the format's own limit is 2 GiB."""

Array = npt.NDArray[Any]


class GraphBuilder:
    """Collects nodes and constants of one graph."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, onnx.TensorProto] = {}
        self._count = 0

    def constant(self, value: Array, name: str = "") -> str:
        """The name of a constant; small unnamed ones of equal value are shared."""
        array = np.asarray(value, order="C")
        name = name or f"{array.dtype}_{array.shape}_{array.tobytes().hex()}"
        if name not in self.constants:
            self.constants[name] = numpy_helper.from_array(array, name)
        return name

    def ints(self, *values: int) -> str:
        """A constant list of int64."""
        return self.constant(np.array(values, dtype=np.int64))

    def op(self, kind: str, *inputs: str, name: str = "", domain: str = "", **attributes: Any) -> str:
        """Add a node with one output.

        Args:
            kind: the operator.
            inputs: names of values.
            name: of the output; made up by default.
            domain: the operator's domain.
            attributes: of the node; None leaves one out.

        Returns:
            The name of the output.
        """
        self._count += 1
        output = name or f"{kind.lower()}_{self._count}"
        given = {key: value for key, value in attributes.items() if value is not None}
        self.nodes.append(helper.make_node(kind, list(inputs), [output], name=output, domain=domain, **given))
        return output

    def model(self, inputs: Sequence[str], output: str, labels: int) -> onnx.ModelProto:
        """The finished model: int64 inputs (batch, tokens), one float32 output (batch, labels)."""
        graph = helper.make_graph(
            self.nodes,
            "affekt",
            [helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "tokens"]) for name in inputs],
            [helper.make_tensor_value_info(output, TensorProto.FLOAT, ["batch", labels])],
            list(self.constants.values()),
        )
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(CONTRIB, 1)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="affekt")


def save(model: onnx.ModelProto, path: Path) -> None:
    """Write a model, with its weights in a file of their own beside it if it is too large for one."""
    if model.ByteSize() < LARGEST:
        onnx.save(model, str(path))
        return
    onnx.save(model, str(path), save_as_external_data=True, location=f"{path.name}_data", size_threshold=1024)
