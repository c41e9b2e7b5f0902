"""The data report: what a labelled table is made of, what is wrong with it, and which labels look wrong."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from affekt.data.dataset import Dataset
from affekt.data.describing.check import CHECKS
from affekt.data.describing.stats import Statistics, statistics
from affekt.data.duplicates import text_groups
from affekt.data.findings import Finding
from affekt.data.load import Loaded
from affekt.errors import DataError
from affekt.evaluation.noise import LabelNoise, Suspect, label_noise, suspect_rows
from affekt.evaluation.outoffold import FOLDS, quick_scores
from affekt.evaluation.report import chart_data
from affekt.evaluation.report.html import Child, Html, join, table, tag
from affekt.evaluation.report.page import Section, cards, page, paragraphs
from affekt.evaluation.report.pictures import Picture, plain, render
from affekt.evaluation.suspects import ENOUGH, SuspectRow
from affekt.files import atomic_file

SUSPECTS = 60
COPIES = 12
LONGEST = 400
Scores = npt.NDArray[np.float32]


def write_data_report(
    loaded: Loaded, folder: Path, *, scores: Scores | None = None, tokenizer: str | Path | None = None, seed: int = 0
) -> Path:
    """Write ``index.html``, ``report.json`` and ``figures/`` into a folder; returns the page.

    Args:
        loaded: a table with its labels.
        folder: made if it is not there.
        scores: (texts, labels) of a model that did not learn from these texts, to look for suspect labels; by default
            a quick model is fitted on the other folds.
        tokenizer: what lengths are counted in; words by default.
        seed: of the folds.

    Raises:
        DataError: if the table has no texts or no labels.
        MissingExtraError: if matplotlib or scikit-learn is not installed.
    """
    dataset = loaded.dataset
    if not dataset.labels:
        raise DataError(f"'{dataset.name}' has no labels to report on.", hint="Name their column with --labels.")
    found = statistics(dataset, tokenizer)
    findings = [*loaded.findings, *(finding for check in CHECKS for finding in check(loaded))]
    figures = folder / "figures"
    figures.mkdir(parents=True, exist_ok=True)

    def shown(*pictures: Picture) -> Html:
        return join(render(picture, figures) for picture in pictures)

    parts = [
        Section("labels", "Labels", [_labels(found), shown(chart_data.counts(found), chart_data.per_text(found))]),
        Section("together", "Labels together", [_pairs(found), shown(chart_data.together(found))]),
        Section("lengths", "Lengths", shown(chart_data.lengths(found))),
        Section("findings", "Duplicates and other findings", [_findings(findings), _copies(dataset)]),
    ]
    suspects: list[Suspect] = []
    if len(dataset) >= ENOUGH:
        values = quick_scores(dataset.texts, dataset.positives, seed=seed) if scores is None else scores
        suspects = suspect_rows(values, dataset.positives, SUSPECTS)
        noise = label_noise(values, dataset.positives)
        parts.append(Section("suspects", "Suspect labels", _suspects(loaded, suspects, noise, scores is None)))
    path = folder / "index.html"
    _write(path, page(f"The data in {loaded.table.path.name}", _lead(loaded, found), parts))
    _write(folder / "report.json", json.dumps(_numbers(found, findings, suspects, loaded), ensure_ascii=False))
    return path


def _write(path: Path, content: str) -> None:
    with atomic_file(path) as temporary:
        temporary.write_text(content, encoding="utf-8", errors="replace")


def _lead(loaded: Loaded, found: Statistics) -> Html:
    rarest = int(found.counts.min())
    shown: list[tuple[str, str, Child]] = [
        ("texts", f"{found.texts:,}", f"{len(loaded.table):,} rows"),
        ("labels", f"{len(found.labels)}", f"{found.cardinality:.2f} per text"),
        ("imbalance", f"{found.mean_imbalance:.1f}", "times rarer than the top label, mean"),
        ("rarest label", f"{rarest:,}", "texts"),
        ("length", f"{found.percentiles()[50]}", f"{found.unit}, median"),
    ]
    return Html(paragraphs(loaded.layout.sentence()) + cards(shown))


def _labels(found: Statistics) -> Html:
    rows = []
    for i in found.order():
        ratio = f"{found.imbalance[i]:,.1f}" if found.counts[i] else "–"
        row = [found.labels[i], f"{found.counts[i]:,}", f"{found.shares[i]:.2%}", ratio]
        rows.append([*row, f"{found.unknown[i]:,}"] if found.unknown.any() else row)
    return table(["label", "texts", "share", "times rarer than the top", "unknown"][: len(rows[0])], rows)


def _pairs(found: Statistics) -> Html:
    rows = [[*pair.labels, f"{pair.count:,}", f"{pair.lift:.1f}"] for pair in found.pairs(12)]
    told = "The pairs that come together most often, and how many times as often as by chance."
    return (
        Html(paragraphs(told) + table(["label", "and", "texts", "times chance"], rows, numbers=2)) if rows else Html("")
    )


def _findings(findings: Sequence[Finding]) -> Html:
    if not findings:
        return paragraphs("Nothing was found: no copies, no rows that cannot be read.")
    order = {"error": 0, "warning": 1, "note": 2}
    rows = [
        [f.severity, f"{f.message} {f.hint}".rstrip(), f"{f.count:,}" if f.count else "", f.where()]
        for f in sorted(findings, key=lambda f: order[f.severity])
    ]
    return table(["", "what", "rows", "where"], rows, numbers=9)


def _copies(dataset: Dataset) -> Html:
    """Texts that come back most often, and the label sets that they came with."""
    groups = text_groups(dataset.texts)
    sizes = np.bincount(groups)
    repeated = [int(group) for group in np.argsort(-sizes, kind="stable")[:COPIES] if sizes[group] > 1]
    rows = []
    for group in repeated:
        members = np.flatnonzero(groups == group)
        sets = Counter(tuple(np.flatnonzero(dataset.positives[member]).tolist()) for member in members)
        said = "; ".join(
            f"{' + '.join(dataset.labels[i] for i in labels) or 'none'} {count:,}"
            for labels, count in sets.most_common(4)
        )
        rows.append([_short(dataset.texts[members[0]]), f"{len(members):,}", said + ("; …" if len(sets) > 4 else "")])
    told = "Texts that come back most often (alike but for case and punctuation), and the labels that they came with."
    return Html(paragraphs(told) + table(["text", "times", "labels"], rows, numbers=9)) if rows else Html("")


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _suspects(loaded: Loaded, found: Sequence[Suspect], noise: LabelNoise, quick: bool) -> Html:
    labels = loaded.dataset.labels
    who = f"a quick model of words, fitted on the other {FOLDS - 1} of {FOLDS} folds" if quick else "the given model"
    told = (
        f"Labels that {who} finds hard to believe (confident learning, one label against the rest). They are worth a "
        "second look; not all of them are wrong."
    )
    order = np.argsort(-noise.wrong_rate, kind="stable")
    rates = table(
        ["label", "texts", "look wrong", "share", "look missing"],
        [
            [labels[i], f"{noise.given[i]:,.0f}", f"{noise.likely_wrong[i]:,.0f}", f"{noise.wrong_rate[i]:.0%}",
             f"{noise.likely_missing[i]:,.0f}"]
            for i in order if noise.given[i]
        ],
    )  # fmt: skip
    return join([paragraphs(told), rates, tag("h3", "Most suspect first"), *_cases(loaded, found)])


def _cases(loaded: Loaded, found: Sequence[Suspect]) -> Iterator[Html]:
    for item in (SuspectRow.of(loaded, one) for one in found):
        wrong = [tag("span", f"{label} looks wrong", class_="tag missed") for label in item.wrong]
        missing = [tag("span", f"{label} looks missing", class_="tag wrong") for label in item.missing]
        words = f"labelled {' + '.join(item.given) or 'nothing'}, {item.unit} {item.line}"
        place = tag("span", words, class_="quiet")
        yield tag("div", tag("blockquote", _short(item.text)), tag("p", wrong, missing, place), class_="case")


def _numbers(found: Statistics, findings: Sequence[Finding], suspects: Sequence[Suspect], loaded: Loaded) -> object:
    return plain(
        {
            "statistics": found.to_dict(),
            "findings": [finding.to_dict() for finding in findings],
            "suspects": [SuspectRow.of(loaded, item).to_dict() for item in suspects],
        }
    )
