"""What range each activation takes on real texts: what fixes the scales of the int8 graph."""

from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper

from affekt.backends.base import TokenBatch
from affekt.export.graph import save

Ranges = dict[str, tuple[float, float]]
"""Activation -> its least and greatest value, zero included."""


def ranges(model: onnx.ModelProto, activations: Iterable[str], batches: Iterable[TokenBatch]) -> Ranges:
    """Least and greatest value of some activations over batches without padding.

    Args:
        model: a float32 graph.
        activations: names of values inside it.
        batches: what to run it on.
    """
    names = list(dict.fromkeys(activations))
    found = dict.fromkeys(names, (0.0, 0.0))
    with TemporaryDirectory() as folder:
        path = Path(folder) / "observed.onnx"
        save(_observed(model, names), path)
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        for batch in batches:
            feed = {"input_ids": batch.input_ids, "attention_mask": batch.attention_mask}
            values = np.array(session.run([f"{end}:{name}" for name in names for end in ("least", "greatest")], feed))
            for name, (low, high) in zip(names, values.reshape(-1, 2).tolist(), strict=True):
                found[name] = (min(found[name][0], low), max(found[name][1], high))
    return found


def _observed(model: onnx.ModelProto, names: list[str]) -> onnx.ModelProto:
    """The graph with the least and greatest value of each activation as outputs."""
    observed = onnx.ModelProto()
    observed.CopyFrom(model)
    for name in names:
        for end, kind in (("least", "ReduceMin"), ("greatest", "ReduceMax")):
            output = f"{end}:{name}"
            observed.graph.node.append(helper.make_node(kind, [name], [output], keepdims=0))
            observed.graph.output.append(helper.make_tensor_value_info(output, TensorProto.FLOAT, []))
    return observed
