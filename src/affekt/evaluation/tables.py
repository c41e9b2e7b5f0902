"""Evaluations and comparisons as tables for people."""

from typing import Any

from rich.console import Group
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from affekt.evaluation.bootstrap import Interval
from affekt.evaluation.match import Match
from affekt.evaluation.results import Evaluation, Outcome

FITTED = {
    "nothing": "nothing",
    "these texts": "these texts: flatters",
    "other folds": "cross-fitted",
    "other texts": "other texts",
}
"""What a rule was fitted on, for people."""

_METRICS = {
    "macro_f1": "macro-F1",
    "micro_f1": "micro-F1",
    "weighted_f1": "weighted F1",
    "samples_f1": "samples F1",
    "jaccard": "Jaccard",
    "subset_accuracy": "exact match",
    "hamming_loss": "Hamming loss",
}


def evaluation_table(evaluation: Evaluation) -> Group:
    """Headline, every way of deciding, and every label."""
    found = evaluation.means()
    level = f"{evaluation.best.intervals.level:.0%}"
    head = Text.from_markup(
        f"[bold]{escape(evaluation.model)}[/] on {escape(evaluation.data)}: {len(evaluation.truth):,} texts, "
        f"{len(evaluation.labels)} labels ({escape(evaluation.label_set)})\n"
        f"macro-F1 [bold]{evaluation.best.intervals.overall['macro_f1']}[/] "
        f"({evaluation.best.title}, fitted on: {FITTED[evaluation.best.fitted]}; {level} bootstrap interval)\n"
        f"mean AP {found['average_precision']:.3f}, mean AUC {found['roc_auc']:.3f}, calibration error "
        f"{found['ece']:.4f} (raw scores {found['ece_raw']:.4f})"
    )
    notes = [Text(note, style="yellow") for note in evaluation.notes]
    return Group(head, *notes, _outcomes(evaluation), _labels(evaluation))


def match_table(match: Match) -> Group:
    """Two models, metric by metric, and the labels on which they differ by more than chance."""
    sides = zip((match.first, match.second), match.outcomes, strict=True)
    kinds = " and ".join(dict.fromkeys(side.outcomes[name].title for side, name in sides))
    level = f"{match.comparison.level:.0%}"
    table = Table(title=f"Paired comparison on {len(match.first.truth):,} texts ({kinds})", title_justify="left")
    for column in ("metric", *match.names, "difference", f"{level} interval", "p"):
        table.add_column(escape(column), justify="left" if column == "metric" else "right")
    for name, found in match.comparison.overall.items():
        span = f"[{found.gain.low:+.4f}, {found.gain.high:+.4f}]"
        table.add_row(
            _METRICS[name], f"{found.first:.4f}", f"{found.second:.4f}", f"{found.gain.value:+.4f}", escape(span),
            f"{found.p_value:.3f}",
        )  # fmt: skip
    notes = [Text(note, style="yellow") for note in dict.fromkeys((*match.first.notes, *match.second.notes))]
    return Group(table, _apart(match), *notes)


def _apart(match: Match) -> Text:
    gains, labels = match.comparison.label_f1, match.first.labels
    better = [label for label, low in zip(labels, gains.low.tolist(), strict=True) if low > 0]
    worse = [label for label, high in zip(labels, gains.high.tolist(), strict=True) if high < 0]
    sides = [(name, found) for name, found in zip(match.names, (better, worse), strict=True) if found]
    lines = [f"{name} has the better F1 on: {', '.join(found)}." for name, found in sides]
    return Text("\n".join(lines) or "On no label do they differ by more than chance.")


def _outcomes(evaluation: Evaluation) -> Table:
    table = Table(title="Ways of deciding", title_justify="left")
    table.add_column("decision")
    table.add_column("fitted on")
    for title in _METRICS.values():
        table.add_column(title, justify="right")
    for name, outcome in evaluation.outcomes.items():
        style = "bold" if name == evaluation.headline else "" if outcome.honest else "dim"
        table.add_row(outcome.title, FITTED[outcome.fitted], *_figures(outcome), style=style)
    return table


def _figures(outcome: Outcome) -> list[str]:
    overall = outcome.intervals.overall
    return [escape(_span(overall["macro_f1"])), *(f"{overall[name].value:.3f}" for name in list(_METRICS)[1:])]


def _labels(evaluation: Evaluation) -> Table:
    table = Table(title=f"Labels ({evaluation.best.title})", title_justify="left")
    table.add_column("label")
    for title in ("support", "P", "R", "F1", "AP", "AUC", "ECE", "threshold"):
        table.add_column(title, justify="right")
    for label, row in evaluation.per_label().items():
        span = Interval(**row["f1"])
        table.add_row(
            escape(label), f"{row['support']:,}", f"{row['precision']['value']:.2f}", f"{row['recall']['value']:.2f}",
            escape(_span(span)), _or_dash(row["average_precision"]), _or_dash(row["roc_auc"]), f"{row['ece']:.3f}",
            _or_dash(row["threshold"]),
        )  # fmt: skip
    return table


def _span(span: Interval) -> str:
    return f"{span.value:.3f} [{span.low:.3f}, {span.high:.3f}]"


def _or_dash(value: Any) -> str:
    return "–" if value is None or value != value else f"{value:.3f}"
