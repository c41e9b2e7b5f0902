"""Packed rows give what padded batches give: the same logits, losses and gradients, for every architecture."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_models import LABELS, PACKED, SETTINGS, targets, texts, tiny
from transformers import PreTrainedModel

from affekt.errors import TrainingError
from affekt.training.batching.batches import Layout, MicroBatch
from affekt.training.batching.packing import assign_rows, pack, packed_logits
from affekt.training.losses.losses import make_loss
from affekt.training.losses.objective import Classifier, Objective
from affekt.training.networks.architectures import ARCHITECTURES, architecture_of

torch.set_num_threads(1)
ROW = 32


def layouts(model: PreTrainedModel) -> tuple[Layout, Layout]:
    known = architecture_of(model)
    assert known is not None
    pad = model.config.pad_token_id
    return Layout("packed", ROW, pad, known.first_position(model.config)), Layout("dynamic", ROW, pad)


def loss_and_gradients(model: PreTrainedModel, layout: Layout, count: int) -> tuple[float, dict[str, torch.Tensor]]:
    model.zero_grad()
    tokens = layout.tokens(texts(count))
    weights = torch.linspace(0.5, 1.5, count, dtype=torch.float64)
    batch = MicroBatch(tokens, torch.from_numpy(targets(count)).double(), weights)
    loss = Objective(make_loss("asymmetric"))(Classifier(model), batch)
    loss.backward()
    return loss.item(), {n: p.grad.clone() for n, p in model.named_parameters() if p.grad is not None}


@pytest.mark.parametrize("attention", ["default", "eager"])
@pytest.mark.parametrize("kind", PACKED)
def test_packed_equals_padded_in_float64(kind: str, attention: str) -> None:
    narrow = (kind, attention) == ("modernbert", "eager")  # whose softmax is float32, and NaN where all is padding
    wide, tolerance = ({"local_attention": 64}, 1e-6) if narrow else ({}, 1e-10)
    model = tiny(kind, dropout=0.0, **wide).double()
    if attention != "default":
        model.set_attn_implementation(attention)
    packed, padded = (loss_and_gradients(model, layout, 11) for layout in layouts(model))
    assert packed[0] == pytest.approx(padded[0], rel=tolerance)
    assert packed[1].keys() == padded[1].keys()
    largest = max(gradient.abs().max() for gradient in padded[1].values())
    for name, gradient in padded[1].items():
        scale = gradient.abs().max().clamp(min=1e-6 * largest)  # attention's key biases have none but rounding
        assert ((packed[1][name] - gradient).abs().max() / scale).item() < tolerance, name


@pytest.mark.parametrize("kind", PACKED)
def test_dropout_changes_nothing_but_itself(kind: str) -> None:
    """In evaluation mode the logits agree in float32 whatever else lies in the rows, empty rows included."""
    model = tiny(kind).eval()
    layout, _ = layouts(model)
    ids = texts(7)
    together = packed_logits(model, layout.tokens(ids, rows=9))  # type: ignore[arg-type]
    alone = torch.cat([packed_logits(model, layout.tokens([one])) for one in ids])  # type: ignore[arg-type]
    assert together.shape == (7, LABELS)
    assert torch.allclose(together, alone, atol=1e-5)


@pytest.mark.parametrize("kind", PACKED)
def test_bfloat16_agrees_within_rounding(kind: str) -> None:
    model = tiny(kind).eval()
    layout, padded = layouts(model)
    ids = texts(9)
    with torch.no_grad():
        exact = Classifier(model)(padded.tokens(ids))
        narrow = Classifier(model.to(torch.bfloat16))(layout.tokens(ids)).float()
    assert ((narrow - exact).abs().max() / exact.abs().max()).item() < 0.05


def test_every_known_family_is_tested() -> None:
    assert set(ARCHITECTURES) <= {*PACKED, "camembert"}  # CamemBERT is RoBERTa by another name


def test_other_families_are_refused() -> None:
    model = tiny("deberta-v2")
    assert architecture_of(model) is None
    with pytest.raises(TrainingError, match=r"deberta-v2.*batching=padded"):
        packed_logits(model, pack(texts(2), ROW, pad_id=0, first_position=0))


def test_a_mean_pooling_head_is_refused() -> None:
    assert architecture_of(tiny("modernbert", classifier_pooling="mean")) is None
    assert architecture_of(tiny("modernbert", classifier_pooling="cls")) is not None


def test_position_bias_on_device_is_the_same() -> None:
    model = tiny("mpnet")
    stock = model.base_model.encoder.compute_position_bias
    hidden = torch.zeros(3, 70, 32)
    expected = stock(hidden)
    ARCHITECTURES["mpnet"].prepare(model)
    assert torch.equal(model.base_model.encoder.compute_position_bias(hidden), expected)
    assert torch.equal(model.base_model.encoder.compute_position_bias(hidden, torch.arange(70)[None]), expected)


def test_every_architecture_can_be_prepared() -> None:
    for kind in PACKED:
        ARCHITECTURES[kind].prepare(tiny(kind))
    assert set(SETTINGS) - set(PACKED) == {"deberta-v2"}


lengths = st.lists(st.integers(1, ROW), max_size=60)


@given(lengths)
def test_rows_hold_every_text_once_and_nothing_overflows(sizes: list[int]) -> None:
    rows = assign_rows(sizes, ROW)
    assert sorted(text for row in rows for text in row) == list(range(len(sizes)))
    assert all(sum(sizes[text] for text in row) <= ROW for row in rows)
    assert len(rows) <= 2 * -(-sum(sizes) // ROW) or not sizes
    assert sum(sum(sizes[text] for text in row) <= ROW // 2 for row in rows) <= 1  # two such rows would be one


@given(st.lists(st.integers(1, ROW), min_size=1, max_size=30), st.integers(0, 3), st.integers(0, 2))
@settings(deadline=None)
def test_packed_tokens_can_be_taken_apart_again(sizes: list[int], more: int, first_position: int) -> None:
    rng = np.random.default_rng(0)
    ids = [rng.integers(3, 50, size).astype(np.int32) for size in sizes]
    rows = len(assign_rows(sizes, ROW)) + more
    tokens = pack(ids, ROW, pad_id=0, first_position=first_position, rows=rows)
    assert tokens.rows == rows
    flat, positions, segments = (t.flatten() for t in (tokens.input_ids, tokens.position_ids, tokens.segment_ids))
    for number, one in enumerate(ids):
        place = torch.nonzero(segments == number).flatten()
        assert flat[place].tolist() == one.tolist()
        assert positions[place].tolist() == list(range(first_position, first_position + len(one)))
        assert place[0].item() == tokens.first[number].item()
        assert torch.equal(place, torch.arange(place[0].item(), place[0].item() + len(one)))  # in one piece
        assert place[0].item() // ROW == place[-1].item() // ROW  # in one row
    assert (flat[segments == -1] == 0).all()
    assert (segments == -1).sum().item() == rows * ROW - sum(sizes)


def test_a_text_longer_than_a_row_is_refused() -> None:
    with pytest.raises(TrainingError, match="33 tokens does not fit a row of 32"):
        assign_rows([5, 33], ROW)


def test_too_few_rows_are_refused() -> None:
    with pytest.raises(TrainingError, match="need 2 rows"):
        pack([np.ones(20, np.int32)] * 2, ROW, pad_id=0, first_position=0, rows=1)
