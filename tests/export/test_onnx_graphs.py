"""Float32 graphs: every architecture's logits are PyTorch's, for any number of texts and tokens."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affekt.backends import TokenBatch
from affekt.backends.onnx import OnnxBackend
from affekt.backends.torch import TorchBackend
from affekt.encoders import FAMILIES, encoder_of
from affekt.export import graph as graphs
from affekt.export.encoder import encoder_graph
from affekt.export.graph import CONTRIB, IR_VERSION, OPSET, GraphBuilder, save
from affekt.export.traced import traced_graph
from models import hugging_face_folder, random_rows

KNOWN: dict[str, tuple[str, dict[str, Any]]] = {
    "bert": ("bert", {}),
    "bert, relu": ("bert", {"hidden_act": "relu"}),
    "bert, tanh gelu": ("bert", {"hidden_act": "gelu_new"}),
    "roberta": ("roberta", {"type_vocab_size": 1}),
    "xlm-roberta": ("xlm-roberta", {"type_vocab_size": 1, "pad_token_id": 1}),
    "electra": ("electra", {"embedding_size": 16}),
    "electra, no projection": ("electra", {"embedding_size": 32}),
    "distilbert": ("distilbert", {"dim": 32, "hidden_dim": 64, "n_layers": 2, "n_heads": 4}),
    "mpnet": ("mpnet", {}),
}
TRACED: dict[str, tuple[str, dict[str, Any]]] = {
    "albert": ("albert", {"embedding_size": 16}),
    "bert, silu": ("bert", {"hidden_act": "silu"}),
    "deberta-v2": (
        "deberta-v2",
        {
            "relative_attention": True,
            "position_biased_input": False,
            "pos_att_type": ["p2c", "c2p"],
            "norm_rel_ebd": "layer_norm",
            "share_att_key": True,
            "position_buckets": 16,
            "max_relative_positions": -1,
        },
    ),
    "modernbert": (
        "modernbert",
        {"cls_token_id": 2, "sep_token_id": 3, "bos_token_id": 2, "eos_token_id": 3, "local_attention": 16},
    ),
}
SHAPES = ((2,), (3, 3), (17, 5, 17), (60, 2, 40), (40,) * 3)


def check(torch: TorchBackend, graph: onnx.ModelProto, folder: Path, pad: int) -> None:
    """The graph is valid and its logits are PyTorch's."""
    onnx.checker.check_model(graph)
    save(graph, folder / "model.onnx")
    found = OnnxBackend(folder / "model.onnx", 1)
    for lengths in SHAPES:
        batch = TokenBatch.of(random_rows(lengths, seed=len(lengths)), pad)
        np.testing.assert_allclose(found.logits(batch), torch.logits(batch), rtol=0, atol=2e-6)


@pytest.mark.parametrize("name", KNOWN)
def test_known_architectures_are_exported_from_their_parts(tmp_path: Path, name: str) -> None:
    kind, settings = KNOWN[name]
    torch = TorchBackend(hugging_face_folder(tmp_path, kind=kind, **settings), threads=1)
    encoder = encoder_of(torch.model)
    assert encoder is not None
    check(torch, encoder_graph(encoder), tmp_path, torch.model.config.pad_token_id)


@pytest.mark.slow
@pytest.mark.parametrize("name", TRACED)
def test_other_architectures_are_traced(tmp_path: Path, name: str) -> None:
    kind, settings = TRACED[name]
    torch = TorchBackend(hugging_face_folder(tmp_path, kind=kind, **settings), threads=1)
    assert encoder_of(torch.model) is None
    check(torch, traced_graph(torch.model), tmp_path, torch.model.config.pad_token_id)


def test_every_known_architecture_is_tested() -> None:
    assert {kind for kind, _ in KNOWN.values()} == set(FAMILIES)


def test_a_padding_id_inside_a_text_shifts_positions_as_in_the_model(tmp_path: Path) -> None:
    torch = TorchBackend(hugging_face_folder(tmp_path, kind="roberta", pad_token_id=9), threads=1)
    save(encoder_graph(encoder_of(torch.model)), tmp_path / "model.onnx")  # type: ignore[arg-type]
    batch = TokenBatch.of([[2, 11, 9, 12, 9, 3], [2, 9, 3]], 9)
    found = OnnxBackend(tmp_path / "model.onnx", 1).logits(batch)
    np.testing.assert_allclose(found, torch.logits(batch), rtol=0, atol=2e-6)


def test_graphs_are_readable_by_the_runtimes_that_we_promise(tiny_model: Path) -> None:
    for file in ("model.onnx", "model_quantized.onnx"):
        model = onnx.load(tiny_model / "onnx" / file)
        assert model.ir_version == IR_VERSION <= 9
        assert {entry.domain: entry.version for entry in model.opset_import} == {"": OPSET, CONTRIB: 1}
        assert [entry.name for entry in model.graph.input] == ["input_ids", "attention_mask"]
        assert [entry.name for entry in model.graph.output] == ["logits"]
        assert not any(node.op_type == "SkipLayerNormalization" for node in model.graph.node)


def test_the_last_layer_computes_the_first_token_only(tiny_model: Path) -> None:
    import onnxruntime

    model = onnx.load(tiny_model / "onnx" / "model.onnx")
    names = ["layer.0.down", "layer.1.key", "layer.1.query", "layer.1.down"]
    model.graph.output.extend(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None) for name in names)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    batch = TokenBatch.of(random_rows((9,) * 4))
    found = session.run(names, {"input_ids": batch.input_ids, "attention_mask": batch.attention_mask})
    assert [len(value) for value in found] == [36, 36, 4, 4]


@pytest.mark.parametrize("part", ["query", "key"])
@pytest.mark.parametrize("kind", ["bert", "mpnet"])
def test_a_last_layer_that_only_means_computes_one_value_per_text(tmp_path: Path, kind: str, part: str) -> None:
    torch = TorchBackend(hugging_face_folder(tmp_path, kind=kind), threads=1)
    layer = torch.model.base_model.encoder.layer[-1].attention
    linear = getattr(layer.self, part) if kind == "bert" else getattr(layer.attn, part[0])
    linear.weight.data.zero_()
    linear.bias.data.zero_()
    graph = encoder_graph(encoder_of(torch.model))  # type: ignore[arg-type]
    check(torch, graph, tmp_path, torch.model.config.pad_token_id)
    names = {node.output[0] for node in graph.graph.node}
    assert ("layer.1.key" in names) == (kind == "mpnet")
    assert "layer.0.key" in names


@given(st.lists(st.integers(-9, 9), max_size=4), st.lists(st.integers(-9, 9), max_size=4))
@settings(max_examples=30)
def test_equal_constants_are_kept_once(first: list[int], second: list[int]) -> None:
    builder = GraphBuilder()
    names = [builder.ints(*first), builder.ints(*second), builder.ints(*first)]
    assert names[0] == names[2]
    assert len(builder.constants) == (1 if first == second else 2)


def test_scalars_and_lists_of_one_differ() -> None:
    builder = GraphBuilder()
    assert builder.constant(np.array(1)) != builder.ints(1)
    assert builder.constants[builder.constant(np.array(1))].dims == []


def test_a_large_model_keeps_its_weights_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch = TorchBackend(hugging_face_folder(tmp_path), threads=1)
    graph = encoder_graph(encoder_of(torch.model))  # type: ignore[arg-type]
    monkeypatch.setattr(graphs, "LARGEST", 10_000)
    save(graph, tmp_path / "model.onnx")
    assert (tmp_path / "model.onnx_data").stat().st_size > (tmp_path / "model.onnx").stat().st_size
    batch = TokenBatch.of(random_rows((5, 9)))
    found = OnnxBackend(tmp_path / "model.onnx", 1).logits(batch)
    np.testing.assert_allclose(found, torch.logits(batch), rtol=0, atol=2e-6)
