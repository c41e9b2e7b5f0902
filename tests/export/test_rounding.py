"""Weights rounded for the texts that they will meet: nearer to the float product, in the same range."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from affekt.backends import TokenBatch
from affekt.backends.onnx import OnnxBackend
from affekt.export import rounding
from affekt.export.calibrate import grams, observe
from affekt.export.outsize import apart
from affekt.export.quantize import WEIGHT_TOP, linear_inputs, linears, quantize, symmetric
from affekt.export.rounding import compensated, round_linears
from models import random_rows

SHAPES = hnp.array_shapes(min_dims=2, max_dims=2, max_side=12)
MATRICES = hnp.arrays(np.float32, SHAPES, elements=st.floats(-100, 100, width=32))


def correlated(tokens: int, channels: int, seed: int = 0) -> np.ndarray:
    """Inputs whose channels move together."""
    rng = np.random.default_rng(seed)
    common = rng.normal(size=(tokens, 4)) @ rng.normal(size=(4, channels))
    return (common + 0.1 * rng.normal(size=(tokens, channels))).astype(np.float32)


def drawn(channels: int, outputs: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(channels, outputs)).astype(np.float32)


def error(inputs: np.ndarray, weight: np.ndarray, integers: np.ndarray, scale: np.ndarray) -> float:
    return float(np.linalg.norm(inputs @ (integers * scale) - inputs @ weight))


@given(MATRICES, st.integers(0, 5))
def test_integers_stay_in_the_range_that_no_processor_overflows(weight: np.ndarray, seed: int) -> None:
    inputs = correlated(20, len(weight), seed)
    integers, scale = compensated(weight, inputs.T @ inputs)
    assert integers.dtype == np.int8
    assert integers.shape == weight.shape
    assert np.abs(integers.astype(int)).max() <= WEIGHT_TOP
    assert np.array_equal(scale, symmetric(weight, WEIGHT_TOP, axis=0)[1])


@pytest.mark.parametrize("channels", [16, 150])
def test_the_product_stays_nearer_than_with_the_nearest_integers(channels: int) -> None:
    both, weight = correlated(4_000, channels), drawn(channels, 24)
    inputs, unseen = both[:2_000], both[2_000:]
    nearest, made = symmetric(weight, WEIGHT_TOP, axis=0), compensated(weight, inputs.T @ inputs)
    assert error(inputs, weight, *made) < 0.6 * error(inputs, weight, *nearest)
    assert error(unseen, weight, *made) < 0.6 * error(unseen, weight, *nearest)


def test_inputs_that_have_nothing_to_do_with_each_other_get_the_nearest_integers() -> None:
    weight = drawn(30, 7)
    for gram in (np.eye(30, dtype=np.float32) * 5, np.zeros((30, 30), dtype=np.float32)):
        integers, scale = compensated(weight, gram)
        nearest, same = symmetric(weight, WEIGHT_TOP, axis=0)
        assert np.array_equal(integers, nearest)
        assert np.array_equal(scale, same)


def test_rows_of_zeros_stay_zeros_and_take_nothing_back() -> None:
    inputs, weight = correlated(500, 20), drawn(20, 6)
    weight[3:7] = 0.0
    integers, _ = compensated(weight, inputs.T @ inputs)
    assert not integers[3:7].any()
    others = np.delete(np.arange(20), np.arange(3, 7))
    alone, _ = compensated(weight[others], inputs[:, others].T @ inputs[:, others])
    assert (integers[others] != alone).mean() < 0.1  # only the damping differs, by the mean over all channels


def test_the_given_arrays_are_left_alone() -> None:
    inputs, weight = correlated(100, 10), drawn(10, 3)
    gram, before = inputs.T @ inputs, weight.copy()
    again = gram.copy()
    compensated(weight, gram)
    assert np.array_equal(weight, before)
    assert np.array_equal(gram, again)


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    inputs, weight = correlated(400, 70), drawn(70, 9)
    made = compensated(weight, inputs.T @ inputs)[0]
    for size in (1, 7, 1_000):
        monkeypatch.setattr(rounding, "BLOCK", size)
        assert (compensated(weight, inputs.T @ inputs)[0] != made).mean() < 0.002  # sums in another order


@pytest.fixture(scope="module")
def model(tiny_model: Path) -> onnx.ModelProto:
    return onnx.load(tiny_model / "onnx" / "model.onnx")


@pytest.fixture(scope="module")
def batches() -> list[TokenBatch]:
    return [TokenBatch.of(random_rows(lengths, seed=n)) for n, lengths in enumerate([(6,) * 8, (9,) * 8, (17,) * 4])]


def test_grams_add_up_over_batches(model: onnx.ModelProto, batches: list[TokenBatch]) -> None:
    widths = linear_inputs(model)
    whole = grams(model, widths, batches)
    parts = [grams(model, widths, [batch]) for batch in batches]
    for name, width in widths.items():
        assert whole[name].shape == (width, width)
        assert np.allclose(whole[name], sum(part[name] for part in parts), rtol=1e-4, atol=1e-3)
        assert np.allclose(whole[name], whole[name].T, rtol=1e-4, atol=1e-3)
        assert np.linalg.eigvalsh(whole[name].astype(np.float64)).min() > -1e-2


def test_every_product_is_rounded_whatever_is_held_at_a_time(
    model: onnx.ModelProto, batches: list[TokenBatch], monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once = round_linears(model, batches)
    assert set(at_once) == {node.output[0] for nodes in linears(model).values() for node in nodes}
    monkeypatch.setattr(rounding, "MEMORY", 1)
    one_by_one = round_linears(model, batches)
    assert all(np.array_equal(at_once[name][0], one_by_one[name][0]) for name in at_once)


def test_the_graph_answers_nearer_to_the_float_graph(
    model: onnx.ModelProto, batches: list[TokenBatch], tmp_path: Path
) -> None:
    split, rest = apart(model, observe(model, linear_inputs(model), batches))
    extremes = observe(model, linear_inputs(model), batches)
    graphs = {
        "nearest": quantize(model, extremes),
        "rounded": quantize(model, extremes, round_linears(model, batches)),
        "apart": quantize(split, rest, round_linears(split, batches)),
        "float": model,
    }
    logits = {}
    for name, graph in graphs.items():
        onnx.save(graph, tmp_path / f"{name}.onnx")
        backend = OnnxBackend(tmp_path / f"{name}.onnx", 1)
        logits[name] = np.concatenate([backend.logits(batch) for batch in batches])
    apart_by = {name: float(np.abs(found - logits["float"]).mean()) for name, found in logits.items()}
    assert apart_by["rounded"] < apart_by["nearest"]
    assert apart_by["apart"] < apart_by["nearest"]
