"""The float32 graph of an architecture that :mod:`affekt.encoders.families` does not know, traced by PyTorch."""

import warnings
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import onnx
import onnxruntime
import torch

from affekt.export.encoder import INPUTS
from affekt.export.graph import OPSET, save


class _Logits(torch.nn.Module):
    """A classifier with two inputs and one output."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """(texts, labels) logits."""
        logits: torch.Tensor = self.model(input_ids=input_ids, attention_mask=attention_mask).logits
        return logits


def traced_graph(model: Any) -> onnx.ModelProto:
    """The graph that ``torch.onnx.export`` makes, with any number of texts and tokens.

    Args:
        model: a ``transformers`` sequence classifier on the CPU.
    """
    ids = torch.randint(5, model.config.vocab_size - 1, (2, 7))
    shape = {0: torch.export.Dim.DYNAMIC, 1: torch.export.Dim.DYNAMIC}
    model.set_attn_implementation("eager")
    with TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program: Any = torch.onnx.export(
            _Logits(model).eval(),
            (ids, torch.ones_like(ids)),
            dynamo=True,
            verbose=False,
            input_names=list(INPUTS),
            output_names=["logits"],
            dynamic_shapes=(shape, shape),
            opset_version=OPSET,
        )
        path = Path(folder) / "traced.onnx"
        save(program.model_proto, path)
        return _fused(path)


def _fused(path: Path) -> onnx.ModelProto:
    """The graph with constants folded and operators fused as ONNX Runtime does it for every processor."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.optimized_model_filepath = str(path.with_name("fused.onnx"))
    options.log_severity_level = 3
    onnxruntime.InferenceSession(
        str(path), options, providers=["CPUExecutionProvider"], disabled_optimizers=["SkipLayerNormFusion"]
    )
    return onnx.load(options.optimized_model_filepath)
