"""Sharded tensors are saved whole and come back sharded; two processes over gloo."""

from pathlib import Path

import pytest
import torch
from test_processes import launch

from affekt.training.engines.sharded import put, spread, whole

WORKER = """
import sys
import torch
from torch import distributed
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.tensor import DTensor, Shard, distribute_tensor
from affekt.training.engines.sharded import put, spread, whole

mesh = init_device_mesh("cpu", (2,))
full = torch.arange(10.0).reshape(5, 2)
sharded = distribute_tensor(full, mesh, [Shard(0)])
assert torch.equal(whole(sharded), full)
put(sharded, full * 2)
assert isinstance(sharded, DTensor)
assert torch.equal(whole(sharded), full * 2)
parameter = torch.nn.Parameter(sharded)
optimizer = torch.optim.AdamW([parameter])
optimizer.state[parameter] = {"exp_avg": full.clone(), "step": torch.tensor(3.0)}
spread(optimizer)
moment = optimizer.state[parameter]["exp_avg"]
assert isinstance(moment, DTensor)
assert moment.placements == parameter.placements
assert torch.equal(whole(moment), full)
assert not isinstance(optimizer.state[parameter]["step"], DTensor)
distributed.destroy_process_group()
"""


@pytest.mark.slow
def test_sharded_tensors_go_and_come(tmp_path: Path) -> None:
    launch(WORKER, str(tmp_path))


def test_whole_tensors_stay_what_they_are() -> None:
    tensor = torch.ones(3)
    assert whole(tensor) is tensor
    put(tensor, torch.zeros(3))
    assert torch.equal(tensor, torch.zeros(3))
    parameter = torch.nn.Parameter(torch.ones(3))
    optimizer = torch.optim.AdamW([parameter])
    optimizer.state[parameter] = {"exp_avg": tensor}
    spread(optimizer)
    assert optimizer.state[parameter]["exp_avg"] is tensor
