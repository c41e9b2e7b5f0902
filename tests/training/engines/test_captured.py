"""The fast engine takes the very steps of a plain AdamW loop, and goes on from a checkpoint as if never stopped."""

from typing import Any

import numpy as np
import pytest
import torch
from engines import DECAY, IDS, LR, ROW, TARGETS, TEXTS, WEIGHTS, batches, captured, difference, plain_loop, run
from tiny_models import LABELS, targets, texts, tiny

from affekt.errors import SettingError, TrainingError
from affekt.training.batching.batches import Layout
from affekt.training.engines import flat as flat_module
from affekt.training.engines.averaging import WeightAverage
from affekt.training.engines.captured import CapturedEngine
from affekt.training.engines.optimizers import parameter_groups
from affekt.training.losses.losses import make_loss
from affekt.training.losses.objective import Classifier, Objective


@pytest.mark.parametrize("size", [8, 3, 1])
@pytest.mark.parametrize("kind", ["bert", "roberta", "mpnet", "modernbert"])
def test_steps_are_those_of_a_plain_loop(kind: str, size: int) -> None:
    engine = run(captured(kind, size=size), 5)
    assert difference(engine.weights(), plain_loop(kind, 5)) < 1e-5


def test_a_shorter_last_batch_counts_as_it_should() -> None:
    engine = run(captured(size=4), 4, size=10)
    assert difference(engine.weights(), plain_loop("bert", 4, size=10)) < 1e-5


def test_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = run(captured(), 3).weights()
    monkeypatch.setattr(flat_module, "CHUNK", 2048)
    assert difference(run(captured(), 3).weights(), whole) < 1e-7


def test_totals_are_read_once() -> None:
    engine = run(captured(), 3)
    totals = engine.read()
    assert (totals.steps, totals.skipped, totals.last_skipped) == (3, 0, -1)
    assert totals.loss > 0
    assert totals.grad_norm > 0
    assert totals.mean_loss == pytest.approx(totals.loss / 3)
    assert engine.read().steps == 0
    assert np.isnan(engine.read().mean_loss)


def spoiled() -> dict[str, Any]:
    """A set whose text 0 has an infinite weight."""
    weights = WEIGHTS.copy()
    weights[0] = np.inf
    return {"weights": weights}


def test_steps_that_are_not_finite_leave_everything_as_it_was() -> None:
    engine = captured(data=spoiled(), average_decay=0.5)
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
    assert all(torch.isfinite(tensor).all() for tensor in engine.weights().values())
    assert not torch.equal(before["master.0"], engine.state()[0]["master.0"])


@pytest.mark.parametrize("decay", [0.6, 0.99])
def test_averages_are_those_of_weight_average(decay: float) -> None:
    engine, plain = captured(average_decay=decay), captured()
    average = WeightAverage(plain.classifier.model, decay)
    for step, batch in enumerate(batches(5)):
        for one in (engine, plain):
            one.step(one.prepare(batch), 1.0 - 0.1 * step)
        average.update()
    expected = {name.removeprefix("average."): value for name, value in average.state_dict().items() if name != "count"}
    assert difference(engine.weights(), expected) < 1e-5
    assert difference(engine.saved(engine.state()[0]), expected) < 1e-5
    assert difference(plain.weights(), expected) > 1e-4


@pytest.mark.parametrize("average", [0.0, 0.9])
def test_a_restored_engine_goes_on_the_same(average: float) -> None:
    whole = run(captured(average_decay=average), 6)
    first = run(captured(average_decay=average), 3)
    tensors, values = first.state()
    tensors = {name: tensor.clone() for name, tensor in tensors.items()}
    run(first, 5, start=3)  # what happens after a checkpoint must not reach it
    second = captured("bert", average_decay=average)
    second.restore(tensors, values)
    run(second, 6, start=3)
    assert all(torch.equal(value, second.weights()[name]) for name, value in whole.weights().items())


def test_logits_are_those_of_the_weights_that_would_be_saved() -> None:
    engine = run(captured(average_decay=0.9), 4)
    model = tiny("bert")
    model.load_state_dict(dict(engine.weights()))
    ids = texts(40, seed=3, longest=ROW)
    with torch.no_grad():
        alone = [Classifier(model.eval())(Layout("dynamic", ROW, 0).tokens([one])) for one in ids]
    assert np.allclose(engine.logits(ids), torch.cat(alone).numpy(), atol=1e-5)
    assert engine.classifier.training
    last = captured()
    last.restore({name: t for name, t in engine.state()[0].items() if "average" not in name}, {"update": {}})
    assert not np.allclose(last.logits(ids), engine.logits(ids), atol=1e-5)


def test_r_drop_takes_a_second_pass() -> None:
    with_dropout = [run(captured(dropout=0.1, r_drop=weight), 1).read().loss for weight in (0.0, 50.0)]
    without = [run(captured(r_drop=weight), 1).read().loss for weight in (0.0, 50.0)]
    assert with_dropout[1] > with_dropout[0]
    assert without[0] == pytest.approx(without[1], rel=1e-5)


def test_texts_of_no_weight_change_nothing() -> None:
    """A batch of two, in passes of eight: six of the places are empty."""
    engine = captured(size=8)
    engine.step(engine.prepare(np.array([3, 7])), 1.0)
    small = captured(size=2)
    small.step(small.prepare(np.array([3, 7])), 1.0)
    assert difference(engine.weights(), small.weights()) < 1e-5


@pytest.mark.parametrize(("kind", "batching"), [("deberta-v2", "packed"), ("bert", "dynamic")])
def test_what_cannot_be_captured_is_refused(kind: str, batching: str) -> None:
    model = tiny(kind)
    with pytest.raises(TrainingError, match=f"'{kind}' encoders in {batching} batches"):
        CapturedEngine(
            model, Objective(make_loss("bce")), parameter_groups(model), Layout(batching, ROW, 0),
            IDS, TARGETS, WEIGHTS,
            size=4,
        )  # fmt: skip


def test_eight_bit_states_need_a_gpu() -> None:
    with pytest.raises(SettingError, match="8-bit AdamW needs a CUDA device"):
        captured(optimizer="adamw8bit")
    with pytest.raises(SettingError, match="no optimizer 'sgd'"):
        captured(optimizer="sgd")


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("kind", ["bert", "roberta", "mpnet", "modernbert"])
def test_captured_steps_are_those_of_a_plain_loop(kind: str) -> None:
    model = tiny(kind, dropout=0.0).cuda()
    shape = Layout("packed", ROW, model.config.pad_token_id, captured(kind).layout.first_position)
    engine = CapturedEngine(
        model,
        Objective(make_loss("asymmetric")),
        parameter_groups(model, lr=LR, weight_decay=DECAY, layer_decay=0.9),
        shape,
        IDS,
        TARGETS,
        WEIGHTS,
        size=4,
        dtype=torch.float32,
    )
    run(engine, 5)
    weights = {name: value.cpu() for name, value in engine.weights().items()}
    assert difference(weights, plain_loop(kind, 5)) < 1e-4  # TF32 is off by default


def test_sets_are_as_the_tests_think() -> None:
    assert TARGETS.shape == (TEXTS, LABELS)
    assert np.array_equal(targets(TEXTS), TARGETS)
