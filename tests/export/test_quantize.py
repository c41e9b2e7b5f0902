"""int8 graphs: integers that no processor can overflow, scales that no neighbour can move."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from onnx import helper, numpy_helper

from affekt.backends import TokenBatch
from affekt.backends.onnx import OnnxBackend
from affekt.backends.torch import load_model
from affekt.export.calibrate import observe
from affekt.export.graph import GraphBuilder, save
from affekt.export.outsize import apart
from affekt.export.quantize import LARGE_TABLE, WEIGHT_TOP, linear_inputs, quantize, symmetric
from affekt.export.traced import traced_graph
from models import hugging_face_folder, random_rows

MATRICES = hnp.arrays(np.float32, hnp.array_shapes(min_dims=2, max_dims=2), elements=st.floats(-100, 100, width=32))


@given(MATRICES, st.sampled_from([64, 127]), st.integers(0, 1))
def test_integers_stay_in_range_and_come_back_within_half_a_step(values: np.ndarray, top: int, axis: int) -> None:
    integers, scale = symmetric(values, top, axis)
    assert integers.dtype == np.int8
    assert np.abs(integers.astype(int)).max() <= top
    assert (np.abs(integers * scale - values) <= scale * 0.5001 + 1e-30).all()


def test_sixteen_bits_hold_two_products_of_any_activation_and_weight() -> None:
    assert np.iinfo(np.int16).max >= 2 * 255 * WEIGHT_TOP
    assert np.iinfo(np.int16).max < 2 * 255 * 127


@pytest.fixture(scope="module")
def int8(tiny_model: Path) -> onnx.ModelProto:
    return onnx.load(tiny_model / "onnx" / "model_quantized.onnx")


def constants(model: onnx.ModelProto) -> dict[str, np.ndarray]:
    return {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}


def test_every_product_with_a_weight_matrix_is_of_integers_but_the_last(int8: onnx.ModelProto) -> None:
    kinds = [node.op_type for node in int8.graph.node]
    assert kinds.count("MatMulIntegerToFloat") == 6 + 6 + 1
    assert kinds.count("Gemm") == 1
    assert int8.graph.node[-1].op_type == "Gemm"
    weights = [value for name, value in constants(int8).items() if name.endswith("weight_int8")]
    assert len(weights) == 13
    assert all(weight.dtype == np.int8 and np.abs(weight.astype(int)).max() <= WEIGHT_TOP for weight in weights)


def test_scales_of_activations_are_constants(int8: onnx.ModelProto) -> None:
    names = set(constants(int8))
    for node in int8.graph.node:
        assert node.op_type != "DynamicQuantizeLinear"
        if node.op_type == "QuantizeLinear":
            assert set(node.input[1:]) <= names


def test_queries_keys_and_values_share_one_quantized_input(int8: onnx.ModelProto) -> None:
    inputs = {node.output[0]: node.input[0] for node in int8.graph.node if node.op_type == "MatMulIntegerToFloat"}
    assert inputs["layer.0.query"] == inputs["layer.0.key"] == inputs["layer.0.value"]


def table_model() -> onnx.ModelProto:
    """A large embedding table, a product, and a sum over tokens."""
    rng = np.random.default_rng(0)
    graph = GraphBuilder()
    table = graph.constant(rng.normal(size=(LARGE_TABLE, 8)).astype(np.float32), "table")
    hidden = graph.op("Gather", table, "input_ids")
    hidden = graph.op("MatMul", hidden, graph.constant(rng.normal(size=(8, 8)).astype(np.float32), "weight"))
    mask = graph.op("Unsqueeze", graph.op("Cast", "attention_mask", to=onnx.TensorProto.FLOAT), graph.ints(2))
    pooled = graph.op("ReduceSum", graph.op("Mul", hidden, mask), graph.ints(1), keepdims=0)
    graph.op("MatMul", pooled, graph.constant(rng.normal(size=(8, 3)).astype(np.float32), "head"), name="logits")
    return graph.model(("input_ids", "attention_mask"), "logits", 3)


def test_large_tables_become_integers_with_a_scale_per_row(tmp_path: Path) -> None:
    model = table_model()
    batch = TokenBatch.of(random_rows((5, 9, 2)))
    smaller = quantize(model, observe(model, linear_inputs(model), [batch]))
    onnx.checker.check_model(smaller)
    assert constants(smaller)["table.int8"].shape == (LARGE_TABLE, 8)
    assert constants(smaller)["table.scale"].shape == (LARGE_TABLE, 1)
    assert smaller.ByteSize() < 0.5 * model.ByteSize()
    save(model, tmp_path / "a.onnx")
    save(smaller, tmp_path / "b.onnx")
    exact, rounded = (OnnxBackend(tmp_path / name, 1).logits(batch) for name in ("a.onnx", "b.onnx"))
    assert np.abs(exact - rounded).max() < 0.05 * np.abs(exact).max()


def test_calibration_finds_the_extremes_of_all_batches() -> None:
    model = table_model()
    table = constants(model)["table"]
    (activation,) = linear_inputs(model)
    rows = [[[5, 6]], [[7, 8, 9]]]
    found = observe(model, {activation: 8}, [TokenBatch.of(row) for row in rows])[activation]
    np.testing.assert_array_equal(found[0], np.minimum(0, table[5:10].min(axis=0)))
    np.testing.assert_array_equal(found[1], np.maximum(0, table[5:10].max(axis=0)))


def test_an_activation_outside_the_calibrated_range_is_clipped_not_wrapped(tmp_path: Path) -> None:
    model = table_model()
    (activation,) = linear_inputs(model)
    save(quantize(model, {activation: np.array([[-0.01] * 8, [0.01] * 8], np.float32)}), tmp_path / "narrow.onnx")
    batch = TokenBatch.of([[5], [5]])
    found = OnnxBackend(tmp_path / "narrow.onnx", 1).logits(batch)
    signs = np.clip(constants(model)["table"][5], -0.01, 0.01)
    expected = signs @ constants(model)["weight"] @ constants(model)["head"]
    np.testing.assert_allclose(found[0], expected, atol=0.01)


def outsize_model(times: float = 300) -> onnx.ModelProto:
    """The same model, with one channel made larger behind the table and as much smaller in the weights."""
    model = table_model()
    size = np.ones(8, dtype=np.float32)
    size[3] = times
    lookup, product = model.graph.node[0], next(node for node in model.graph.node if node.op_type == "MatMul")
    weight = constants(model)[product.input[1]] / size[:, None]
    stored = {tensor.name: tensor for tensor in model.graph.initializer}
    stored[product.input[1]].CopyFrom(numpy_helper.from_array(weight, product.input[1]))
    model.graph.initializer.append(numpy_helper.from_array(size, "size"))
    grown = helper.make_node("Mul", [lookup.output[0], "size"], ["grown"])
    product.input[0] = "grown"
    model.graph.node.insert(1, grown)
    return model


def test_outsize_channels_apart_change_no_answer_and_save_the_others(tmp_path: Path) -> None:
    model = outsize_model()
    batch = TokenBatch.of(random_rows((5, 9, 2)))
    extremes = observe(model, linear_inputs(model), [batch])
    split, rest = apart(model, extremes)
    onnx.checker.check_model(split)
    graphs = {"exact": model, "split": split, "rough": quantize(model, extremes), "int8": quantize(split, rest)}
    onnx.checker.check_model(graphs["int8"])
    found = {}
    for name, graph in graphs.items():
        save(graph, tmp_path / name)
        found[name] = OnnxBackend(tmp_path / name, 1).logits(batch)
    np.testing.assert_allclose(found["split"], found["exact"], rtol=1e-4, atol=1e-4)
    lost = {name: np.abs(found[name] - found["exact"]).max() for name in ("rough", "int8")}
    assert lost["int8"] < 0.1 * lost["rough"]


@pytest.mark.parametrize("kind", ["albert", "bert"])
def test_layers_that_share_weights_keep_their_answers(kind: str, tmp_path: Path) -> None:
    hugging_face_folder(tmp_path / "model", kind=kind, **({"embedding_size": 16} if kind == "albert" else {}))
    model = traced_graph(load_model(tmp_path / "model"))
    batch = TokenBatch.of(random_rows((7, 7, 7)))
    split, _ = apart(model, observe(model, linear_inputs(model), [batch]))
    onnx.checker.check_model(split)
    found = []
    for name, graph in (("whole", model), ("split", split)):
        save(graph, tmp_path / name)
        found.append(OnnxBackend(tmp_path / name, 1).logits(batch))
    np.testing.assert_allclose(found[1], found[0], rtol=0, atol=1e-4)


def test_the_largest_channel_is_the_one_apart() -> None:
    model = outsize_model()
    (activation,) = linear_inputs(model)
    extremes = observe(model, {activation: 8}, [TokenBatch.of(random_rows((5, 9, 2)))])
    split, rest = apart(model, extremes)
    assert [value.tolist() for name, value in constants(split).items() if name.endswith(".largest")] == [[3]]
    assert (rest[activation][:, 3] == 0).all()
    assert rest[activation].max() < extremes[activation].max() / 10
    assert (extremes[activation][:, 3] != 0).any()
    assert [node.op_type for node in quantize(split, rest).graph.node].count("MatMulIntegerToFloat") == 1


def test_large_constants_of_other_nodes_are_integers_in_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = outsize_model(3)
    batch = TokenBatch.of(random_rows((5, 9, 2)))
    extremes = observe(model, linear_inputs(model), [batch])
    save(quantize(model, extremes), tmp_path / "kept.onnx")
    monkeypatch.setattr("affekt.export.quantize.LARGE_CONSTANT", 8)
    smaller = quantize(model, extremes)
    onnx.checker.check_model(smaller)
    assert constants(smaller)["size.int8"].dtype == np.int8
    assert "size" not in constants(smaller)
    save(smaller, tmp_path / "small.onnx")
    kept, small = (OnnxBackend(tmp_path / name, 1).logits(batch) for name in ("kept.onnx", "small.onnx"))
    np.testing.assert_allclose(small, kept, atol=0.05 * np.abs(kept).max())
