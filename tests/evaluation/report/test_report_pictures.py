"""Pictures: every one is drawn, themed for the page and written beside it, with numbers that are right."""

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("matplotlib")

from affekt.evaluation import Evaluation, compare_models
from affekt.evaluation.breakdown import cooccurrence
from affekt.evaluation.metrics import f1_scores
from affekt.evaluation.report import chart_curves, chart_grids, chart_kinds, chart_labels
from affekt.evaluation.report.pictures import Picture, plain, render, themed
from affekt.evaluation.stability import threshold_stability

from .conftest import LABELS, made


def pictures(found: Evaluation, texts: list[str]) -> list[Picture]:
    stability = threshold_stability(found.scores, found.truth, resamples=10)
    return [
        chart_labels.label_f1(found),
        chart_labels.thresholds(found, stability),
        chart_labels.label_gains(compare_models(found, made(1))),
        chart_curves.precision_recall_curves(found),
        chart_curves.reliability_diagrams(found),
        chart_curves.pooled_reliability(found),
        *chart_grids.together(found),
        chart_grids.mistaken(found),
        chart_kinds.by_kind(found, texts),
    ]


def test_every_picture_is_drawn_and_written(found: Evaluation, texts: list[str], tmp_path: Path) -> None:
    for picture in pictures(found, texts):
        html = render(picture, tmp_path)
        assert (tmp_path / f"{picture.name}.png").read_bytes().startswith(b"\x89PNG")
        json.loads((tmp_path / f"{picture.name}.json").read_text(), parse_constant=pytest.fail)
        assert html.count("<svg") == 1
        assert picture.caption.split(":")[0][:20] in html.replace("&amp;", "&")
        assert "#1a1b1c" not in html
        assert "var(--" in html
        assert "<b>rage" not in html
        assert "http" not in html.replace("http://www.w3.org/", "")


def test_the_same_picture_twice_is_the_same(found: Evaluation, tmp_path: Path) -> None:
    first, second = (render(chart_labels.label_f1(found), tmp_path) for _ in range(2))
    assert first == second


def test_names_inside_a_picture_are_its_own(found: Evaluation, tmp_path: Path) -> None:
    import re

    both = [render(picture, tmp_path) for picture in chart_grids.together(found)]
    first, second = ({*re.findall(r' id="([^"]+)"', html)} for html in both)
    assert first
    assert not first & second
    for html in both:
        names = {*re.findall(r' id="([^"]+)"', html)}
        assert {*re.findall(r"url\(#([^)]+)\)", html)} <= names
        assert {*re.findall(r'href="#([^"]+)"', html)} <= names


def test_themed_keeps_the_view_box_and_drops_the_size() -> None:
    svg = '<?xml?><!DOCTYPE svg><svg width="9pt" viewBox="0 0 9 9" x="1"><g id="a" style="fill: #0072b2"/></svg>'
    assert themed(svg, "n") == (
        '<svg viewBox="0 0 9 9" aria-hidden="true"><g id="n-a" style="fill: var(--blue)"/></svg>'
    )


def test_plain_values() -> None:
    values = {"a": np.array([1.0, np.nan]), 2: (np.float32(0.5), np.int64(3)), "s": "x", "none": None, "b": True}
    assert plain(values) == {"a": [1.0, None], "2": [0.5, 3], "s": "x", "none": None, "b": True}


def test_f1_numbers_are_the_metrics(found: Evaluation) -> None:
    expected = f1_scores(found.truth, found.best.decisions)
    data = {item["label"]: item for item in chart_labels.label_f1(found).data}
    for column, label in enumerate(LABELS):
        assert data[label]["f1"] == pytest.approx(expected.f1[column])
        assert data[label]["texts"] == expected.support[column]
        assert data[label]["low"] <= data[label]["f1"] <= data[label]["high"]


def test_curves_start_and_end_where_they_should(found: Evaluation) -> None:
    from sklearn.metrics import average_precision_score

    data = chart_curves.precision_recall_curves(found).data
    joy = data["joy"]
    assert joy["recall"][-1] == 1
    assert joy["precision"][-1] == pytest.approx(found.truth[:, 0].mean())
    assert joy["average_precision"] == pytest.approx(average_precision_score(found.truth[:, 0], found.logits[:, 0]))
    recall, precision = joy["chosen"]
    decided = found.best.decisions[:, 0]
    assert recall == pytest.approx((decided & found.truth[:, 0]).sum() / found.truth[:, 0].sum())
    assert precision == pytest.approx((decided & found.truth[:, 0]).sum() / decided.sum())


def test_long_curves_are_thinned_but_keep_their_ends() -> None:
    recall = np.sort(np.random.default_rng(0).random(5000))
    kept = chart_curves._thin(recall)
    assert len(kept) <= chart_curves.POINTS
    assert (kept[0], kept[-1]) == (0, 4999)
    assert np.array_equal(chart_curves._thin(recall[:20]), np.arange(20))


def test_reliability_counts_every_score(found: Evaluation) -> None:
    pooled = chart_curves.pooled_reliability(found).data
    assert pooled["before"]["texts"].sum() == pooled["after"]["texts"].sum() == found.truth.size
    single = chart_curves.reliability_diagrams(found).data
    assert all(single[label]["after"]["texts"].sum() == len(found.truth) for label in LABELS)


def test_together_by_hand(found: Evaluation) -> None:
    true, decided = chart_grids.together(found)
    both = cooccurrence(found.truth)
    assert true.data["share"][0, 1] == pytest.approx(both[0, 1] / both[0, 0])
    assert np.isnan(true.data["share"][2, 2])
    assert decided.data["labels"] == list(LABELS)


def test_furthest_pairs_are_sorted_and_true(found: Evaluation) -> None:
    pairs = chart_grids.furthest(found, 4)
    assert len(pairs) == 4
    first, other, true, decided = pairs[0]
    a, b = LABELS.index(first), LABELS.index(other)
    gold = found.truth
    assert true == pytest.approx((gold[:, a] & gold[:, b]).sum() / gold[:, a].sum())
    assert true != decided


def test_mistaken_rows_never_exceed_what_was_missed(found: Evaluation) -> None:
    data = chart_grids.mistaken(found).data
    share = np.nan_to_num(data["share"])
    assert (share.sum(axis=1) + data["found"] <= 1 + 1e-9).all()
    expected = f1_scores(found.truth, found.best.decisions).recall
    assert data["found"] == pytest.approx(expected)


def test_kinds_of_text_add_up(found: Evaluation, texts: list[str]) -> None:
    data = chart_kinds.by_kind(found, texts).data
    for kinds in data.values():
        assert sum(kind["texts"] for kind in kinds) == len(texts)
        assert all(kind["micro_f1"][1] <= kind["micro_f1"][0] <= kind["micro_f1"][2] for kind in kinds)
    starts = [int(kind["kind"].rstrip("+").split("-")[0]) for kind in data["words per text"]]
    assert starts == sorted(starts)


def test_only_the_most_frequent_of_very_many_labels_are_shown() -> None:
    rng = np.random.default_rng(0)
    truth = rng.random((60, 50)) < np.linspace(0.02, 0.5, 50)
    from affekt.evaluation import Resampling, measure

    many = measure(rng.normal(size=truth.shape), truth, [f"l{i}" for i in range(50)], resampling=Resampling(10, 2, 1))
    shown = chart_grids.mistaken(many).data["labels"]
    assert len(shown) == chart_grids.MOST
    assert "l49" in shown
    assert "l0" not in shown


def test_a_calibration_that_changes_nothing_is_drawn_once(tmp_path: Path) -> None:
    for folded in (False, True):
        pooled, single = (
            picture(made(folded=folded))
            for picture in (chart_curves.pooled_reliability, chart_curves.reliability_diagrams)
        )
        assert ("before calibration" in render(pooled, tmp_path)) is not folded
        assert ("before" in single.caption) is not folded
