"""Teachers never score what they learned, their scores are calibrated and kept, and a student learns from them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from small_runs import FEW, make_encoder, make_set, small_run
from typer.testing import CliRunner

from affekt.cli.app import app
from affekt.data import Dataset
from affekt.decision import sigmoid
from affekt.errors import DataError, SettingError
from affekt.model_folder import read_manifest
from affekt.training.distilling.distill import MoreTexts, distill
from affekt.training.distilling.teachers import (
    FoldJob,
    Teacher,
    Teachers,
    fold_calibrations,
    fold_numbers,
    out_of_fold_scores,
    pool_scores,
    teacher_scores,
)
from affekt.training.distilling.unlabelled import ANY_FOLD, Pool, make_pool
from affekt.training.inputs import Inputs
from affekt.training.recipe import Recipe
from affekt.training.run import Options

torch.set_num_threads(1)
CPU = torch.device("cpu")
RECIPE = Recipe(batch_size=8, epochs=1, lr=1e-3, max_length=32)


def members(*encoders: str) -> tuple[Teacher, ...]:
    """A teacher for each encoder."""
    return tuple(Teacher(encoder, RECIPE) for encoder in encoders)


@pytest.fixture(scope="module")
def encoders(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    folder = tmp_path_factory.mktemp("distill")
    return tuple(str(make_encoder(folder / name, name)) for name in ("bert", "electra"))


def test_no_teacher_scores_what_it_learned_or_what_was_made_of_it(
    encoders: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taught: list[tuple[set[str], set[str]]] = []

    def fake(job: FoldJob, _device: Any, _hooks: Any) -> Any:
        learned = {job.inputs.train.texts[i] for i in job.rows}
        taught.append((learned, {job.inputs.train.texts[i] for i in job.held}))
        value = float(encoders.index(job.teacher.encoder))
        return tuple(np.full((len(texts), 5), value, dtype=np.float32) for texts in (job.held, job.others))

    monkeypatch.setattr(FoldJob, "_train_and_score", fake)
    data = make_set(60)
    twice = Dataset([*data.texts, *data.texts[:10]], data.labels, np.concatenate([data.targets, data.targets[:10]]))
    teachers = Teachers(members(*encoders), folds=3, calibrate=False)
    folds = fold_numbers(teachers.parts(twice))
    pool = make_pool(twice.texts, folds, derived=1.0, others=["something else"])
    scores, more = teacher_scores(Inputs(twice, None), teachers, tmp_path, device=CPU, pool=pool)
    assert len(taught) == 6
    assert all(not learned & scored for learned, scored in taught)
    expected = (sigmoid(0.0) + sigmoid(1.0)) / 2
    assert np.allclose(scores, expected)
    assert more.shape == (len(pool), 5)
    assert np.allclose(more, expected)


def test_a_pool_is_scored_by_its_own_fold_and_the_rest_by_all() -> None:
    pool = Pool(("a", "b", "c"), np.array([0, 1, ANY_FOLD]))
    logits = [np.array([[1.0], [2.0]], dtype=np.float32), np.array([[3.0], [4.0]], dtype=np.float32)]
    scores = pool_scores(pool, logits, [None, None])
    assert np.allclose(scores[:, 0], [sigmoid(1.0), sigmoid(3.0), (sigmoid(2.0) + sigmoid(4.0)) / 2])


def test_scores_are_kept_and_belong_to_their_texts(
    encoders: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    teachers = Teachers(members(encoders[0]), folds=2)
    inputs = Inputs(make_set(40), make_set(20, seed=1))
    pool = Pool(("one more", "and another"), np.array([0, ANY_FOLD]))
    first, more = teacher_scores(inputs, teachers, tmp_path, device=CPU, pool=pool)
    assert first.shape == (40, 5)
    assert more.shape == (2, 5)
    assert first.dtype == np.float32
    assert ((first > 0) & (first < 1)).all()
    assert [path.suffix for path in tmp_path.iterdir()] == [".npz", ".npz"]
    monkeypatch.setattr(FoldJob, "_train_and_score", None)
    again, _ = teacher_scores(inputs, teachers, tmp_path, device=CPU, pool=pool)
    assert np.array_equal(again, first)
    for other in (Inputs(make_set(40, seed=9), None), Inputs(inputs.train, None)):
        with pytest.raises(DataError, match="other texts or with another recipe"):
            teacher_scores(other, teachers, tmp_path, device=CPU, pool=pool)
    with pytest.raises(DataError, match="other texts or with another recipe"):
        teacher_scores(inputs, teachers, tmp_path, device=CPU)


def test_calibration_never_sees_the_texts_it_is_for() -> None:
    data = make_set(120)
    halves = [np.arange(0, 60), np.arange(60, 120)]
    folds = [(halves[1], halves[0]), (halves[0], halves[1])]
    logits = np.where(data.targets > 0, 0.3, -0.3).astype(np.float32)

    def scores(of: Dataset, logits: Any, folds: Any) -> Any:
        return out_of_fold_scores(logits, folds, fold_calibrations(logits, of, folds))

    found = scores(data, logits, folds)
    assert (np.abs(found - data.targets) < np.abs(sigmoid(logits) - data.targets)).mean() > 0.95
    changed = np.array(data.targets)
    changed[:60] = 1 - changed[:60]
    other = scores(Dataset(data.texts, data.labels, changed), logits, folds)
    assert np.array_equal(other[:60], found[:60])
    assert not np.array_equal(other[60:], found[60:])
    few = [(np.arange(10, 20), np.arange(10)), (np.arange(10), np.arange(10, 20))]
    assert np.allclose(scores(data.subset(range(20)), logits[:20], few), sigmoid(logits[:20]))


def test_a_student_learns_from_teachers(encoders: tuple[str, ...], tmp_path: Path) -> None:
    teachers = Teachers(members(encoders[0]), folds=2)
    options = Options(device="cpu", progress=False, resampling=FEW)
    data, dev = make_set(40), make_set(24, seed=1)
    result = distill(
        data, dev, teachers=teachers, student=encoders[1], out=tmp_path / "small", recipe=RECIPE, options=options,
        more=MoreTexts(derived=1.0, others=("something else entirely",)),
    )  # fmt: skip
    facts = read_manifest(result.folder).data
    assert facts["train"]["sha256"] == data.fingerprint()
    assert facts["pool"]["texts"] > 10
    plain = small_run(
        tmp_path, "epochs=1", "teacher_weight=0", encoder=encoders[1], data=data, dev=dev, out=tmp_path / "plain"
    )
    ours, theirs = ((r.folder / "model.safetensors").read_bytes() for r in (result, plain))
    assert ours != theirs


def test_finished_models_and_nobody_are_no_teachers(tmp_path: Path) -> None:
    result = small_run(tmp_path)
    with pytest.raises(SettingError, match="may have learned these very texts"):
        Teachers(members(str(result.folder)))
    for nobody in ((), ("a", "a")):
        with pytest.raises(SettingError, match="no two with the same encoder and recipe"):
            Teachers(members(*nobody))
    Teachers((*members("a"), Teacher("a", RECIPE.replace(seed=1))))


def test_the_command(encoders: tuple[str, ...], tmp_path: Path) -> None:
    data = make_set(60)
    lines = [f"{t}\t{'|'.join(np.array(data.labels)[y > 0])}" for t, y in zip(data.texts, data.targets, strict=True)]
    (tmp_path / "train.tsv").write_text("text\tlabels\n" + "\n".join(lines) + "\n")
    settings = [f"{flag}={value}" for value in ("max_length=32", "epochs=1") for flag in ("--set", "--teacher-set")]
    ran = CliRunner().invoke(app, [
        "distill", "--data", str(tmp_path / "train.tsv"), "--student", encoders[1],
        "--teacher", encoders[0], "--teacher", f"{encoders[0]}:best", "--derive", "0.5",
        "--texts", str(tmp_path / "train.tsv"),
        "--out", str(tmp_path / "small"), "--folds", "2", "--device", "cpu", "--quiet", *settings,
    ])  # fmt: skip
    assert ran.exit_code == 0, ran.output
    assert "Macro-F1 on dev" in ran.output
