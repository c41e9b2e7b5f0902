"""Learning-rate schedules: a pure function from the optimizer step to a factor of the peak rate."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

from affekt.errors import SettingError

ScheduleName = Literal["cosine", "linear", "constant"]


def _cosine(progress: float) -> float:
    return max(0.0, 0.5 * (1.0 + math.cos(math.pi * progress)))


def _linear(progress: float) -> float:
    return max(0.0, 1.0 - progress)


def _constant(_progress: float) -> float:
    return 1.0


_DECAYS: dict[str, Callable[[float], float]] = {"cosine": _cosine, "linear": _linear, "constant": _constant}


@dataclass(frozen=True, slots=True)
class Schedule:
    """Linear warm-up from 0 to 1, then a decay from 1 to ``floor``.

    Without a floor the factors are those of transformers' ``get_cosine_schedule_with_warmup``,
    ``get_linear_schedule_with_warmup`` and ``get_constant_schedule_with_warmup``. Nothing is kept between calls, so
    resuming at a step needs nothing but the step.

    Args:
        name: ``cosine``, ``linear`` or ``constant``.
        steps: optimizer steps of the whole training, at least 1.
        warmup_ratio: share of the steps spent on warm-up, in [0, 1]; the steps are rounded up, as transformers does.
        floor: the factor in [0, 1] that the decay ends at.

    Raises:
        SettingError: a value outside its range.

    Example:
        >>> schedule = Schedule("cosine", steps=100, warmup_ratio=0.1)
        >>> [round(schedule(step), 3) for step in (0, 5, 10, 55, 99)]
        [0.0, 0.5, 1.0, 0.5, 0.0]
    """

    name: ScheduleName
    steps: int
    warmup_ratio: float = 0.0
    floor: float = 0.0

    def __post_init__(self) -> None:
        """Check the values' ranges."""
        if self.name not in _DECAYS:
            names = ", ".join(get_args(ScheduleName))
            raise SettingError(f"There is no schedule '{self.name}'.", hint=f"Choose one of: {names}.")
        if self.steps < 1:
            raise SettingError(f"A schedule's 'steps' must be at least 1, got {self.steps}.")
        for parameter in ("warmup_ratio", "floor"):
            if not 0.0 <= (value := getattr(self, parameter)) <= 1.0:
                raise SettingError(f"A schedule's '{parameter}' must be in [0, 1], got {value!r}.")

    @property
    def warmup_steps(self) -> int:
        """Optimizer steps of the warm-up."""
        return math.ceil(self.steps * self.warmup_ratio)

    def __call__(self, step: int) -> float:
        """The factor for optimizer step ``step``, counted from 0; past the end it stays at the last one."""
        if step < self.warmup_steps:
            return step / max(1, self.warmup_steps)
        progress = min(1.0, (step - self.warmup_steps) / max(1, self.steps - self.warmup_steps))
        return self.floor + (1.0 - self.floor) * _DECAYS[self.name](progress)
