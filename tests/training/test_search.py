"""Searches draw from their space, go on where they were, give up what promises nothing, and write a recipe."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from small_runs import make_encoder, make_set, small_run
from typer.testing import CliRunner

from affekt.cli.app import app
from affekt.errors import DataError, MissingExtraError, SettingError, TrainingError
from affekt.training import search as module
from affekt.training.inputs import Inputs
from affekt.training.loop.progress import EpochReport, Progress
from affekt.training.recipe import Recipe, get_recipe
from affekt.training.search import DEFAULT_SPACE, read_space, search

pytest.importorskip("optuna")
pytestmark = [
    pytest.mark.filterwarnings("ignore::UserWarning:optuna"),
    pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning"),
]
torch.set_num_threads(1)
INPUTS = Inputs(make_set(), make_set(24, seed=1))
BASE = Recipe(batch_size=8, max_length=32, epochs=1)
SPACE: dict[str, Any] = {"lr": {"low": 1e-4, "high": 1e-2, "log": True}, "loss": ["bce", "asymmetric"]}


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(make_encoder(tmp_path_factory.mktemp("search") / "encoder"))


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> list[Recipe]:
    """Trials that score by their rate, epoch by epoch, without training; the recipes that were tried."""
    tried: list[Recipe] = []

    def prepared(recipe: Recipe, *_: Any, hooks: Any, **__: Any) -> Any:
        tried.append(recipe)
        return recipe, hooks

    def trained(run: Any) -> Any:
        recipe, hooks = run
        score = 1.0 - abs(np.log10(recipe.lr) + 3.0)
        for epoch in range(1, recipe.epochs + 1):
            hooks[-1].epoch(EpochReport(epoch, epoch, 0.0, score * epoch / recipe.epochs, best=True, seconds=0.0))
        return Progress(best_score=score, best_step=1), {}

    monkeypatch.setattr(module, "prepare", prepared)
    monkeypatch.setattr(module, "train_in_memory", trained)
    return tried


def test_the_best_of_many_is_written(fake: list[Recipe], tmp_path: Path) -> None:
    found = search(INPUTS, "e", out=tmp_path, base=BASE, space=SPACE, trials=12, device="cpu")
    assert len(fake) == len(found.trials) == 12
    assert all(1e-4 <= recipe.lr <= 1e-2 and recipe.loss in ("bce", "asymmetric") for recipe in fake)
    assert len({recipe.lr for recipe in fake}) > 6
    scores = [row["score"] for row in found.trials if row["end"] == "complete"]
    assert found.score == max(scores) == found.trials[0]["score"]
    assert get_recipe(str(tmp_path / "recipe.json")) == found.recipe
    assert found.recipe.lr == found.trials[0]["settings"]["lr"]
    assert found.recipe.batch_size == BASE.batch_size


def test_it_goes_on_where_it_was(fake: list[Recipe], tmp_path: Path) -> None:
    search(INPUTS, "e", out=tmp_path, base=BASE, space=SPACE, trials=3, device="cpu")
    found = search(INPUTS, "e", out=tmp_path, base=BASE, space=SPACE, trials=5, device="cpu")
    assert len(fake) == len(found.trials) == 5
    search(INPUTS, "e", out=tmp_path, base=BASE, space=SPACE, trials=5, device="cpu")
    assert len(fake) == 5
    with pytest.raises(SettingError, match="another encoder"):
        search(INPUTS, "f", out=tmp_path, base=BASE, space=SPACE, trials=5, device="cpu")


def test_what_promises_nothing_is_given_up(fake: list[Recipe], tmp_path: Path) -> None:
    found = search(INPUTS, "e", out=tmp_path, base=BASE.replace(epochs=4), space=SPACE, trials=15, device="cpu")
    ends = {row["end"] for row in found.trials}
    assert ends == {"complete", "pruned"}
    assert found.trials[0]["end"] == "complete"


def test_trials_that_fail_are_given_up(fake: list[Recipe], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(_: Any) -> Any:
        raise TrainingError("not finite")

    monkeypatch.setattr(module, "train_in_memory", failing)
    with pytest.raises(TrainingError, match="None of the 2 trials"):
        search(INPUTS, "e", out=tmp_path, base=BASE, space=SPACE, trials=2, device="cpu")


def test_real_trials_train(encoder: str, tmp_path: Path) -> None:
    found = search(INPUTS, encoder, out=tmp_path / "s", base=BASE, space=SPACE, trials=2, device="cpu")
    result = small_run(tmp_path, encoder=encoder, recipe=found.recipe)
    assert result.recipe.lr == 1e-3  # the run's own override


@pytest.mark.parametrize(
    ("space", "said"),
    [
        ({"learning": [1]}, "no setting 'learning'"),
        ({"lr": {"low": -1.0, "high": 1.0}}, "'lr'"),
        ({"lr": {"low": 1.0}}, "'lr' must have choices, or low and high"),
        ({"lr": []}, "must have choices"),
        ({"loss": "bce"}, "must have choices"),
    ],
)
def test_bad_spaces_are_named(space: dict[str, Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=said):
        search(INPUTS, "e", out=tmp_path, base=BASE, space=space, trials=1, device="cpu")
    assert not (tmp_path / "trials.db").exists()


def test_spaces_are_read(tmp_path: Path) -> None:
    path = tmp_path / "space.json"
    path.write_text(json.dumps(SPACE))
    assert read_space(path) == SPACE
    for text in ("[1]", "{"):
        path.write_text(text)
        with pytest.raises(SettingError, match=r"space\.json"):
            read_space(path)


def test_what_is_missing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match="needs a dev set"):
        search(Inputs(make_set(), None), "e", out=tmp_path, base=BASE)
    monkeypatch.setitem(__import__("sys").modules, "optuna", None)
    with pytest.raises(MissingExtraError, match=r"affekt\[search\]"):
        search(INPUTS, "e", out=tmp_path, base=get_recipe("fast"), space=DEFAULT_SPACE)


def test_the_command(fake: list[Recipe], tmp_path: Path) -> None:
    data = make_set(60)
    lines = [f"{t}\t{'|'.join(np.array(data.labels)[y > 0])}" for t, y in zip(data.texts, data.targets, strict=True)]
    (tmp_path / "train.tsv").write_text("text\tlabels\n" + "\n".join(lines) + "\n")
    ran = CliRunner().invoke(app, [
        "search", "--data", str(tmp_path / "train.tsv"), "--encoder", "e", "--out", str(tmp_path / "found"),
        "--trials", "3", "--device", "cpu", "--quiet",
    ])  # fmt: skip
    assert ran.exit_code == 0, ran.output
    assert (tmp_path / "found" / "recipe.json").is_file()
