"""Exporting a model folder: both graphs and their figures, or a refusal that leaves the folder as it was."""

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from affekt.backends.torch import load_model
from affekt.classifier import EmotionClassifier
from affekt.data import Dataset
from affekt.decision import Calibration, DecisionRule, sigmoid
from affekt.errors import DataError, ModelFolderError, ParityError
from affekt.export import export, exporting
from affekt.export.parity import MOST_FLIPPED
from affekt.model_folder import RuleRecord, read_manifest, update_manifest, verify
from models import model_folder

LABELS = ("joy", "fear", "anger")
TEXTS = tuple(f"{word} {other} so very {number}!" for number, word in enumerate(("love", "hate", "", "work" * 60) * 5)
              for other in ("happy", "sad"))  # fmt: skip


def rule(threshold: float) -> RuleRecord:
    return RuleRecord.of(LABELS, DecisionRule(Calibration.identity(3), (threshold,) * 3))


def dataset(labels: tuple[str, ...] = LABELS) -> Dataset:
    targets = np.random.default_rng(0).integers(0, 2, (len(TEXTS), len(labels)))
    return Dataset(TEXTS, labels, targets.astype(np.float32))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    model_folder(tmp_path / "model", LABELS, "mine")
    update_manifest(tmp_path / "model", lambda old: old.model_copy(update={"rules": {"mine": rule(0.01)}}))
    return tmp_path / "model"


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_both_graphs_arrive_with_their_digests_and_figures(folder: Path) -> None:
    report = export(folder, dataset(), threads=1)
    manifest = read_manifest(folder)
    verify(folder, manifest)
    assert {"onnx/model.onnx", "onnx/model_quantized.onnx"} <= set(manifest.files)
    assert report.sizes == {name: (folder / name).stat().st_size for name in manifest.files if "onnx" in name}
    assert report.float32.difference < 1e-5
    assert report.int8 is not None
    assert report.texts == len(TEXTS)
    assert manifest.metrics["export"] == report.to_json()
    exact, small = (EmotionClassifier.load(folder, backend=name, threads=1) for name in ("torch-cpu", "onnx-int8"))
    assert np.abs(exact.scores(TEXTS) - small.scores(TEXTS)).max() < 0.05


def test_weights_are_rounded_for_the_texts_that_are_given(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = folder / "onnx" / "model_quantized.onnx"
    found, apart_by = {}, {}
    for name, texts in (("own", ()), ("same", TEXTS), ("others", ["hate"] * 30), ("array", np.array(TEXTS))):
        report = export(folder, dataset(), calibration=texts, threads=1)
        assert report.int8 is not None
        found[name], apart_by[name] = small.read_bytes(), report.int8.difference
    assert found["own"] == found["same"] == found["array"] != found["others"]
    assert apart_by["own"] < apart_by["others"]
    monkeypatch.setattr(exporting, "round_linears", lambda *_: {})
    nearest = export(folder, dataset(), threads=1).int8
    assert nearest is not None
    assert apart_by["own"] < nearest.difference


@pytest.mark.parametrize("texts", [["", "   "], ["https://example.com"]])
def test_texts_of_which_nothing_is_left_are_no_calibration(folder: Path, texts: list[str]) -> None:
    before = contents(folder)
    with pytest.raises(DataError, match="no text to calibrate on"):
        export(folder, dataset(), calibration=texts, threads=1)
    assert contents(folder) == before


def test_at_most_so_many_texts_calibrate(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    monkeypatch.setattr(exporting, "CALIBRATION_TEXTS", 10)
    monkeypatch.setattr(exporting, "round_linears", lambda _, batches: seen.append(batches) or {})
    export(folder, dataset(), calibration=["love"] * 19, threads=1)
    assert sum(len(batch.input_ids) for batch in seen[0]) == 10


def test_exporting_again_gives_the_same_bytes(folder: Path) -> None:
    export(folder, dataset(), threads=1)
    before = contents(folder)
    export(folder, dataset(), threads=1)
    assert contents(folder) == before


def test_the_int8_graph_may_be_left_out(folder: Path) -> None:
    report = export(folder, dataset(), int8=False, threads=1)
    assert report.int8 is None
    assert list(report.sizes) == ["onnx/model.onnx"]


@pytest.mark.parametrize("gate", ["require_float", "require_int8"])
def test_a_refused_graph_leaves_nothing_behind(folder: Path, monkeypatch: pytest.MonkeyPatch, gate: str) -> None:
    before = contents(folder)

    def refuse(_: object) -> None:
        raise ParityError("not the same answers")

    monkeypatch.setattr(exporting, gate, refuse)
    with pytest.raises(ParityError):
        export(folder, dataset(), threads=1)
    assert contents(folder) == before


def test_decisions_that_flip_are_refused_for_real(folder: Path) -> None:
    scores = EmotionClassifier.load(folder, backend="torch-cpu", threads=1).scores(TEXTS)
    thresholds = tuple(float(value) for value in np.median(scores, axis=0))
    record = RuleRecord.of(LABELS, DecisionRule(Calibration.identity(3), thresholds))
    update_manifest(folder, lambda old: old.model_copy(update={"rules": {"mine": record}}))
    with pytest.raises(ParityError, match="decides"):
        export(folder, dataset(), threads=1)
    assert not (folder / "onnx").exists()


def test_labels_that_are_not_the_models_are_refused(folder: Path) -> None:
    with pytest.raises(DataError, match="has no label 'anger'"):
        export(folder, dataset(("joy", "fear")), threads=1)


def test_labels_in_another_order_are_put_in_the_models(folder: Path) -> None:
    assert export(folder, dataset(("anger", "joy", "fear")), int8=False, threads=1).texts == len(TEXTS)


def test_an_altered_folder_is_not_exported(folder: Path) -> None:
    with (folder / "model.safetensors").open("ab") as file:
        file.write(b"\0")
    with pytest.raises(ModelFolderError, match="SHA-256"):
        export(folder, dataset(), threads=1)


def test_an_empty_set_is_refused(folder: Path) -> None:
    with pytest.raises(DataError, match="no texts"):
        export(folder, dataset().subset([]), threads=1)


@pytest.fixture
def outsize(folder: Path) -> Path:
    """The same model with outsize channels among the attention's values, and thresholds that no score comes near."""
    model = load_model(folder)
    with torch.no_grad():
        for layer in model.bert.encoder.layer:
            layer.attention.self.value.weight[:2] *= 1000
            layer.attention.self.value.bias[:2] *= 1000
            layer.attention.output.dense.weight[:, :2] /= 1000
    model.save_pretrained(folder)
    update_manifest(folder, lambda old: old)
    lowest = EmotionClassifier.load(folder, backend="torch-cpu", threads=1).logits(TEXTS).min(axis=0)
    thresholds = tuple(map(float, sigmoid(lowest - 0.03)))
    record = RuleRecord.of(LABELS, DecisionRule(Calibration.identity(3), thresholds))
    update_manifest(folder, lambda old: old.model_copy(update={"rules": {"mine": record}}))
    return folder


def test_channels_are_taken_apart_only_where_the_plain_graph_is_refused(
    outsize: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = export(outsize, dataset(), threads=1)
    assert report.int8 is not None
    assert report.int8.flipped <= MOST_FLIPPED
    assert report.apart
    kinds = [node.name for node in onnx.load(outsize / "onnx" / "model_quantized.onnx").graph.node]
    assert any(name.endswith(".largest_product") for name in kinds)
    monkeypatch.setattr(exporting, "apart", lambda graph, extremes: (graph, extremes))
    with pytest.raises(ParityError, match="decides"):
        export(outsize, dataset(), threads=1)


def test_a_plain_graph_that_passes_is_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "apart", None)
    assert export(folder, dataset(), threads=1).int8 is not None
