"""Whether a model did what a test expects, in words when it did not."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from affekt.evaluation.behaviour.subject import Subject
from affekt.evaluation.behaviour.suite import Suite, Test

FloatArray = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Sight:
    """What the model says of one text: ``scores`` and ``decided``, (labels,) each."""

    scores: FloatArray
    decided: BoolArray


@dataclass(frozen=True)
class Expectation:
    """A test's expectation in the columns of one label set.

    Attributes:
        test: as written.
        labels: names of the columns.
        any_of: columns of which one must be decided; empty if nothing is asked.
        all_of: for each, columns of which one must be decided.
        none_of: columns that must not be decided.
        up: columns whose highest score must rise.
        down: columns whose highest score must fall.
    """

    test: Test
    labels: tuple[str, ...]
    any_of: list[int]
    all_of: list[list[int]]
    none_of: list[int]
    up: list[int]
    down: list[int]

    @classmethod
    def of(cls, test: Test, suite: Suite, subject: Subject) -> "Expectation | None":
        """The expectation, or None if the label set lacks the labels that it is about."""
        found = cls(
            test,
            subject.labels,
            subject.touching(suite.labels_of(test.any_of)),
            [subject.touching(suite.labels_of((name,))) for name in test.all_of],
            subject.within(suite.labels_of(test.none_of)),
            subject.touching(suite.labels_of(test.up)),
            subject.within(suite.labels_of(test.down)),
        )
        return found if found._is_possible() else None

    def _is_possible(self) -> bool:
        asked = (
            (self.test.any_of, self.any_of), (self.test.none_of, self.none_of), (self.test.up, self.up),
            (self.test.down, self.down),
        )  # fmt: skip
        return all(columns for names, columns in asked if names) and all(self.all_of)

    def problem(self, before: Sight, after: Sight | None) -> str:
        """Why the case fails, one sentence; empty if it passes."""
        if after is None:
            return self._minimum(before)
        return self._direction(before, after) if self.test.kind == "direction" else self._invariance(before, after)

    def _minimum(self, seen: Sight) -> str:
        for columns in ([self.any_of] if self.any_of else []) + self.all_of:
            if not seen.decided[columns].any():
                return f"{self._nearest(columns, seen)} was not decided"
        wrong = [column for column in self.none_of if seen.decided[column]]
        return f"{self._names(wrong, seen)} was decided" if wrong else ""

    def _invariance(self, before: Sight, after: Sight) -> str:
        flipped = before.decided != after.decided
        moved = np.abs(after.scores - before.scores)
        wrong = np.flatnonzero(flipped & (moved >= self.test.tolerance)).tolist()
        if not wrong:
            return ""
        moves = (f"{self.labels[c]} {before.scores[c]:.2f} → {after.scores[c]:.2f}" for c in wrong)
        return f"the answer changed: {', '.join(moves)}"

    def _direction(self, before: Sight, after: Sight) -> str:
        for columns, sign, verb in ((self.up, 1, "rise"), (self.down, -1, "fall")):
            if not columns:
                continue
            start, end = float(before.scores[columns].max()), float(after.scores[columns].max())
            if sign * (end - start) < self.test.margin:
                label = self.labels[columns[int(before.scores[columns].argmax())]]
                much = f" by {self.test.margin:.2f}" if self.test.margin > 0 else ""
                return f"{label} did not {verb}{much}: {start:.2f} → {end:.2f}"
        return ""

    def _nearest(self, columns: list[int], seen: Sight) -> str:
        best = columns[int(seen.scores[columns].argmax())]
        more = " or its like" if len(columns) > 1 else ""
        return f"{self.labels[best]}{more} ({seen.scores[best]:.2f})"

    def _names(self, columns: list[int], seen: Sight) -> str:
        return ", ".join(f"{self.labels[column]} ({seen.scores[column]:.2f})" for column in columns)
