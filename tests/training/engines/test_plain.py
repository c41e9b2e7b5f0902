"""The engine on accelerate: exact accumulation, every layout and architecture, skipped steps, states that go on."""

from typing import Any

import numpy as np
import pytest
import torch
from engines import IDS, ROW, TARGETS, WEIGHTS, batches, captured, difference, plain, plain_loop, run
from tiny_models import SETTINGS, texts, tiny

from affekt.training.batching.batches import Layout
from affekt.training.engines.averaging import WeightAverage
from affekt.training.losses.objective import Classifier


def accumulated(size: int, batching: str, texts_in_batch: int) -> Any:
    """One optimizer step over the first ``texts_in_batch`` texts, ``size`` at a time."""
    rng = np.random.default_rng(1)
    ids = [*IDS, *texts(8, seed=9, longest=4)]  # unequal lengths, and some much shorter
    targets = np.concatenate([TARGETS, TARGETS[:8]])
    data = {"ids": ids, "targets": targets, "weights": np.ones(32, dtype=np.float32)}
    engine = plain(batching=batching, size=size, data=data)
    engine.step(engine.prepare(rng.permutation(32)[:texts_in_batch]), 1.0)
    return engine.weights()


@pytest.mark.parametrize("texts_in_batch", [32, 27, 5])
@pytest.mark.parametrize("batching", ["padded", "dynamic", "packed"])
def test_accumulation_is_exact(batching: str, texts_in_batch: int) -> None:
    """4 x 8, 8 x 4 and 32 x 1 give one step, also where the last micro-batch is shorter."""
    start = tiny("bert", dropout=0.0).state_dict()
    whole = accumulated(32, batching, texts_in_batch)
    assert difference(whole, {name: start[name] for name in whole}) > 1e-3
    for size in (4, 8, 1):
        assert difference(accumulated(size, batching, texts_in_batch), whole) < 1e-5


@pytest.mark.parametrize("batching", ["padded", "dynamic", "packed"])
@pytest.mark.parametrize("kind", [kind for kind in SETTINGS if kind not in ("xlm-roberta", "electra", "distilbert")])
def test_steps_are_those_of_a_plain_loop(kind: str, batching: str) -> None:
    if (kind, batching) == ("deberta-v2", "packed"):
        pytest.skip("DeBERTa runs padded")
    engine = run(plain(kind, batching=batching, size=3), 4)
    assert difference(engine.weights(), plain_loop(kind, 4)) < 1e-5


def test_both_engines_take_the_same_steps() -> None:
    settings: dict[str, Any] = {"average_decay": 0.8, "max_grad_norm": 0.1}
    one, other = run(plain(size=4, **settings), 5), run(captured(size=8, **settings), 5)
    assert difference(one.weights(), other.weights()) < 1e-5
    totals, others = one.read(), other.read()
    assert totals.loss == pytest.approx(others.loss, rel=1e-5)
    assert totals.grad_norm == pytest.approx(others.grad_norm, rel=1e-5)
    ids = texts(30, seed=8)
    assert np.allclose(one.logits(ids), other.logits(ids), atol=1e-5)


def test_gradients_may_be_left_as_they_are() -> None:
    assert difference(run(plain(max_grad_norm=0.0), 3).weights(), plain_loop("bert", 3, clip=1e9)) < 1e-5


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_steps_that_are_not_finite_leave_everything_as_it_was(precision: str) -> None:
    weights = WEIGHTS.copy()
    weights[0] = np.inf
    engine = plain(data={"weights": weights}, average_decay=0.5, precision=precision)
    bad = next(batch for batch in batches(3) if 0 in batch)
    good = next(batch for batch in batches(3) if 0 not in batch)
    engine.step(engine.prepare(good), 1.0)
    before = {name: tensor.clone() for name, tensor in engine.state()[0].items()}
    engine.step(engine.prepare(bad), 1.0)
    after = engine.state()[0]
    assert all(torch.equal(before[name], after[name]) for name in before)
    engine.step(engine.prepare(good), 1.0)
    totals = engine.read()
    assert (totals.steps, totals.skipped, totals.last_skipped) == (3, 1, 1)
    assert difference(engine.weights(), engine.saved(before)) > 1e-4
    assert all(torch.isfinite(tensor).all() for tensor in engine.weights().values())


@pytest.mark.parametrize("average", [0.0, 0.9])
def test_a_restored_engine_goes_on_the_same(average: float) -> None:
    """Bit by bit, dropout included."""
    whole = plain(average_decay=average, dropout=0.1)
    torch.manual_seed(3)
    run(whole, 3)
    tensors, values = whole.state()
    tensors = {name: tensor.clone() for name, tensor in tensors.items()}
    state = torch.get_rng_state()
    run(whole, 6, start=3)
    second = plain(average_decay=average, dropout=0.1)
    torch.manual_seed(99)
    second.restore(tensors, values)
    torch.set_rng_state(state)
    run(second, 6, start=3)
    assert all(torch.equal(value, second.weights()[name]) for name, value in whole.weights().items())


def test_averages_are_what_is_measured_and_saved() -> None:
    engine, own = plain(average_decay=0.9), plain()
    average = WeightAverage(own.model, 0.9)
    for step, batch in enumerate(batches(4)):
        for one in (engine, own):
            one.step(one.prepare(batch), 1.0 - 0.1 * step)
        average.update()
    expected = {name.removeprefix("average."): value for name, value in average.state_dict().items() if name != "count"}
    assert all(torch.equal(value, engine.weights()[name]) for name, value in expected.items())
    model = tiny("bert")
    model.load_state_dict(expected, strict=False)
    ids = texts(20, seed=4)
    with torch.no_grad():
        alone = [Classifier(model.eval())(Layout("dynamic", ROW, 0).tokens([one])) for one in ids]
    assert np.allclose(engine.logits(ids), torch.cat(alone).numpy(), atol=1e-5)


def test_checkpointing_gives_the_same_steps() -> None:
    torch.manual_seed(0)
    plainly = run(plain(dropout=0.1), 3).weights()
    torch.manual_seed(0)
    assert difference(run(plain(dropout=0.1, checkpointing=True), 3).weights(), plainly) < 1e-6


def test_bfloat16_stays_near() -> None:
    engine = run(plain(precision="bf16"), 3)
    assert all(value.dtype == torch.float32 for value in engine.weights().values())
    assert 0 < difference(engine.weights(), run(plain(), 3).weights()) < 0.05


def test_frozen_weights_stay() -> None:
    model = tiny("bert", dropout=0.0)
    model.base_model.requires_grad_(requires_grad=False)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    engine = run(plain(model=model), 2)
    assert set(engine.weights()) == {"classifier.weight", "classifier.bias"}
    same = {name for name, value in model.state_dict().items() if torch.equal(value, before[name])}
    assert set(before) - same == {"classifier.weight", "classifier.bias"}
