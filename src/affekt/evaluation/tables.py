"""Evaluations and comparisons as tables for people, readable in 80 columns."""

from rich import box
from rich.console import Group
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from affekt.evaluation.bootstrap import Interval
from affekt.evaluation.match import Match
from affekt.evaluation.results import Evaluation, Outcome

FITTED = {
    "nothing": "nothing",
    "these texts": "these: flatters",
    "other folds": "cross-fitted",
    "other texts": "other texts",
}
"""What a rule was fitted on, for people."""

METRICS = {
    "macro_f1": "macro-F1",
    "micro_f1": "micro-F1",
    "weighted_f1": "weighted F1",
    "samples_f1": "samples F1",
    "jaccard": "Jaccard",
    "subset_accuracy": "exact match",
    "hamming_loss": "Hamming loss",
}
_SHORT = ("macro", "micro", "weight", "smpl.", "Jacc.", "exact", "Hamm.")


def evaluation_table(evaluation: Evaluation) -> Group:
    """Headline, every way of deciding, and every label."""
    found, best = evaluation.means(), evaluation.best
    head = Text.from_markup(
        f"[bold]{escape(evaluation.model)}[/] on {escape(evaluation.data)}: {len(evaluation.truth):,} texts, "
        f"{len(evaluation.labels)} labels ({escape(evaluation.label_set)})\n"
        f"macro-F1 [bold]{best.intervals.overall['macro_f1']}[/], {best.intervals.level:.0%} bootstrap interval; "
        f"thresholds: {best.title}, fitted on: {FITTED[best.fitted]}\n"
        f"mean AP {found['average_precision']:.3f}, mean AUC {found['roc_auc']:.3f}, calibration error "
        f"{found['ece']:.4f} (raw scores {found['ece_raw']:.4f})"
    )
    notes = [Text(note, style="yellow") for note in evaluation.notes]
    return Group(head, *notes, _outcomes(evaluation), _labels(evaluation))


def match_table(match: Match) -> Group:
    """Two models, metric by metric, and the labels on which they differ by more than chance."""
    sides = zip((match.first, match.second), match.outcomes, strict=True)
    kinds = " and ".join(dict.fromkeys(f"{s.outcomes[n].title}, {FITTED[s.outcomes[n].fitted]}" for s, n in sides))
    texts = f"{len(match.first.truth):,} texts"
    title = Text(f"Paired comparison on {texts} (thresholds: {kinds})", style="italic")
    table = _table(None, "metric")
    for column in (*match.names, "difference", f"{match.comparison.level:.0%} interval", "p"):
        table.add_column(escape(column), justify="right", no_wrap=column not in match.names, overflow="fold")
    for name, found in match.comparison.overall.items():
        span = escape(f"[{found.gain.low:+.3f}, {found.gain.high:+.3f}]")
        gain = f"{found.gain.value:+.3f}"
        table.add_row(METRICS[name], f"{found.first:.3f}", f"{found.second:.3f}", gain, span, f"{found.p_value:.3f}")
    notes = [Text(note, style="yellow") for note in dict.fromkeys((*match.first.notes, *match.second.notes))]
    return Group(title, table, _apart(match), *notes)


def _apart(match: Match) -> Text:
    gains, labels = match.comparison.label_f1, match.first.labels
    better = [label for label, low in zip(labels, gains.low.tolist(), strict=True) if low > 0]
    worse = [label for label, high in zip(labels, gains.high.tolist(), strict=True) if high < 0]
    sides = [(name, found) for name, found in zip(match.names, (better, worse), strict=True) if found]
    lines = [f"{name} has the better F1 on: {', '.join(found)}." for name, found in sides]
    return Text("\n".join(lines) or "On no label do they differ by more than chance.")


def _outcomes(evaluation: Evaluation) -> Table:
    table = _table("Ways of deciding", "thresholds", "fitted on")
    for title in _SHORT:
        table.add_column(title, justify="right")
    for name, outcome in evaluation.outcomes.items():
        style = "bold" if name == evaluation.headline else "" if outcome.honest else "dim"
        table.add_row(outcome.title, FITTED[outcome.fitted], *_figures(outcome), style=style)
    return table


def _figures(outcome: Outcome) -> list[str]:
    return [f"{outcome.intervals.overall[name].value:.3f}" for name in METRICS]


def _labels(evaluation: Evaluation) -> Table:
    table = _table(f"Labels (thresholds: {evaluation.best.title}, {FITTED[evaluation.best.fitted]})", "label")
    for title in ("texts", "P", "R", "F1", "interval", "AP", "AUC", "ECE", "thr."):
        table.add_column(title, justify="right")
    for label, row in evaluation.per_label().items():
        span = Interval(**row["f1"])
        table.add_row(
            escape(label), str(row["support"]), f"{row['precision']['value']:.2f}", f"{row['recall']['value']:.2f}",
            f"{span.value:.2f}", f"{span.low:.2f}-{span.high:.2f}", _or_dash(row["average_precision"]),
            _or_dash(row["roc_auc"]), _or_dash(row["ece"]), _or_dash(row["threshold"]),
        )  # fmt: skip
    return table


def _table(title: str | None, *columns: str) -> Table:
    table = Table(
        title=escape(title) if title else None, title_justify="left", title_style="italic", box=box.SIMPLE_HEAD
    )
    table.padding = (0, 0, 0, 1)
    for column in columns:
        table.add_column(column, no_wrap=True)
    return table


def _or_dash(value: float) -> str:
    return "–" if value != value else f"{value:.2f}"
