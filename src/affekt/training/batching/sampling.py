"""Which texts each optimizer step sees: a function of the seed and the step, whatever the number of processes."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from affekt.errors import SettingError

Indices = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class BatchPlan:
    """Every epoch visits every text once, in an order of its own, in global batches; the last may be shorter.

    Nothing is kept between calls: a run resumed at a step goes on exactly as if it had not stopped, and the global
    batches do not depend on the number of processes.

    Texts of a pool, numbered after the training texts, may be mixed in: some each epoch, all of them before one comes
    again.

    Args:
        texts: size of the training set, at least 1.
        batch_size: texts per optimizer step over all processes, at least 1.
        seed: of the orders.
        world_size: number of processes, at least 1.
        rank: this process, in [0, world_size).
        pool: size of the pool.
        drawn: texts of the pool that an epoch sees, 0 if the pool is empty.

    Raises:
        SettingError: a value outside its range.

    Example:
        >>> plan = BatchPlan(texts=10, batch_size=4, seed=0)
        >>> [len(plan.batch(step)) for step in range(plan.steps_per_epoch)]
        [4, 4, 2]
    """

    texts: int
    batch_size: int
    seed: int
    world_size: int = 1
    rank: int = 0
    pool: int = 0
    drawn: int = 0

    def __post_init__(self) -> None:
        """Check the values' ranges."""
        for parameter in ("texts", "batch_size", "world_size"):
            if (value := getattr(self, parameter)) < 1:
                raise SettingError(f"A batch plan's '{parameter}' must be at least 1, got {value}.")
        if not 0 <= self.rank < self.world_size:
            raise SettingError(f"A batch plan's 'rank' must be in [0, {self.world_size}), got {self.rank}.")
        if self.pool < 0 or self.drawn < 0 or (self.drawn and not self.pool):
            raise SettingError(f"A batch plan cannot draw {self.drawn} texts from a pool of {self.pool}.")
        if self.seed < 0:
            raise SettingError(f"A batch plan's 'seed' must be at least 0, got {self.seed}.")

    @property
    def steps_per_epoch(self) -> int:
        """Optimizer steps of one epoch."""
        return -(-(self.texts + self.drawn) // self.batch_size)

    def order(self, epoch: int) -> Indices:
        """The texts (texts + drawn,) in the order of ``epoch``, counted from 0."""
        order = _permutation(self.texts + self.drawn, self.seed, epoch)
        if not self.drawn:
            return order
        seen = np.concatenate([np.arange(self.texts), self.texts + self._draw(epoch)])
        return seen[order]

    def _draw(self, epoch: int) -> Indices:
        """The pool's texts (drawn,) of ``epoch``: a stretch of one permutation of the pool after another."""
        rounds, places = np.divmod(np.arange(epoch * self.drawn, (epoch + 1) * self.drawn), self.pool)
        drawn = [
            _permutation(self.pool, self.seed, number, 1)[places[rounds == number]]
            for number in range(rounds[0], rounds[-1] + 1)
        ]
        return np.concatenate(drawn)

    def epoch_batches(self, epoch: int, start: int = 0) -> Iterator[Indices]:
        """The global batches of ``epoch`` from its ``start``-th on."""
        order = self.order(epoch)
        for step in range(start, self.steps_per_epoch):
            yield order[step * self.batch_size : (step + 1) * self.batch_size]

    def batch(self, step: int) -> Indices:
        """The global batch of optimizer step ``step``, counted from 0 over all epochs."""
        epoch, within = divmod(step, self.steps_per_epoch)
        return next(self.epoch_batches(epoch, within))

    def batches(self, start: int, stop: int) -> Iterator[Indices]:
        """The global batches of optimizer steps ``start`` to ``stop`` (not included), across epochs."""
        step = start
        while step < stop:
            epoch, within = divmod(step, self.steps_per_epoch)
            for batch in self.epoch_batches(epoch, within):
                if step >= stop:
                    return
                yield batch
                step += 1

    def share(self, batch: Indices) -> Indices:
        """This process's texts of a global batch; together the processes have each text once.

        Of a batch smaller than ``world_size`` some processes get nothing, and must still take part in the step.
        """
        return batch[self.rank :: self.world_size]


def _permutation(size: int, *seed: int) -> Indices:
    """Numbers below ``size``, sorted by raw numbers of PCG64.

    Numpy promises to keep that stream, unlike that of ``Generator.permutation``.
    """
    raw = np.random.PCG64(np.random.SeedSequence(seed)).random_raw(size)
    return np.argsort(raw, kind="stable").astype(np.int64)
