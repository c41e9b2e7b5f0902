"""Where a model fails, as a Markdown table: of each capability, the tests that it fails most, each with a case.

    python benchmarks/where_it_fails.py [--model FOLDER] [--write docs/accuracy.md]

``--write`` replaces what stands between the two markers in a file, so that a new model needs one command.
"""

import argparse
from pathlib import Path

from affekt.classifier import EmotionClassifier
from affekt.evaluation.behaviour import (
    Behaviour,
    Fairness,
    Subject,
    read_fairness_suite,
    read_suite,
    run_fairness,
    run_suites,
)
from affekt.files import atomic_file

START, END = "<!-- where it fails -->", "<!-- end -->"
WORST = {"negation": 3, "emoji": 3, "slang": 2, "mixed emotions": 2}
"""Tests shown of a capability; one of every other."""
WELL = 0.95
"""A capability is not taken apart from this pass rate on."""
LARGE = 0.01
"""Fairness gaps below this are not listed."""
PROBES = (
    "",
    "This is the best day of my life",
    "THIS IS THE BEST DAY OF MY LIFE",
    "not happy at all",
    "😍",
    "im dead 💀",
)


def rows(found: Behaviour) -> list[str]:
    """One line per test shown, capabilities with the most failures first; none for those that hardly fail."""
    capabilities = sorted(
        (item for item in found.by_capability().items() if item[1].rate < WELL), key=lambda i: i[1].rate
    )
    tests = found.by_test()
    first = {outcome.case.test.name: outcome for outcome in found.failures(per_test=1)}
    lines = []
    for capability, rate in capabilities:
        failed = sorted((r.rate, t) for (c, t), r in tests.items() if c == capability and r.passed < r.cases)
        head = f"{capability}, {rate.rate:.0%} of {rate.cases:,}"
        for place, (_, name) in enumerate(failed[: WORST.get(capability, 1)]):
            outcome, of = first[name], tests[capability, name]
            changed = "" if outcome.case.changed is None else f" → {quoted(outcome.case.changed)}"
            case = f"{quoted(outcome.case.text)}{changed}: {outcome.problem}"
            lines.append(f"| {'' if place else head} | {name}, {of.passed} of {of.cases} | {case} |")
    return lines


def unharmed(found: Behaviour) -> str:
    """The capabilities that hardly fail."""
    well = [
        f"{name} {rate.rate:.0%} of {rate.cases:,}" for name, rate in found.by_capability().items() if rate.rate >= WELL
    ]
    return f"What hardly fails: {', '.join(well)}."


def fairness(found: Fairness) -> str:
    """The gaps that are more than chance, and the identity words that do most."""
    gaps = [
        f"{item.name}, {gap.emotion} {gap.mean:.3f} [{gap.interval[0]:.3f}, {gap.interval[1]:.3f}] "
        f"({gap.high.replace('_', ' ')} over {gap.low.replace('_', ' ')})"
        for item in found.attributes
        for gap in item.gaps
        if gap.clear and gap.mean >= LARGE
    ]
    words = [f"{s.word}: {s.emotion} {s.shift:+.3f}" for s in found.identity if abs(s.shift) > s.usual][:4]
    return (
        f"Fairness: mean gaps between groups, {LARGE} or more and more than chance: {'; '.join(gaps) or 'none'}. "
        f"Identity words that move an emotion most: {', '.join(words) or 'none'}."
    )


def quoted(text: str) -> str:
    """The text so that Markdown leaves it alone."""
    return f"`{text}`".replace("|", "\\|") if text else "(empty)"


def probes(classifier: EmotionClassifier) -> str:
    """What the model says of texts that are often asked about."""
    said = []
    for text, found in zip(PROBES, classifier.predict(list(PROBES)), strict=True):
        decided = ", ".join(f"{name} {found.scores[name]:.2f}" for name in found.emotions)
        said.append(f"{quoted(text)} {decided or 'nothing'}")
    return "; ".join(said)


def main() -> None:
    """Run the shipped suite and print or write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--write", type=Path, help="A Markdown file with the two markers.")
    asked = parser.parse_args()
    classifier = EmotionClassifier.load(asked.model)
    found = run_suites(Subject.of(classifier), [read_suite()])
    total = found.total
    head = f"{total.passed:,} of {total.cases:,} cases pass ({total.rate:.0%}). As printed: {probes(classifier)}."
    table = ["| capability, passed | fails most | for instance |", "| --- | --- | --- |", *rows(found)]
    gaps = fairness(run_fairness(Subject.of(classifier), read_fairness_suite()))
    made = "\n".join([head, "", *table, "", unharmed(found), "", gaps])
    if asked.write is None:
        print(made)
        return
    before, _, rest = asked.write.read_text(encoding="utf-8").partition(START)
    _, marker, after = rest.partition(END)
    if not marker:
        raise SystemExit(f"'{asked.write}' lacks the markers '{START}' and '{END}'.")
    with atomic_file(asked.write) as temporary:
        temporary.write_text(f"{before}{START}\n{made}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
