"""The whole report: complete, safe, without network, the same each time."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

pytest.importorskip("matplotlib")

from affekt.errors import DataError
from affekt.evaluation import Evaluation, compare_models
from affekt.evaluation.report import write_report
from affekt.evaluation.report.mistakes import mistakes
from affekt.explanation import EmotionExplanation, Explanation, WordWeight

from .conftest import LABELS, made


def explain(text: str, emotions: list[str]) -> Explanation:
    words = (WordWeight(text[:4], 0, 4, 1.0),)
    return Explanation(text, "occlusion", tuple(EmotionExplanation(e, 0.5, 0.5, 0.1, words) for e in emotions))


@pytest.fixture(scope="module")
def folder(found: Evaluation, texts: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report")
    match = compare_models(found, made(1, name="<other>"))
    assert write_report(found, texts, path, match=match, explain=explain) == path / "index.html"
    return path


class Balance(HTMLParser):
    """Fails where an element is closed that is not open."""

    VOID = {"meta", "br", "hr", "img", "use", "path", "input"}  # noqa: RUF012

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, _: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, _: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self.VOID:
            return
        assert self.open.pop() == tag


def test_the_page_is_well_formed(folder: Path) -> None:
    parser = Balance()
    parser.feed((folder / "index.html").read_text())
    assert not parser.open
    assert {"table", "svg", "figure", "details", "blockquote", "nav"} <= parser.tags


def test_the_page_needs_no_network_and_runs_nothing_of_the_texts(folder: Path) -> None:
    page = (folder / "index.html").read_text()
    assert not re.search(r"""(src|href)=["'](?!#|data:)""", page)
    assert "@import" not in page
    assert page.count("<script>") == 1
    assert "<script>alert" not in page
    assert "<b>rage" not in page
    assert "&lt;other&gt;" in page


def test_every_part_is_there(folder: Path, found: Evaluation) -> None:
    page = (folder / "index.html").read_text()
    for anchor in ("comparison", "ways", "labels", "curves", "calibration", "together", "mistaken", "kinds",
                   "thresholds", "mistakes", "sources"):  # fmt: skip
        assert f'id="{anchor}"' in page
        assert f'href="#{anchor}"' in page
    assert "One note." in page
    assert f"{found.macro_f1:.3f}" in page
    assert "prefers-color-scheme: dark" in page
    assert "@media print" in page


def test_figures_and_numbers_lie_beside_it(folder: Path, found: Evaluation) -> None:
    names = {path.name for path in (folder / "figures").iterdir()}
    stems = {"label_f1", "label_gains", "precision_recall", "reliability", "reliability_pooled", "together_true",
             "together_predicted", "mistaken", "by_kind", "thresholds"}  # fmt: skip
    assert names == {f"{stem}.{kind}" for stem in stems for kind in ("png", "json")}
    numbers = json.loads((folder / "report.json").read_text())
    assert numbers["evaluation"]["outcomes"][found.headline]["macro_f1"]["value"] == pytest.approx(
        found.macro_f1, abs=1e-5
    )
    assert len(numbers["stability"]["best"]) == len(LABELS)
    assert "macro_f1" in numbers["comparison"]


def test_without_a_second_model_nothing_is_compared(found: Evaluation, texts: list[str], tmp_path: Path) -> None:
    write_report(found, texts, tmp_path)
    page = (tmp_path / "index.html").read_text()
    assert "Beside another model" not in page
    assert "Which words made it so" not in page
    assert not (tmp_path / "figures" / "label_gains.png").exists()


def test_texts_must_be_those_measured(found: Evaluation, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="3 texts for an evaluation of 120"):
        write_report(found, ["a", "b", "c"], tmp_path)


def test_mistakes_show_what_was_missed_and_what_was_wrong(found: Evaluation, texts: list[str]) -> None:
    asked: list[list[str]] = []

    def spy(text: str, emotions: list[str]) -> Explanation:
        asked.append(list(emotions))
        return explain(text, emotions)

    html = mistakes(found, texts, spy, shown=5)
    assert html.count('class="case"') == 5
    assert len(asked) == 5
    assert all(1 <= len(names) <= 2 for names in asked)
    assert "missed" in html
    assert "&lt;script&gt;" in html


def test_few_texts_and_few_labels_can_be_reported(tmp_path: Path) -> None:
    small = made(3, texts=6)
    write_report(small, [f"t{i}" for i in range(6)], tmp_path)
    assert (tmp_path / "index.html").exists()
