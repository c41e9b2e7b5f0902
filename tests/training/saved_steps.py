"""What the tests of checkpoints save, and how they compare it."""

from pathlib import Path
from typing import Any

import torch

from affekt.training.checkpoints.checkpoint import Checkpoints


def tensors(step: int) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(step)
    weight = torch.randn(40, 30, generator=generator)
    return {
        "weight": weight,
        "transposed": weight.T,
        "shared": weight[:2],
        "narrow": weight.bfloat16(),
        "half": weight.half(),
        "wide": weight.double(),
        "bytes": torch.randint(0, 255, (50,), generator=generator, dtype=torch.uint8),
        "flags": torch.rand(9, generator=generator) < 0.5,
        "step": torch.tensor(step),
        "empty": torch.zeros(0, 3),
        "odd": torch.tensor([float("nan"), float("inf"), -0.0]),
    }


def state(step: int) -> dict[str, Any]:
    return {
        "step": step,
        "best": None if step < 2 else 1 / 3,
        "huge": 2**100,
        "text": "naïve ❤",
        "nested": {"a": [1, "b"]},
    }


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return set(one) == set(other) and all(torch.equal(one[n].isnan(), other[n].isnan()) for n in one) and all(
        torch.equal(one[n].nan_to_num(nan=1.0), other[n].nan_to_num(nan=1.0)) for n in one if one[n].is_floating_point()
    ) and all(torch.equal(one[n], other[n]) for n in one if not one[n].is_floating_point())  # fmt: skip


def saved(folder: Path, steps: int = 3, keep: int = 3) -> Checkpoints:
    checkpoints = Checkpoints(folder, keep)
    for step in range(1, steps + 1):
        checkpoints.save(step, tensors(step), state(step))
    return checkpoints
