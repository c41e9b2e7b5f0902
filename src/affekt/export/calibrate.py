"""What values each activation takes on real texts: what fixes the scales of the int8 graph."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from affekt.backends.base import TokenBatch
from affekt.export.graph import save

FloatArray = npt.NDArray[np.float32]
Extremes = dict[str, FloatArray]
"""Activation -> (2, channels): the least and the greatest value of each channel, zero included."""


def observe(model: onnx.ModelProto, widths: Mapping[str, int], batches: Iterable[TokenBatch]) -> Extremes:
    """Least and greatest value of every channel of some activations.

    Args:
        model: a float32 graph.
        widths: activation -> its channels (the last dimension).
        batches: what to run it on, without padding.
    """
    found = {name: np.zeros((2, width), dtype=np.float32) for name, width in widths.items()}
    outputs = [f"{end}:{name}" for name in widths for end in ("least", "greatest")]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "observed.onnx"
        save(_observed(model, widths), path)
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        for batch in batches:
            feed = {"input_ids": batch.input_ids, "attention_mask": batch.attention_mask}
            values = iter(session.run(outputs, feed))
            for name, low, high in zip(widths, values, values, strict=True):
                np.minimum(found[name][0], low, out=found[name][0])
                np.maximum(found[name][1], high, out=found[name][1])
    return found


def _observed(model: onnx.ModelProto, widths: Mapping[str, int]) -> onnx.ModelProto:
    """The graph with the least and greatest value of each channel as outputs."""
    observed = onnx.ModelProto()
    observed.CopyFrom(model)
    graph = observed.graph
    graph.initializer.append(numpy_helper.from_array(np.array([0]), "observed:axis"))
    for name, width in widths.items():
        graph.initializer.append(numpy_helper.from_array(np.array([-1, width]), f"shape:{name}"))
        graph.node.append(helper.make_node("Reshape", [name, f"shape:{name}"], [f"rows:{name}"]))
        for end, kind in (("least", "ReduceMin"), ("greatest", "ReduceMax")):
            inputs, output = [f"rows:{name}", "observed:axis"], f"{end}:{name}"
            graph.node.append(helper.make_node(kind, inputs, [output], keepdims=0))
            graph.output.append(helper.make_tensor_value_info(output, TensorProto.FLOAT, [width]))
    return observed
