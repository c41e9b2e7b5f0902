"""Schedules equal transformers' own, stay within their bounds, and need nothing but the step."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import (
    get_constant_schedule_with_warmup,
    get_cosine_schedule_with_warmup,
    get_linear_schedule_with_warmup,
)

from affekt.errors import SettingError
from affekt.training.loop.schedules import Schedule

NAMES = ("cosine", "linear", "constant")


def theirs(name: str, steps: int, warmup: int) -> list[float]:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    if name == "constant":
        scheduler = get_constant_schedule_with_warmup(optimizer, warmup)
    else:
        make = {"cosine": get_cosine_schedule_with_warmup, "linear": get_linear_schedule_with_warmup}[name]
        scheduler = make(optimizer, warmup, steps)
    rates = []
    for _ in range(steps):
        rates.append(scheduler.get_last_lr()[0])
        optimizer.step()
        scheduler.step()
    return rates


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("steps", "ratio"), [(100, 0.0), (100, 0.1), (37, 0.06), (5, 1.0), (1, 0.0)])
def test_equals_transformers(name: str, steps: int, ratio: float) -> None:
    schedule = Schedule(name, steps, ratio)
    assert [schedule(step) for step in range(steps)] == pytest.approx(
        theirs(name, steps, schedule.warmup_steps), abs=1e-15
    )


@given(st.sampled_from(NAMES), st.integers(1, 10_000), st.floats(0, 1), st.floats(0, 1), st.integers(0, 20_000))
def test_factor_is_bounded_and_stays_at_the_floor(name: str, steps: int, ratio: float, floor: float, step: int) -> None:
    schedule = Schedule(name, steps, ratio, floor)
    assert 0.0 <= schedule(step) <= 1.0 + 1e-12
    if step >= schedule.warmup_steps:
        assert schedule(step) >= floor - 1e-12
        assert schedule(step + 1) <= schedule(step) + 1e-12
    if step >= max(steps, schedule.warmup_steps + 1) and name != "constant":
        assert schedule(step) == pytest.approx(floor)


def test_warmup_steps_are_rounded_up() -> None:
    assert Schedule("linear", 101, 0.1).warmup_steps == 11


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"name": "exponential", "steps": 3}, "exponential"),
        ({"name": "cosine", "steps": 0}, "steps"),
        ({"name": "cosine", "steps": 3, "warmup_ratio": 1.5}, "warmup_ratio"),
        ({"name": "cosine", "steps": 3, "floor": -0.1}, "floor"),
        ({"name": "cosine", "steps": 3, "floor": float("nan")}, "floor"),
    ],
)
def test_bad_settings_are_named(arguments: dict[str, object], named: str) -> None:
    with pytest.raises(SettingError, match=named):
        Schedule(**arguments)  # type: ignore[arg-type]
