"""The figures of a model card: metadata for the Hub and tables for people, from the metrics that a manifest keeps."""

from collections.abc import Mapping, Sequence
from typing import Any

METRICS = {
    "macro_f1": "macro-F1",
    "micro_f1": "micro-F1",
    "weighted_f1": "weighted F1",
    "samples_f1": "samples F1",
    "jaccard": "Jaccard (samples)",
    "subset_accuracy": "exact match",
    "hamming_loss": "Hamming loss",
}
"""Key of a metric -> its title."""

_MEANS = {
    "average_precision": "mean average precision",
    "roc_auc": "mean ROC AUC",
    "ece": "expected calibration error",
}
_FITTED = {
    "other folds": ", cross-fitted",
    "other texts": ", fitted on other texts",
    "these texts": ", fitted on these texts",
}


def evaluations(metrics: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The evaluations among a manifest's metrics, by name: one alone, or several, each as ``Evaluation.figures()``."""
    found = {"": metrics} if "outcomes" in metrics else metrics
    return {name: value for name, value in found.items() if isinstance(value, Mapping) and "outcomes" in value}


def hub_result(name: str, found: Mapping[str, Any]) -> dict[str, Any]:
    """One entry of the Hub's ``model-index``: the F1 scores of the headline."""
    best = found["outcomes"][found["headline"]]
    data = str(found.get("data") or name or "dev")
    metrics = [
        {"type": "f1", "name": f"{title} ({thresholds(best)})", "value": round(best[metric]["value"], 4)}
        for metric, title in METRICS.items()
        if metric.endswith("_f1") and metric in best
    ]
    return {
        "task": {"type": "text-classification", "name": "Multi-label emotion classification"},
        "dataset": {"type": data, "name": data},
        "metrics": metrics,
    }


def evaluation_section(name: str, found: Mapping[str, Any]) -> str:
    """An evaluation as Markdown: the headline beside other ways of deciding, means over labels, and every label."""
    headline = found["headline"]
    others = [outcome for key, outcome in found["outcomes"].items() if key != headline]
    outcomes = [found["outcomes"][headline], *others]
    head = (
        f"On {found.get('data') or name}: {found['texts']:,} texts, {len(found['labels'])} labels "
        f"({found['label_set']}). In brackets: {found.get('level', 0.95):.0%} bootstrap intervals over texts."
    )
    rows = [[title, *(_span(outcome.get(metric), 3) for outcome in outcomes)] for metric, title in METRICS.items()]
    mean = found.get("mean", {})
    means = [f"{title} {mean[key]:.3f}" for key, title in _MEANS.items() if mean.get(key) is not None]
    parts = [head, table(["metric", *map(thresholds, outcomes)], rows)]
    parts += [f"Over labels: {', '.join(means)}."] if means else []
    return "\n\n".join([*parts, _labels(found.get("per_label", {}))])


def thresholds(outcome: Mapping[str, Any]) -> str:
    """How an outcome decided, and what that was fitted on."""
    return f"thresholds: {outcome['title']}{_FITTED.get(str(outcome.get('fitted_on')), '')}"


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = ["| " + " | ".join(columns) + " |", "|" + " --- |" * len(columns)]
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def _labels(per_label: Mapping[str, Any]) -> str:
    columns = ["label", "texts", "precision", "recall", "F1", "average precision", "threshold"]
    rows = [
        [
            label, f"{row['support']:,}", _number(row["precision"]["value"]), _number(row["recall"]["value"]),
            _span(row["f1"], 2), _number(row["average_precision"]), _number(row["threshold"]),
        ]
        for label, row in per_label.items()
    ]  # fmt: skip
    return table(columns, rows) if rows else ""


def _span(interval: Any, digits: int) -> str:
    if not isinstance(interval, Mapping) or interval.get("value") is None:
        return "–"
    value, low, high = (f"{interval[key]:.{digits}f}" for key in ("value", "low", "high"))
    return f"{value} [{low}, {high}]"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
