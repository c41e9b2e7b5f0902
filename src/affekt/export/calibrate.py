"""What values each activation takes on real texts: what fixes the scales and the weights of the int8 graph."""

from collections.abc import Iterable, Iterator, Mapping
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
    observed, outputs = _with_rows(model, widths), []
    observed.graph.initializer.append(numpy_helper.from_array(np.array([0]), "observed:axis"))
    for name, width in widths.items():
        for end, kind in (("least", "ReduceMin"), ("greatest", "ReduceMax")):
            inputs, output = [f"rows:{name}", "observed:axis"], f"{end}:{name}"
            _add_output(observed, helper.make_node(kind, inputs, [output], keepdims=0), [width])
            outputs.append(output)
    for arrays in _outputs(observed, outputs, batches):
        values = iter(arrays)
        for name, low, high in zip(widths, values, values, strict=True):
            np.minimum(found[name][0], low, out=found[name][0])
            np.maximum(found[name][1], high, out=found[name][1])
    return found


def grams(model: onnx.ModelProto, widths: Mapping[str, int], batches: Iterable[TokenBatch]) -> dict[str, FloatArray]:
    """The products of some activations with themselves, added up over all tokens: (channels, channels) each.

    Args:
        model: a float32 graph.
        widths: activation -> its channels (the last dimension).
        batches: what to run it on, without padding.
    """
    found = {name: np.zeros((width, width), dtype=np.float32) for name, width in widths.items()}
    observed = _with_rows(model, widths)
    for name, width in widths.items():
        turned = helper.make_node("Transpose", [f"rows:{name}"], [f"turned:{name}"], perm=[1, 0])
        observed.graph.node.append(turned)
        product = helper.make_node("MatMul", [f"turned:{name}", f"rows:{name}"], [f"gram:{name}"])
        _add_output(observed, product, [width, width])
    for arrays in _outputs(observed, [f"gram:{name}" for name in widths], batches):
        for name, gram in zip(widths, arrays, strict=True):
            found[name] += gram
    return found


def _with_rows(model: onnx.ModelProto, widths: Mapping[str, int]) -> onnx.ModelProto:
    """A copy of the graph with each activation as ``rows:NAME``, one row per token."""
    observed = onnx.ModelProto()
    observed.CopyFrom(model)
    for name, width in widths.items():
        observed.graph.initializer.append(numpy_helper.from_array(np.array([-1, width]), f"shape:{name}"))
        observed.graph.node.append(helper.make_node("Reshape", [name, f"shape:{name}"], [f"rows:{name}"]))
    return observed


def _add_output(model: onnx.ModelProto, node: onnx.NodeProto, shape: list[int]) -> None:
    model.graph.node.append(node)
    model.graph.output.append(helper.make_tensor_value_info(node.output[0], TensorProto.FLOAT, shape))


def _outputs(model: onnx.ModelProto, names: list[str], batches: Iterable[TokenBatch]) -> Iterator[list[FloatArray]]:
    """Some outputs of a graph, batch by batch."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "observed.onnx"
        save(model, path)
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    for batch in batches:
        yield session.run(names, {"input_ids": batch.input_ids, "attention_mask": batch.attention_mask})
