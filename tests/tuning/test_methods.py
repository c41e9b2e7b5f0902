"""The comparison of methods: complete, sorted, and honest about choosing among them."""

import json
import math
import runpy
from pathlib import Path

import numpy as np
import pytest

from affekt.errors import SettingError
from affekt.tuning import THRESHOLD_METHODS, compare_methods, cross_fitted_macro_f1
from affekt.tuning.methods import NESTED
from simulated import simulate


def test_every_method_best_first_nested_choice_last() -> None:
    world = simulate(400)
    rows = compare_methods(world.logits, world.truth, repeats=1, folds=3)
    assert {row.method for row in rows[:-1]} == set(THRESHOLD_METHODS)
    figures = [row.cross_fitted for row in rows[:-1]]
    assert figures == sorted(figures, reverse=True)
    assert rows[-1].method == NESTED
    assert math.isnan(rows[-1].same_texts)


def test_rows_say_what_cross_fitting_says() -> None:
    world = simulate(400)
    row = next(r for r in compare_methods(world.logits, world.truth, ["shared"], repeats=2) if r.method == "shared")
    figure = cross_fitted_macro_f1(world.logits, world.truth, method="shared", repeats=2)
    assert (row.cross_fitted, row.spread) == (figure.mean, figure.spread)
    assert row.flattery == pytest.approx(row.same_texts - figure.mean)


def test_choosing_among_one_is_that_one() -> None:
    world = simulate(300)
    rows = compare_methods(world.logits, world.truth, ["per_label"], repeats=1)
    assert rows[0].cross_fitted == rows[1].cross_fitted


def test_raw_optima_flatter_more_than_steady_ones() -> None:
    world = simulate(800, (0.2, 0.1, 0.02, 0.01, 0.01))
    rows = {row.method: row for row in compare_methods(world.logits, world.truth, ["per_label", "steady"], repeats=2)}
    assert rows["per_label"].flattery > rows["steady"].flattery


def test_unknown_method_is_refused() -> None:
    world = simulate(100)
    with pytest.raises(SettingError, match="no threshold method"):
        compare_methods(world.logits, world.truth, ["best"])
    with pytest.raises(SettingError, match="repeats must be at least 1"):
        compare_methods(world.logits, world.truth, repeats=0)


@pytest.mark.parametrize("arguments", [["--repeats", "1"], ["--draws", "2", "--texts", "150"]])
def test_the_benchmark_runs(arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = Path(__file__).resolve().parents[2] / "benchmarks" / "decision_rules.py"
    world = simulate(400, (0.3, 0.1))
    np.savez(tmp_path / "dev.npz", logits=world.logits, truth=world.truth)
    out = tmp_path / "found.json"
    monkeypatch.setattr("sys.argv", [str(script), str(tmp_path / "dev.npz"), *arguments, "--json", str(out)])
    runpy.run_path(str(script), run_name="__main__")
    assert {row["method"] for row in json.loads(out.read_text())["rows"]} >= set(THRESHOLD_METHODS)
