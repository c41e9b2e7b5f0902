"""What each part of an evaluation report says in words and tables."""

from collections.abc import Mapping, Sequence

import numpy as np

from affekt.evaluation.bootstrap import OVERALL, Interval
from affekt.evaluation.match import Match
from affekt.evaluation.report.html import Child, Html, number, span, table, tag
from affekt.evaluation.report.page import cards, paragraphs
from affekt.evaluation.results import AT_HALF, SAVED, TUNED_CROSS, Evaluation
from affekt.evaluation.tables import FITTED, METRICS

SOURCES = (
    ("Precision, recall, F1, support", "affekt.evaluation.metrics.f1_scores"),
    ("Macro, micro, weighted and samples F1, Jaccard, exact match, Hamming loss", "affekt.evaluation.metrics"),
    ("Intervals", "affekt.evaluation.bootstrap.bootstrap_intervals"),
    ("Average precision, ROC AUC", "affekt.evaluation.metrics.average_precision, roc_auc"),
    ("Calibration error, reliability diagrams", "affekt.evaluation.metrics.expected_calibration_error, reliability"),
    ("Intervals of reliability", "affekt.evaluation.significance.wilson"),
    ("Precision-recall curves", "affekt.evaluation.metrics.precision_recall"),
    ("Labels together, labels mistaken", "affekt.evaluation.breakdown.cooccurrence, confusion"),
    ("Worst mistakes", "affekt.evaluation.breakdown.worst_mistakes"),
    ("Explanations", "affekt.explanation.explain"),
    ("Threshold stability", "affekt.evaluation.stability.threshold_stability"),
    ("Comparison of two models", "affekt.evaluation.comparison.compare"),
)
"""Figure -> the function that makes it; each has its tests against scikit-learn or a case worked by hand."""


HEADLINES = {
    SAVED: "The headline decides by the rule saved with the model, which was not fitted on these texts.",
    TUNED_CROSS: "The headline decides by per-label thresholds, fitted for each text on other folds of these texts.",
    AT_HALF: "The headline decides at 0.5 on the raw scores.",
}
"""Outcome -> what a reader is told about it."""


def lead(found: Evaluation) -> Html:
    """Headline figures and what they rest on."""
    best = found.best
    intervals = {name: best.intervals.overall[name] for name in ("macro_f1", "micro_f1", "samples_f1")}
    means = found.means()
    level = f"({best.intervals.level:.0%})"
    shown: list[tuple[str, str, Child]] = [
        (METRICS[name], f"{i.value:.3f}", f"{i.low:.3f}–{i.high:.3f} {level}") for name, i in intervals.items()
    ]
    shown.append(("average precision", number(means["average_precision"]), "mean over labels"))
    before = f"{number(means['ece_raw'])} uncalibrated" if found.calibration_matters else "mean over labels"
    shown.append(("calibration error", number(means["ece"]), before))
    told = (
        f"{found.model} on {found.data}: {len(found.truth):,} texts, {len(found.labels)} labels ({found.label_set}). "
        f"{HEADLINES[found.headline]}"
    )
    notes = [tag("p", note, class_="note") for note in found.notes]
    return Html("".join([paragraphs(told), cards(shown), *notes]))


def outcomes(found: Evaluation) -> Html:
    """Every way of deciding, and what it was fitted on."""
    names = ("macro_f1", "micro_f1", "samples_f1", "subset_accuracy")
    rows = [
        [
            tag("b", outcome.title) if name == found.headline else outcome.title,
            FITTED[outcome.fitted],
            *(_span(outcome.intervals.overall[metric]) for metric in names),
        ]
        for name, outcome in found.outcomes.items()
    ]
    return table(["decided by", "fitted on", *(METRICS[name] for name in names)], rows, numbers=2, sortable=False)


def per_label(found: Evaluation) -> Html:
    """The table of labels, most frequent first."""
    figures = found.per_label()
    head = ["label", "texts", "precision", "recall", "F1", "AP", "AUC", "calibration error", "threshold"]
    order = np.argsort(-found.truth.sum(axis=0), kind="stable")
    moved = found.calibration_matters
    rows = []
    for label, item in ((found.labels[i], figures[found.labels[i]]) for i in order):
        rows.append(
            [
                label,
                f"{item['support']:,}",
                *(_figure(item[name]) for name in ("precision", "recall", "f1")),
                number(item["average_precision"], 2),
                number(item["roc_auc"], 2),
                f"{number(item['ece_raw'])} → {number(item['ece'])}" if moved else number(item["ece"]),
                number(item["threshold"]),
            ]
        )
    return table(head, rows)


def pairs(found: Sequence[tuple[str, str, float, float]]) -> Html:
    """Labels that come together more or less often than they should."""
    rows = [[first, other, f"{true:.0%}", f"{decided:.0%}"] for first, other, true, decided in found]
    told = (
        "Pairs furthest apart: of the texts with one label, how many also have the other, as labelled and as decided."
    )
    return Html(paragraphs(told) + table(["texts with", "also have", "as labelled", "as decided"], rows, numbers=2))


def comparison(match: Match) -> Html:
    """Two models: every metric of both, the difference with its paired interval, and the chance of it."""
    first, second = match.names
    rows = []
    for name in OVERALL:
        found = match.comparison.overall[name]
        gain = f"{found.gain.value:+.3f} "
        small = tag("small", f"{found.gain.low:+.3f} to {found.gain.high:+.3f}", class_="quiet")
        rows.append([METRICS[name], number(found.first), number(found.second), [gain, small], _p(found.p_value)])
    told = (
        f"{first} and {second} on the same texts. The interval is a paired bootstrap; p is the chance of a difference "
        "at least this large if the two were interchangeable (approximate randomisation)."
    )
    return Html(paragraphs(told) + table(["metric", first, second, "difference", "p"], rows, sortable=False))


def sources(resamples: int) -> Html:
    """Where each number comes from."""
    rows: Sequence[Sequence[Child]] = [[what, tag("code", function)] for what, function in SOURCES]
    told = (
        f"Intervals are percentiles over {resamples:,} bootstrap resamples of the texts; they take model and "
        "thresholds as given. Every number is made by a function of the package that is tested against scikit-learn "
        "or a case worked by hand; the figures lie beside this page as PNG and JSON, and report.json holds all numbers."
    )
    return Html(paragraphs(told) + table(["figure", "made by"], rows, numbers=9, sortable=False))


def _figure(item: Mapping[str, float]) -> Html:
    return span(item["value"], item["low"], item["high"], digits=2)


def _span(interval: Interval) -> Html:
    return span(interval.value, interval.low, interval.high)


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.3f}"
