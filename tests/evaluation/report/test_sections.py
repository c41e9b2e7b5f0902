"""The words and tables of a report: every figure is the evaluation's."""

import re

import numpy as np
import pytest

from affekt.evaluation import Evaluation, compare_models
from affekt.evaluation.report import sections
from affekt.evaluation.report.html import Html

from .conftest import LABELS, made


def rows(html: Html) -> list[list[str]]:
    """Cells of the table bodies, without markup."""
    bodies = re.findall(r"<tbody>(.*?)</tbody>", html, flags=re.DOTALL)
    found = []
    for row in re.findall(r"<tr>(.*?)</tr>", "".join(bodies), flags=re.DOTALL):
        cells = re.findall(r"<td[^>]*>(.*?)</td>", row, flags=re.DOTALL)
        found.append([re.sub(r"<[^>]+>", "", cell).strip() for cell in cells])
    return found


def test_headline(found: Evaluation) -> None:
    html = sections.lead(found)
    interval = found.best.intervals.overall["macro_f1"]
    assert f"<b>{interval.value:.3f}</b>" in html
    assert f"{interval.low:.3f}–{interval.high:.3f}" in html
    assert "120 texts, 5 labels" in html
    assert "some $x_1$ data" in html
    assert html.count('class="note"') == len(found.notes)


def test_every_way_of_deciding_has_a_row_and_says_what_it_was_fitted_on(found: Evaluation) -> None:
    table = rows(sections.outcomes(found))
    assert len(table) == len(found.outcomes)
    for row, outcome in zip(table, found.outcomes.values(), strict=True):
        assert row[0] == outcome.title
        assert row[2].startswith(f"{outcome.macro_f1:.3f}")
    assert any("flatters" in row[1] for row in table)
    assert sections.outcomes(found).count("<b>") == 1


def test_labels_stand_in_order_of_frequency_with_their_figures(found: Evaluation) -> None:
    table = rows(sections.per_label(found))
    support = [int(row[1].replace(",", "")) for row in table]
    assert support == sorted(found.truth.sum(axis=0).tolist(), reverse=True)
    figures = found.per_label()
    by_name = {row[0]: row for row in table}
    joy = by_name["joy"]
    assert joy[2].startswith(f"{figures['joy']['precision']['value']:.2f} ")
    assert joy[4].startswith(f"{figures['joy']['f1']['value']:.2f} ")
    assert joy[5] == f"{figures['joy']['average_precision']:.2f}"
    assert joy[8] == f"{figures['joy']['threshold']:.3f}"
    assert by_name["unseen"][5] == "–"
    assert set(by_name) == {label.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;") for label in LABELS}


def test_comparison_shows_both_and_the_difference(found: Evaluation) -> None:
    match = compare_models(found, made(1, name="two"))
    table = rows(sections.comparison(match))
    macro = match.comparison.overall["macro_f1"]
    assert table[0][0] == "macro-F1"
    assert table[0][1:3] == [f"{macro.first:.3f}", f"{macro.second:.3f}"]
    assert table[0][3].startswith(f"{macro.gain.value:+.3f}")
    assert table[0][4] == ("&lt; 0.001" if macro.p_value < 0.001 else f"{macro.p_value:.3f}")
    assert "one and two on the same texts" in sections.comparison(match)


def test_pairs() -> None:
    table = rows(sections.pairs([("joy", "fear", 0.25, 0.5)]))
    assert table == [["joy", "fear", "25%", "50%"]]


def test_sources_name_functions_that_exist() -> None:
    """What a report says about where its numbers come from is true."""
    import importlib

    for _, source in sections.SOURCES:
        first, *others = [name.strip() for name in source.split(",")]
        module, _, function = first.rpartition(".")
        try:
            home = importlib.import_module(first)
        except ModuleNotFoundError:
            home = importlib.import_module(module)
            assert hasattr(home, function), first
        for name in others:
            assert hasattr(home, name), name


@pytest.mark.parametrize(("p", "shown"), [(0.5, "0.500"), (0.00099, "< 0.001"), (0.001, "0.001")])
def test_p_values(p: float, shown: str) -> None:
    assert sections._p(p) == shown


def test_figures_that_are_not_defined_do_not_break_the_table() -> None:
    empty = made(5, texts=8)
    assert np.isnan(empty.average_precision).any()
    assert "nan" not in sections.per_label(empty)


def test_every_headline_has_its_sentence() -> None:
    """Whatever may be the headline, the page says in words what decided."""
    few = made(5, texts=8)
    assert few.headline == "saved"
    assert "rule saved with the model" in sections.lead(few)
    assert set(sections.HEADLINES) == {"saved", "per_label_cross_fitted", "at_0.5"}


def test_a_calibration_that_changes_nothing_is_not_shown_as_a_change() -> None:
    assert "→" in sections.per_label(made())
    assert "uncalibrated" in sections.lead(made())
    folded = made(folded=True)
    assert not folded.calibration_matters
    assert "→" not in sections.per_label(folded)
    assert "uncalibrated" not in sections.lead(folded)
