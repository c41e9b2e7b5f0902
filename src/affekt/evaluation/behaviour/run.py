"""Running suites on a model: every text scored once, every case judged, rates per capability."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from affekt.errors import SettingError
from affekt.evaluation.behaviour.expand import Case, cases_of
from affekt.evaluation.behaviour.judge import Expectation, Sight
from affekt.evaluation.behaviour.subject import Subject
from affekt.evaluation.behaviour.suite import Suite


@dataclass(frozen=True)
class Outcome:
    """One case and how it went.

    Attributes:
        case: the case.
        problem: why it failed; empty if it passed.
        before: decided labels of the text.
        after: decided labels of the changed text; None for kind ``minimum``.
    """

    case: Case
    problem: str
    before: tuple[str, ...]
    after: tuple[str, ...] | None

    @property
    def passed(self) -> bool:
        """Whether the model did what was expected."""
        return not self.problem

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        test = self.case.test
        return {
            "capability": test.capability, "test": test.name, "kind": test.kind, "text": self.case.text,
            "changed": self.case.changed, "problem": self.problem, "before": self.before, "after": self.after,
        }  # fmt: skip


@dataclass(frozen=True)
class Rate:
    """How often cases passed.

    Attributes:
        cases: how many there were.
        passed: how many passed.
    """

    cases: int
    passed: int

    @property
    def rate(self) -> float:
        """Share that passed."""
        return self.passed / self.cases if self.cases else float("nan")


@dataclass(frozen=True)
class Behaviour:
    """What suites found.

    Attributes:
        outcomes: every case.
        skipped: names of tests about labels that this label set does not have.
    """

    outcomes: tuple[Outcome, ...]
    skipped: tuple[str, ...] = ()

    @property
    def total(self) -> Rate:
        """Over all cases."""
        return _rate(self.outcomes)

    def by_capability(self) -> dict[str, Rate]:
        """Rate per capability, in the order of the suites."""
        return _rates(self.outcomes, [outcome.case.test.capability for outcome in self.outcomes])

    def by_test(self) -> dict[tuple[str, str], Rate]:
        """Rate per (capability, test)."""
        return _rates(self.outcomes, [(o.case.test.capability, o.case.test.name) for o in self.outcomes])

    def by_kind(self) -> dict[str, dict[str, Rate]]:
        """Rate per capability and kind."""
        found = _rates(self.outcomes, [(o.case.test.capability, o.case.test.kind) for o in self.outcomes])
        table: dict[str, dict[str, Rate]] = {}
        for (capability, kind), rate in found.items():
            table.setdefault(capability, {})[kind] = rate
        return table

    def failures(self, per_test: int | None = None) -> list[Outcome]:
        """Cases that failed, at most ``per_test`` of each test."""
        seen: Counter[str] = Counter()
        found = []
        for outcome in self.outcomes:
            name = outcome.case.test.name
            if not outcome.passed and (per_test is None or seen[name] < per_test):
                seen[name] += 1
                found.append(outcome)
        return found

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "cases": self.total.cases,
            "passed": self.total.passed,
            "capabilities": {n: {"cases": r.cases, "passed": r.passed} for n, r in self.by_capability().items()},
            "tests": [
                {"capability": c, "test": t, "cases": r.cases, "passed": r.passed}
                for (c, t), r in self.by_test().items()
            ],
            "skipped": list(self.skipped),
            "failures": [outcome.to_dict() for outcome in self.failures()],
        }


def _rate(outcomes: Sequence[Outcome]) -> Rate:
    return Rate(len(outcomes), sum(outcome.passed for outcome in outcomes))


def _rates(outcomes: Sequence[Outcome], keys: Sequence[Any]) -> dict[Any, Rate]:
    groups: dict[Any, list[Outcome]] = {}
    for outcome, key in zip(outcomes, keys, strict=True):
        groups.setdefault(key, []).append(outcome)
    return {key: _rate(group) for key, group in groups.items()}


def run_suites(subject: Subject, suites: Iterable[Suite], *, only: Iterable[str] = (), seed: int = 0) -> Behaviour:
    """Run every case of some suites.

    Args:
        subject: what is tested.
        suites: what it is tested on.
        only: capabilities to run; all by default.
        seed: of the samples that large templates are reduced to.

    Raises:
        DataError: if a template names words that its suite does not have.
        SettingError: if a capability asked for does not exist.
    """
    planned: list[tuple[Case, Expectation]] = []
    skipped: list[str] = []
    tests = [(suite, test) for suite in suites for test in suite.test]
    wanted = _wanted(only, [test.capability for _, test in tests])
    for suite, test in tests:
        if test.capability in wanted:
            expectation = Expectation.of(test, suite, subject)
            if expectation is None:
                skipped.append(test.name)
            else:
                planned += [(case, expectation) for case in cases_of(test, suite, seed)]
    return Behaviour(tuple(_judged(subject, planned)), tuple(skipped))


def _wanted(only: Iterable[str], known: Sequence[str]) -> set[str]:
    asked = set(only)
    unknown = sorted(asked - set(known))
    if unknown:
        names = ", ".join(dict.fromkeys(known))
        raise SettingError(f"There is no capability '{unknown[0]}'.", hint=f"The suites have: {names}.")
    return asked or set(known)


def _judged(subject: Subject, planned: Sequence[tuple[Case, Expectation]]) -> Iterator[Outcome]:
    """Outcomes in order; each distinct text is scored once."""
    texts = dict.fromkeys(text for case, _ in planned for text in (case.text, case.changed) if text is not None)
    row = {text: index for index, text in enumerate(texts)}
    scores = subject.scores(list(texts))
    decided = subject.decide(scores)

    def see(text: str) -> Sight:
        return Sight(scores[row[text]], decided[row[text]])

    def names(text: str) -> tuple[str, ...]:
        return tuple(subject.labels[column] for column in np.flatnonzero(decided[row[text]]))

    for case, expectation in planned:
        after = None if case.changed is None else see(case.changed)
        problem = expectation.problem(see(case.text), after)
        yield Outcome(case, problem, names(case.text), None if case.changed is None else names(case.changed))
