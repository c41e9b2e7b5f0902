"""The commands that train, as people call them, with encoders of a toy's size."""

import json
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from affekt.cli.app import main  # noqa: E402
from affekt.model_folder import read_manifest  # noqa: E402
from models import WORDS, hugging_face_folder  # noqa: E402

torch.set_num_threads(1)
QUICK = ["--set", "epochs=1", "--set", "batch_size=16", "--set", "max_length=16", "--device", "cpu"]


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random encoder of two layers."""
    return hugging_face_folder(tmp_path_factory.mktemp("encoder") / "tiny", labels=("a", "b"))


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A table whose columns have names that nothing would guess."""
    rows = [f"{' '.join(WORDS[i : i + 5])};{i % 2};{i % 3 // 2}" for i in range(40)]
    path = tmp_path / "moods.csv"
    path.write_text("\n".join(["what was said;joy;anger", *rows]) + "\n")
    return path


def call(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of a command."""
    try:
        main([str(argument) for argument in arguments])
        code = 0
    except SystemExit as end:
        code = int(end.code or 0)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_train_takes_its_own_options_and_the_tables(
    table: Path, encoder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "model"
    source = ["--data", table, "--labels", "joy", "--delimiter", ";", "--encoder", encoder]
    code, said, _ = call(capsys, "train", *source, "--out", out, *QUICK, "--seed", 7, "--lora", "--quiet")
    assert code == 0
    assert f"affekt predict --model {out}" in said
    manifest = read_manifest(out)
    assert manifest.labels == ("joy",)
    assert {key: manifest.recipe[key] for key in ("epochs", "max_length", "seed", "lora_rank")} == {
        "epochs": 1, "max_length": 16, "seed": 7, "lora_rank": 16,
    }  # fmt: skip


@pytest.mark.parametrize(("texts", "fitted"), [(40, False), (300, True)])
def test_train_says_whether_rules_were_fitted(
    texts: int, fitted: bool, encoder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [f"{' '.join(WORDS[i % 20 : i % 20 + 5])} {i};{i % 2}" for i in range(texts)]
    (tmp_path / "moods.csv").write_text("\n".join(["text;joy", *rows]) + "\n")
    source = ["--data", tmp_path / "moods.csv", "--encoder", encoder, "--dev-share", "0.3"]
    code, said, _ = call(capsys, "train", *source, "--out", tmp_path / "model", *QUICK, "--quiet")
    assert code == 0
    assert ("scores are not calibrated" in said) != fitted
    assert ("by rules that did not see the texts" in said) == fitted
    assert bool(read_manifest(tmp_path / "model").rules["custom"].fitted_on) == fitted


def test_train_does_not_speak_of_rules_that_nobody_asked_for(
    table: Path, encoder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = ["--data", table, "--labels", "joy", "--delimiter", ";", "--encoder", encoder, "--set", "decisions=fixed"]
    code, said, _ = call(capsys, "train", *source, "--out", tmp_path / "model", *QUICK, "--quiet")
    assert code == 0
    assert "by the recipe's one threshold" in said
    assert "Give more" not in said


def test_train_says_that_nothing_was_measured(
    table: Path, encoder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--data", table, "--encoder", encoder, "--out", tmp_path / "model", "--dev-share", "0"]
    code, said, _ = call(capsys, "train", *arguments, *QUICK, "--quiet")
    assert code == 0
    assert "No figures: there was no dev set." in said


def test_the_reference_recipe_explains_what_the_machine_lacks(
    table: Path, encoder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--data", table, "--encoder", encoder, "--out", tmp_path / "model", "--device", "cpu"]
    code, _, said = call(capsys, "train", *arguments, "--recipe", "reference")
    assert code == 2
    assert "--set precision=fp32 --set optimizer=adamw" in said
    assert not (tmp_path / "model").exists()


def test_a_stopped_run_ends_with_the_signals_exit_code(
    table: Path, encoder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from affekt.training.loop.stopping import StoppedError

    def stop(*_: object, **__: object) -> None:
        raise StoppedError(3, 15, "model.run")

    monkeypatch.setattr("affekt.training.train", stop)
    code, _, said = call(capsys, "train", "--data", table, "--encoder", encoder, "--out", tmp_path / "model")
    assert code == 128 + 15
    assert "--resume" in said


def test_doctor_looks_without_training(table: Path, encoder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["doctor", "--data", table, "--encoder", encoder, *QUICK[:6], "--device", "cpu", "--steps", 0]
    code, said, _ = call(capsys, *arguments)
    assert code == 0
    assert said.rstrip().endswith("Training can start.")
    code, said, _ = call(capsys, *arguments, "--json")
    assert code == 0
    assert json.loads(said)["remarks"]


def test_doctor_refuses_what_cannot_run(table: Path, encoder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["doctor", "--data", table, "--encoder", encoder, "--recipe", "reference", "--device", "cpu"]
    code, said, _ = call(capsys, *arguments, "--steps", 0)
    assert code == 1
    assert "Training cannot start as it is" in said


def test_search_writes_the_best_recipe(
    table: Path, encoder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("optuna")
    space = tmp_path / "space.json"
    space.write_text('{"lr": {"low": 1e-5, "high": 1e-3, "log": true}}')
    arguments = ["--data", table, "--encoder", encoder, "--out", tmp_path / "found", "--space", space, "--trials", 2]
    code, said, _ = call(capsys, "search", *arguments, *QUICK, "--quiet")
    assert code == 0
    assert "lr=" in said
    recipe = json.loads((tmp_path / "found" / "recipe.json").read_text())
    assert 1e-5 <= recipe["lr"] <= 1e-3
    assert recipe["epochs"] == 1


def test_distill_trains_a_student(
    table: Path, encoder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "student"
    teachers = ["--teacher", encoder, "--teacher-set", "epochs=1", "--teacher-set", "max_length=16", "--folds", 2]
    code, said, _ = call(
        capsys, "distill", "--data", table, *teachers, "--student", encoder, "--out", out, *QUICK, "--quiet"
    )
    assert code == 0
    assert str(out) in said
    assert read_manifest(out).labels == ("joy", "anger")


def test_pretrain_writes_an_encoder_to_train_from(
    table: Path, encoder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "read"
    code, said, _ = call(capsys, "pretrain", "--texts", table, "--encoder", encoder, "--out", out, *QUICK)
    assert code == 0
    assert f"affekt train --encoder {out}" in said
    arguments = ["--data", table, "--encoder", out, "--out", tmp_path / "model", "--quiet"]
    assert call(capsys, "train", *arguments, *QUICK)[0] == 0
