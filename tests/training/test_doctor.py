"""What is known before training is said before training."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from small_runs import LABELS, make_encoder, make_set
from typer.testing import CliRunner

from affekt.cli.app import app
from affekt.data import Dataset
from affekt.errors import DataError
from affekt.training.doctor import Diagnosis, examine
from affekt.training.inputs import Inputs, complaints, gather
from affekt.training.recipe import Recipe, get_recipe

torch.set_num_threads(1)
CPU = torch.device("cpu")
RECIPE = Recipe(batch_size=8, max_length=32, epochs=2)


def said(found: Diagnosis, about: str) -> str:
    return " ".join(f"[{r.severity}] {r.text}" for r in found.remarks if r.about == about)


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(make_encoder(tmp_path_factory.mktemp("doctor") / "encoder"))


def test_a_healthy_run_is_timed_by_real_steps(encoder: str) -> None:
    inputs = Inputs(make_set(200), make_set(60, seed=1))
    found = examine(inputs, encoder, RECIPE, device=CPU, steps=4)
    assert found.healthy
    assert found.seconds is not None
    assert 0 < found.seconds < 600
    assert "4 steps on the plain engine" in said(found, "time")
    assert "50 steps and the evaluations" in said(found, "time")
    assert "GB are free" in said(found, "disk")
    assert "Tokens per text" in said(found, "texts")
    assert said(found, "memory") == ""


def test_bad_labels_are_named(encoder: str) -> None:
    data, dev = make_set(200), make_set(60, seed=1)
    targets = np.array(data.targets)
    targets[:, 0], targets[:, 1] = 0.0, 1.0
    targets[:, 2] = 0.0
    targets[:3, 2] = 1.0
    held = np.array(dev.targets)
    held[:, 3] = 0.0
    inputs = Inputs(Dataset(data.texts, LABELS, targets), Dataset(dev.texts, LABELS, held))
    text = said(examine(inputs, encoder, RECIPE, device=CPU, steps=0), "data")
    assert "1 label is in no text: joy." in text
    assert "in every text: anger." in text
    assert "fewer than 10 texts: fear (3)." in text
    assert "Dev has no text with sadness" in text


def test_dev_texts_seen_in_training_are_counted(encoder: str) -> None:
    data = make_set(60)
    found = examine(Inputs(data, data.subset(range(10))), encoder, RECIPE, device=CPU, steps=0)
    assert "10 dev texts are in training as well (100.0%)" in said(found, "data")
    alone = examine(Inputs(data, None), encoder, RECIPE, device=CPU, steps=0)
    assert "There is no dev set" in said(alone, "data")
    assert alone.seconds is None


def test_lengths_blanks_and_strange_languages_are_seen(encoder: str) -> None:
    texts = ["love " * 30, "https://example.com", "愛 喜 怒 哀 楽 恐", *make_set(20).texts]
    inputs = Inputs(Dataset(texts, LABELS, np.eye(5, dtype=np.float32)[np.arange(len(texts)) % 5]), None)
    text = said(examine(inputs, encoder, RECIPE.replace(max_length=16), device=CPU, steps=0), "texts")
    assert "1 texts" in text
    assert "longer than 16 tokens and are cut" in text
    assert "1 texts are empty once cleaned" in text
    assert "unknown to this encoder's tokenizer" in text


def test_what_the_machine_cannot_do_is_an_error_and_timed_otherwise(encoder: str) -> None:
    recipe = get_recipe("reference", ["max_length=32", "batch_size=8"])
    found = examine(Inputs(make_set(40), None), encoder, recipe, device=CPU, steps=2)
    assert not found.healthy
    assert "--set precision=fp32 --set optimizer=adamw" in said(found, "machine")
    assert "batching=packed learns the same" in said(found, "texts")
    assert found.seconds is not None


def test_texts_longer_than_the_encoder_reads_are_an_error(encoder: str) -> None:
    found = examine(Inputs(make_set(40), None), encoder, RECIPE.replace(max_length=512), device=CPU, steps=1)
    assert not found.healthy
    assert "the encoder reads 80" in said(found, "texts")


@pytest.mark.parametrize(("budget", "words"), [(10**12, "fits the 1000.0 GB"), (10**6, "too small")])
def test_memory_is_judged_by_a_budget(budget: int, words: str, encoder: str) -> None:
    found = examine(Inputs(make_set(40), None), encoder, RECIPE, device=CPU, memory=budget, steps=0)
    assert words in said(found, "memory")
    assert found.healthy == (budget > 10**9)


def test_a_smaller_encoder_is_judged_as_what_it_becomes(encoder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    monkeypatch.setattr("affekt.training.doctor._memory", lambda _, model, *__: seen.append(model.config) or iter(()))
    recipe = RECIPE.replace(feed_forward=16, drop_layers=(1,))
    examine(Inputs(make_set(40), None), encoder, recipe, device=CPU, steps=0)
    assert (seen[0].intermediate_size, seen[0].num_hidden_layers) == (16, 1)


def test_the_command_says_it_for_people_and_programs(encoder: str, tmp_path: Path) -> None:
    data = make_set(60)
    rows = [
        f"{text}\t{'|'.join(np.array(LABELS)[row > 0])}" for text, row in zip(data.texts, data.targets, strict=True)
    ]
    table = tmp_path / "train.tsv"
    table.write_text("text\tlabels\n" + "\n".join(rows) + "\n")
    base = ["doctor", "--data", str(table), "--encoder", encoder, "--set", "max_length=32", "--device", "cpu"]
    shown = CliRunner().invoke(app, [*base, "--steps", "2"])
    assert shown.exit_code == 0, shown.output
    assert "Training can start." in shown.output
    told = CliRunner().invoke(app, [*base, "--steps", "0", "--recipe", "reference", "--json"])
    assert told.exit_code == 1
    assert json.loads(told.output)["healthy"] is False


def test_complaints_leave_good_labels_alone() -> None:
    assert complaints(np.tile(np.array([[1.0, 0.0], [0.0, 1.0]], dtype=np.float32), (20, 1)), ("a", "b")) == []
    unknown = np.full((20, 1), np.nan, dtype=np.float32)
    assert complaints(unknown, ("a",)) == ["1 label is never known: a."]


def test_sets_are_split_with_what_belongs_to_them() -> None:
    data = make_set(60)
    teacher = np.random.default_rng(0).random((60, 5)).astype(np.float32)
    weights = np.arange(60, dtype=np.float32)
    inputs = gather(data, None, seed=0, teacher=teacher, weights=weights)
    assert inputs.teacher is not None
    assert inputs.weights is not None
    rows = inputs.weights.astype(int)
    assert [data.texts[row] for row in rows] == list(inputs.train.texts)
    assert np.array_equal(inputs.teacher, teacher[rows])


def test_further_corpora_teach_the_labels_they_have() -> None:
    data = make_set(40)
    joys = Dataset(("so happy", "so sad"), ("trust", "sadness", "joy"), np.array([[1, 0, 1], [0, 1, 0]]), name="joys")
    teacher = np.full((40, 5), 0.5, dtype=np.float32)
    inputs = gather(data, make_set(10, seed=1), seed=0, also=[joys], also_weight=0.5, teacher=teacher)
    assert inputs.train.labels == LABELS
    assert len(inputs.train) == 42
    assert inputs.train.name == "small + joys"
    assert np.array_equal(inputs.train.targets[40:, [0, 3]], [[1, 0], [0, 1]])
    assert np.isnan(inputs.train.targets[40:, [1, 2, 4]]).all()
    assert inputs.weights is not None
    assert inputs.weights.tolist() == [1.0] * 40 + [0.5] * 2
    assert np.array_equal(inputs.targets(0.5)[40:], inputs.train.targets[40:], equal_nan=True)
    assert inputs.dev is not None
    assert len(inputs.dev) == 10
    with pytest.raises(DataError, match="no label in common"):
        gather(data, None, seed=0, also=[Dataset(("a",), ("trust",), np.ones((1, 1)))])


def test_teachers_and_gold_fill_each_others_gaps() -> None:
    gold = np.array([[1.0, np.nan, 0.0, np.nan]], dtype=np.float32)
    teacher = np.array([[0.5, 0.4, np.nan, np.nan]], dtype=np.float32)
    inputs = Inputs(Dataset(("a",), tuple("wxyz"), gold), None, teacher)
    mixed = inputs.targets(0.25)
    assert np.allclose(mixed[0, :3], [0.875, 0.4, 0.0])
    assert np.isnan(mixed[0, 3])
