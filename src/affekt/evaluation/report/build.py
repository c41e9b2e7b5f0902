"""The evaluation report: one page, its figures as PNG and JSON, and all numbers as JSON."""

import json
from collections.abc import Sequence
from pathlib import Path

from affekt.errors import DataError
from affekt.evaluation.match import Match
from affekt.evaluation.report import chart_curves, chart_grids, chart_kinds, chart_labels, sections
from affekt.evaluation.report.html import Html, join
from affekt.evaluation.report.mistakes import Explain, mistakes
from affekt.evaluation.report.page import Section, page, paragraphs
from affekt.evaluation.report.pictures import Picture, plain, render
from affekt.evaluation.results import SAVED, Evaluation
from affekt.evaluation.stability import threshold_stability
from affekt.explanation.render import CSS
from affekt.files import atomic_file


def write_report(
    found: Evaluation,
    texts: Sequence[str],
    folder: Path,
    *,
    match: Match | None = None,
    explain: Explain | None = None,
    seed: int = 0,
) -> Path:
    """Write ``index.html``, ``report.json`` and ``figures/`` into a folder; returns the page.

    Args:
        found: what was measured.
        texts: the texts it was measured on, in the same order.
        folder: made if it is not there; files of an earlier report are replaced.
        match: the same model beside another, to be compared.
        explain: explains emotions in a text, for the worst mistakes.
        seed: of the resamples of the thresholds.

    Raises:
        DataError: if there is not one text per row of the evaluation.
        MissingExtraError: if matplotlib is not installed.
    """
    if len(texts) != len(found.truth):
        raise DataError(f"There are {len(texts)} texts for an evaluation of {len(found.truth)}.")
    figures = folder / "figures"
    figures.mkdir(parents=True, exist_ok=True)

    def shown(*pictures: Picture) -> Html:
        return join(render(picture, figures) for picture in pictures)

    stability = threshold_stability(found.scores, found.truth, seed=seed)
    together = [sections.pairs(chart_grids.furthest(found)), shown(*chart_grids.together(found))]
    parts = [
        Section("ways", "Ways of deciding", sections.outcomes(found)),
        Section("labels", "Every label", [sections.per_label(found), shown(chart_labels.label_f1(found))]),
        Section("curves", "Precision and recall", shown(chart_curves.precision_recall_curves(found))),
        Section(
            "calibration",
            "Calibration",
            shown(chart_curves.pooled_reliability(found), chart_curves.reliability_diagrams(found)),
        ),
        Section("together", "Labels together", together),
        Section("mistaken", "Labels mistaken for each other", shown(chart_grids.mistaken(found))),
        Section("kinds", "Kinds of text", shown(chart_kinds.by_kind(found, texts))),
        Section("thresholds", "Thresholds", shown(chart_labels.thresholds(found, stability))),
        Section("mistakes", "Worst mistakes", [_about_mistakes(found), mistakes(found, texts, explain)]),
    ]
    if match is not None:
        gains = shown(chart_labels.label_gains(match))
        parts.insert(0, Section("comparison", "Beside another model", [sections.comparison(match), gains]))
    parts.append(Section("sources", "How these numbers are made", sections.sources(found.resamples)))
    path = folder / "index.html"
    title = f"{found.model} on {found.data}"
    _write(path, page(title, sections.lead(found), parts, CSS))
    everything = {"evaluation": found.to_dict(), "stability": stability._asdict()}
    if match is not None:
        everything["comparison"] = match.to_dict()["differences"]
    _write(folder / "report.json", json.dumps(plain(everything), ensure_ascii=False, indent=1))
    return path


def _about_mistakes(found: Evaluation) -> Html:
    told = (
        "Wrongly decided texts whose true labels the scores expected least. Some of them are mistakes of the labels, "
        "not of the model."
    )
    if found.headline == SAVED:
        return paragraphs(told)
    other = (
        "Scores beside the labels are those that the headline decides by; the explanations are of the scores and "
        "thresholds saved with the model, which may differ a little."
    )
    return paragraphs(told, other)


def _write(path: Path, content: str) -> None:
    with atomic_file(path) as temporary:
        temporary.write_text(content, encoding="utf-8", errors="replace")
