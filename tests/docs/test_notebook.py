"""The notebook runs top to bottom on a processor, and prints what it shows."""

import json
from pathlib import Path

import pytest
from notebooks import run, shown
from pages import ROOT, same

TOUR = ROOT / "docs" / "notebooks" / "tour.ipynb"
pytestmark = pytest.mark.skipif(not TOUR.is_file(), reason="the documentation is not beside the tests")


@pytest.mark.slow
def test_the_tour_runs_and_prints_what_it_shows(tmp_path: Path) -> None:
    printed = run(TOUR, tmp_path)
    assert sum(bool(text) for text in printed) >= 8
    for found, expected in zip(printed, shown(TOUR), strict=True):
        assert same(found, expected)


def test_the_tour_is_a_whole_notebook() -> None:
    notebook = json.loads(TOUR.read_text(encoding="utf-8"))
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    assert len({cell["id"] for cell in notebook["cells"]}) == len(notebook["cells"])
    assert "/" not in notebook["metadata"]["kernelspec"]["name"]
