"""Flat buffers hold what the parameters held, and the model runs on them."""

import pytest
import torch
from tiny_models import tiny

from affekt.training.engines import flat as module
from affekt.training.engines.flat import ALIGNMENT, FlatWeights
from affekt.training.engines.optimizers import parameter_groups

torch.set_num_threads(1)


def test_masters_are_the_weights_and_the_model_works_on_views() -> None:
    model = tiny("bert")
    before = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
    flat = FlatWeights(model, parameter_groups(model, weight_decay=0.1), torch.bfloat16)
    assert flat.named().keys() == before.keys()
    for name, parameter in model.named_parameters():
        assert torch.equal(flat.named()[name], before[name])
        assert parameter.dtype == torch.bfloat16
        assert torch.equal(parameter, before[name].to(torch.bfloat16))
        assert parameter.data_ptr() % 16 == 0
    flat.groups[0].master.add_(1.0)
    flat.publish()
    changed = [not torch.equal(p, before[name].to(torch.bfloat16)) for name, p in model.named_parameters()]
    assert any(changed)
    assert not all(changed)


def test_gradients_gather_in_the_flat_buffers() -> None:
    model = tiny("bert")
    flat = FlatWeights(model, parameter_groups(model), torch.float32)
    model(input_ids=torch.tensor([[3, 4, 5]])).logits.sum().backward()
    expected = torch.stack([p.grad.norm() for p in model.parameters()]).norm()
    assert flat.grad_norm().item() == pytest.approx(expected.item(), rel=1e-6)
    flat.zero_grad()
    assert all((p.grad == 0).all() for p in model.parameters())


def test_float32_needs_no_copy() -> None:
    model = tiny("bert")
    flat = FlatWeights(model, parameter_groups(model), torch.float32)
    assert all(group.compute is group.master for group in flat.groups)
    other = [torch.zeros_like(group.master) for group in flat.groups]
    assert set(flat.named(other)) == set(flat.named())
    assert all((value == 0).all() for value in flat.named(other).values())


def test_chunks_cover_a_group_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CHUNK", 10 * ALIGNMENT)
    model = tiny("bert")
    for group in FlatWeights(model, parameter_groups(model, weight_decay=0.1), torch.float32).groups:
        seen = torch.zeros_like(group.master)
        for place in group.chunks():
            assert place.stop - place.start <= 10 * ALIGNMENT
            seen[place] += 1
        assert (seen == 1).all()


def test_buffers_follow_the_compute_type() -> None:
    model = tiny("modernbert")
    FlatWeights(model, parameter_groups(model), torch.bfloat16)
    assert {buffer.dtype for buffer in model.buffers() if buffer.is_floating_point()} <= {torch.bfloat16}
