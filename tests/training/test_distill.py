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
from affekt.training import distill as module
from affekt.training.distill import Teachers, distill, teacher_scores
from affekt.training.inputs import Inputs
from affekt.training.recipe import Recipe
from affekt.training.run import Options

torch.set_num_threads(1)
CPU = torch.device("cpu")
RECIPE = Recipe(batch_size=8, epochs=1, lr=1e-3, max_length=32)


@pytest.fixture(scope="module")
def encoders(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    folder = tmp_path_factory.mktemp("distill")
    return tuple(str(make_encoder(folder / name, name)) for name in ("bert", "electra"))


def test_no_teacher_scores_what_it_learned(
    encoders: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taught: list[tuple[set[str], set[str]]] = []

    def fake(inputs: Inputs, recipe: Any, encoder: str, rows: Any, held: Any, *_: Any) -> Any:
        taught.append(({inputs.train.texts[i] for i in rows}, {inputs.train.texts[i] for i in held}))
        return np.full((len(held), 5), encoders.index(encoder), dtype=np.float32)

    monkeypatch.setattr(module, "_train_and_score", fake)
    data = make_set(60)
    twice = Dataset([*data.texts, *data.texts[:10]], data.labels, np.concatenate([data.targets, data.targets[:10]]))
    teachers = Teachers(encoders, RECIPE, folds=3, calibrate=False)
    scores = teacher_scores(Inputs(twice, None), teachers, tmp_path, device=CPU)
    assert len(taught) == 6
    assert all(not learned & scored for learned, scored in taught)
    assert np.allclose(scores, (sigmoid(0.0) + sigmoid(1.0)) / 2)


def test_scores_are_kept_and_belong_to_their_texts(
    encoders: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    teachers = Teachers(encoders[:1], RECIPE, folds=2)
    inputs = Inputs(make_set(40), make_set(20, seed=1))
    first = teacher_scores(inputs, teachers, tmp_path, device=CPU)
    assert first.shape == (40, 5)
    assert first.dtype == np.float32
    assert ((first > 0) & (first < 1)).all()
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".json", ".json", ".npy", ".npy"]
    monkeypatch.setattr(module, "_train_and_score", None)
    assert np.array_equal(teacher_scores(inputs, teachers, tmp_path, device=CPU), first)
    with pytest.raises(DataError, match="other texts or with another recipe"):
        teacher_scores(Inputs(make_set(40, seed=9), None), teachers, tmp_path, device=CPU)


def test_calibration_never_sees_the_texts_it_is_for() -> None:
    data = make_set(120)
    folds = [np.arange(0, 60), np.arange(60, 120)]
    logits = np.where(data.targets > 0, 0.3, -0.3).astype(np.float32)
    scores = module._calibrated(logits, data, folds)
    assert (np.abs(scores - data.targets) < np.abs(sigmoid(logits) - data.targets)).mean() > 0.95
    changed = np.array(data.targets)
    changed[:60] = 1 - changed[:60]
    other = module._calibrated(logits, Dataset(data.texts, data.labels, changed), folds)
    assert np.array_equal(other[:60], scores[:60])
    assert not np.array_equal(other[60:], scores[60:])
    few = module._calibrated(logits[:20], data.subset(range(20)), [np.arange(10), np.arange(10, 20)])
    assert np.allclose(few, sigmoid(logits[:20]))


def test_a_student_learns_from_teachers(encoders: tuple[str, ...], tmp_path: Path) -> None:
    teachers = Teachers(encoders[:1], RECIPE, folds=2)
    options = Options(device="cpu", progress=False, resampling=FEW)
    data, dev = make_set(40), make_set(24, seed=1)
    result = distill(
        data, dev, teachers=teachers, student=encoders[1], out=tmp_path / "small", recipe=RECIPE, options=options
    )
    assert read_manifest(result.folder).data["train"]["sha256"] == data.fingerprint()
    plain = small_run(
        tmp_path, "epochs=1", "teacher_weight=0", encoder=encoders[1], data=data, dev=dev, out=tmp_path / "plain"
    )
    ours, theirs = ((r.folder / "model.safetensors").read_bytes() for r in (result, plain))
    assert ours != theirs


def test_finished_models_and_nobody_are_no_teachers(tmp_path: Path) -> None:
    result = small_run(tmp_path)
    with pytest.raises(SettingError, match="may have learned these very texts"):
        Teachers((str(result.folder),), RECIPE)
    for nobody in ((), ("a", "a")):
        with pytest.raises(SettingError, match="each named once"):
            Teachers(nobody, RECIPE)


def test_the_command(encoders: tuple[str, ...], tmp_path: Path) -> None:
    data = make_set(60)
    lines = [f"{t}\t{'|'.join(np.array(data.labels)[y > 0])}" for t, y in zip(data.texts, data.targets, strict=True)]
    (tmp_path / "train.tsv").write_text("text\tlabels\n" + "\n".join(lines) + "\n")
    settings = [f"{flag}={value}" for value in ("max_length=32", "epochs=1") for flag in ("--set", "--teacher-set")]
    ran = CliRunner().invoke(app, [
        "distill", "--data", str(tmp_path / "train.tsv"), "--teacher", encoders[0], "--student", encoders[1],
        "--out", str(tmp_path / "small"), "--folds", "2", "--device", "cpu", "--quiet", *settings,
    ])  # fmt: skip
    assert ran.exit_code == 0, ran.output
    assert "Macro-F1 on dev" in ran.output
