"""Behaviour and fairness as tables for people."""

from rich.console import Group
from rich.table import Table
from rich.text import Text

from affekt.evaluation.behaviour.fairness import Fairness
from affekt.evaluation.behaviour.run import Behaviour, Rate

GAPS = 2
"""Emotions with the largest gaps that are shown for each way in which people differ."""
KINDS = {"minimum": "minimum", "invariance": "invariance", "direction": "direction"}


def behaviour_table(found: Behaviour, failures: int = 1) -> Group:
    """Pass rates per capability and kind, then some failures of each test.

    Args:
        found: what the suites found.
        failures: how many to show of each test.
    """
    table = Table("capability", "cases", "passed", *KINDS.values(), box=None, pad_edge=False, header_style="bold")
    for column in table.columns[1:]:
        column.justify = "right"
    kinds = found.by_kind()
    for capability, rate in found.by_capability().items():
        cells = [_percent(kinds[capability].get(kind)) for kind in KINDS]
        table.add_row(Text(capability), f"{rate.cases:,}", _percent(rate), *cells)
    table.add_row(Text("all", style="bold"), f"{found.total.cases:,}", _percent(found.total), style="bold")
    parts: list[Table | Text] = [table]
    if found.skipped:
        parts.append(Text(f"Not asked, because the label set lacks the emotions: {', '.join(found.skipped)}.", "dim"))
    shown = found.failures(failures)
    if shown:
        rates = found.by_test()
        parts.append(Text(f"\nFailures ({failures} of each test that has any; --out writes all):", style="bold"))
        for outcome in shown:
            test = outcome.case.test
            rate = rates[test.capability, test.name]
            parts.append(Text.assemble((f"{test.name}", "bold"), (f"  {rate.passed} of {rate.cases} passed", "dim")))
            change = f"\n  {outcome.case.changed}" if outcome.case.changed is not None else ""
            parts.append(Text(f"  {outcome.case.text}{change}"))
            parts.append(Text(f"    {outcome.problem}", style="yellow"))
    return Group(*parts)


def _percent(rate: Rate | None) -> str:
    return "" if rate is None or not rate.cases else f"{rate.rate:.0%}"


def fairness_table(found: Fairness, words: int = 8) -> Group:
    """Per way in which people differ, the emotion with the largest gap; then the identity words that move most.

    Args:
        found: what the templates found.
        words: how many identity words to show.
    """
    table = Table(
        "differs", "emotion", "mean gap [95 %]", "", "worst", "between",
        box=None, pad_edge=False, padding=(0, 1), header_style="bold", title_justify="left", title_style="bold",
        title="\nFairness: scores when only the people change",
    )  # fmt: skip
    for column in table.columns[:5]:
        column.no_wrap = True
    for item in found.attributes:
        for place, gap in enumerate(item.gaps[:GAPS]):
            table.add_row(
                Text("" if place else item.name),
                Text(gap.emotion),
                f"{gap.mean:.3f} [{gap.interval[0]:.3f}, {gap.interval[1]:.3f}]",
                "clear" if gap.clear else "",
                f"{gap.worst:.3f}",
                Text(f"{gap.high}, {gap.low}".replace("_", " ")),
            )
    flips = ", ".join(f"{item.name} {item.flips:.0%}" for item in found.attributes)
    told = (
        "Clear: more than chance, after Bonferroni's correction for all emotions and pairs of groups. Worst: the "
        "largest gap in one sentence.\n"
    )
    told += f"Sentences in which two groups get different emotions, on average over pairs: {flips}."
    lines: list[Table | Text] = [table, Text(told)]
    if found.identity:
        lines.append(Text("\nIdentity words alone (beside the largest shift of a reference word):", style="bold"))
    for shift in found.identity[:words]:
        beyond = "" if abs(shift.shift) > shift.usual else " (no more than a reference word)"
        lines.append(Text(f"  {shift.word}: {shift.emotion} {shift.shift:+.3f} (usual {shift.usual:.3f}){beyond}"))
    return Group(*lines)
