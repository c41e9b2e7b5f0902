"""From a table to a model folder that anybody can load, for every architecture."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from small_runs import LABELS, make_encoder, make_set, small_run
from tiny_models import SETTINGS
from transformers import AutoModelForSequenceClassification, AutoTokenizer, pipeline

import affekt
from affekt.decision import sigmoid
from affekt.errors import DataError, SettingError, TrainingError
from affekt.model_folder import read_manifest, verify
from affekt.training.loop.progress import EpochReport, Hook, Report, Start
from affekt.training.networks.build import quiet

torch.set_num_threads(1)
TEXTS = list(make_set(6, seed=7).texts)


@pytest.mark.parametrize("kind", SETTINGS)
def test_every_architecture_trains_and_is_loaded_by_anybody(kind: str, tmp_path: Path) -> None:
    result = small_run(tmp_path, kind=kind)
    assert result.recipe.batching == ("dynamic" if kind == "deberta-v2" else "packed")
    classifier = affekt.load(result.folder, backend="torch")
    own = sigmoid(classifier.logits(TEXTS))
    with quiet():
        pipe = pipeline("text-classification", model=str(result.folder), top_k=None)
        model = AutoModelForSequenceClassification.from_pretrained(result.folder)
    tokens = AutoTokenizer.from_pretrained(result.folder)(TEXTS, padding=True, return_tensors="pt")
    with torch.no_grad():
        by_hand = torch.sigmoid(model(**tokens).logits).numpy()
    by_pipeline = np.array([[{x["label"]: x["score"] for x in one}[label] for label in LABELS] for one in pipe(TEXTS)])
    assert np.allclose(own, by_pipeline, atol=1e-6)
    assert np.allclose(own, by_hand, atol=1e-6)
    assert model.config.problem_type == "multi_label_classification"
    assert model.dtype == torch.float32
    assert result.macro_f1 is not None


def test_the_folder_is_clean_and_says_where_it_comes_from(tmp_path: Path) -> None:
    data, dev = make_set(80), make_set(60, seed=1, name="held out")
    result = small_run(tmp_path, data=data, dev=dev)
    names = {path.name for path in result.folder.iterdir()}
    assert {"config.json", "model.safetensors", "tokenizer.json", "affekt.json", "README.md"} <= names
    assert not any(path.is_dir() for path in result.folder.iterdir())
    manifest = read_manifest(result.folder)
    verify(result.folder, manifest)
    assert manifest.labels == LABELS
    assert manifest.data["train"]["sha256"] == data.fingerprint()
    assert manifest.data["dev"] == {"name": "held out", "texts": 60, "sha256": dev.fingerprint()}
    assert manifest.recipe["encoder"] == "./encoder"
    assert manifest.recipe["precision"] == "fp32"
    assert manifest.rules["custom"].fitted_on == "60 texts of 'held out'"
    assert manifest.metrics["dev"]["headline"] == "per_label_cross_fitted"
    assert len(manifest.metrics["epochs"]) == 2
    assert str(tmp_path) not in (result.folder / "affekt.json").read_text() + (result.folder / "README.md").read_text()
    left = {path.name for path in (tmp_path / "model.run").iterdir()}
    assert left == {"log.jsonl", "run.json"}
    assert all(path.stat().st_mode & 0o777 == 0o644 for path in result.folder.iterdir())


def test_fixed_decisions_keep_their_threshold(tmp_path: Path) -> None:
    result = small_run(tmp_path, "decisions=fixed", "threshold=0.3", "empty=neutral")
    record = read_manifest(result.folder).rules["custom"]
    assert (set(record.thresholds), set(record.slope), record.empty) == ({0.3}, {1.0}, "neutral")
    assert record.fitted_on == ""


def test_without_a_dev_set_the_last_epoch_counts(tmp_path: Path) -> None:
    result = small_run(tmp_path, dev=None, dev_share=0)
    assert result.macro_f1 is None
    assert [epoch["score"] for epoch in result.epochs] == [None, None]
    assert affekt.load(result.folder, backend="torch").predict(TEXTS)


def test_a_dev_set_is_split_off(tmp_path: Path) -> None:
    result = small_run(tmp_path, data=make_set(60), dev=None, dev_share=0.2)
    data = read_manifest(result.folder).data
    assert (data["train"]["texts"] + data["dev"]["texts"], data["dev"]["name"]) == (60, "small (dev)")
    assert 8 <= data["dev"]["texts"] <= 16
    assert data["table"] == {"name": "small", "texts": 60, "sha256": make_set(60).fingerprint()}


def test_a_table_will_do(tmp_path: Path) -> None:
    table = tmp_path / "train.csv"
    rows = [f"{text},{'|'.join(np.array(LABELS)[row > 0])}" for text, row in zip(*_parts(), strict=True)]
    table.write_text("text,labels\n" + "\n".join(rows) + "\n")
    result = small_run(tmp_path, data=table, dev=None, dev_share=0.2)
    assert set(read_manifest(result.folder).labels) == set(LABELS)


def _parts() -> tuple[tuple[str, ...], np.ndarray]:
    data = make_set(60)
    return data.texts, data.targets


def test_the_best_epoch_is_kept(tmp_path: Path) -> None:
    """With a rate that ruins the weights later on, an early epoch is saved, not the last one."""
    result = small_run(tmp_path, "epochs=6", "lr=0.02", "schedule=constant", "warmup_ratio=0", data=make_set(96))
    best = [epoch["best"] for epoch in result.epochs]
    scores = [epoch["score"] for epoch in result.epochs]
    last = max(number for number, flag in enumerate(best) if flag)
    assert scores[last] == max(scores)
    stopped = small_run(
        tmp_path / "again", f"epochs={last + 1}", "lr=0.02", "schedule=constant", "warmup_ratio=0", data=make_set(96)
    )
    one, other = (load_file(r.folder / "model.safetensors") for r in (result, stopped))
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_patience_ends_a_run(tmp_path: Path) -> None:
    result = small_run(tmp_path, "epochs=30", "lr=1e-9", "patience=3", "schedule=constant")
    assert len(result.epochs) == 4
    assert [epoch["best"] for epoch in result.epochs] == [True, False, False, False]


def test_seeds_decide_everything(tmp_path: Path) -> None:
    encoder = make_encoder(tmp_path / "encoder")
    runs = [small_run(tmp_path / str(n), f"seed={seed}", encoder=encoder) for n, seed in enumerate((3, 3, 4))]
    first, same, other = (load_file(run.folder / "model.safetensors") for run in runs)
    assert all(torch.equal(first[name], same[name]) for name in first)
    assert not all(torch.equal(first[name], other[name]) for name in first)


def test_teachers_and_weights_matter(tmp_path: Path) -> None:
    encoder, data = make_encoder(tmp_path / "encoder"), make_set()
    teacher = np.random.default_rng(0).random((48, 5)).astype(np.float32)
    weights = np.linspace(0.0, 2.0, 48).astype(np.float32)
    runs = [
        small_run(tmp_path / str(n), encoder=encoder, data=data, **settings)
        for n, settings in enumerate(({}, {"teacher": teacher}, {"weights": weights}))
    ]
    loaded = [load_file(run.folder / "model.safetensors")["classifier.weight"] for run in runs]
    assert not torch.equal(loaded[0], loaded[1])
    assert not torch.equal(loaded[0], loaded[2])
    with pytest.raises(DataError, match=r"shape \(47, 5\)"):
        small_run(tmp_path / "x", encoder=encoder, data=data, teacher=teacher[1:])
    with pytest.raises(DataError, match="one weight of at least 0"):
        small_run(tmp_path / "x", encoder=encoder, data=data, weights=-weights)


def test_unknown_labels_are_left_out(tmp_path: Path) -> None:
    data, dev = make_set(), make_set(24, seed=1)
    holes = np.array(data.targets)
    holes[::2, 3:] = np.nan
    held = np.array(dev.targets)
    held[0, 0] = np.nan
    partial = affekt.data.Dataset(data.texts, data.labels, holes)
    result = small_run(tmp_path, data=partial, dev=affekt.data.Dataset(dev.texts, dev.labels, held))
    assert result.metrics["dev"]["texts"] == 23
    assert all(np.isfinite(epoch["loss"]) for epoch in result.epochs)


@pytest.mark.parametrize("pooling", ["first", "mean"])
def test_a_finished_model_can_be_trained_on(pooling: str, tmp_path: Path) -> None:
    """An earlier model, whose head is for other labels, is an encoder like any other."""
    first = small_run(tmp_path, f"pooling={pooling}")
    data = make_set()
    fewer = affekt.data.Dataset(data.texts, data.labels[:3], data.targets[:, :3])
    again = small_run(tmp_path / "again", encoder=first.folder, data=fewer, dev=fewer)
    assert read_manifest(again.folder).labels == LABELS[:3]
    layers = AutoModelForSequenceClassification.from_pretrained(again.folder).config.num_hidden_layers
    assert layers == (3 if pooling == "mean" else 2)


def test_a_model_made_smaller_is_whole(tmp_path: Path) -> None:
    first = small_run(tmp_path)
    settings = ("feed_forward=16", "drop_layers=[0]", "pooling=mean")
    again = small_run(tmp_path / "again", *settings, encoder=first.folder)
    with quiet():
        config = AutoModelForSequenceClassification.from_pretrained(again.folder).config
    assert (config.intermediate_size, config.num_hidden_layers) == (16, 2)
    assert read_manifest(again.folder).recipe["feed_forward"] == 16
    assert affekt.load(again.folder).scores(TEXTS).shape == (len(TEXTS), len(LABELS))


@pytest.mark.parametrize("setting", ["feed_forward=0", "feed_forward=true", "drop_layers=[-1]", "drop_layers=[true]"])
def test_sizes_that_are_none_are_refused(setting: str, tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=setting.partition("=")[0]):
        small_run(tmp_path, setting)


class Noted(Hook):
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, object]] = []

    def start(self, start: Start) -> None:
        self.told.append(("start", start))

    def report(self, report: Report) -> None:
        self.told.append(("report", report))

    def epoch(self, report: EpochReport) -> None:
        self.told.append(("epoch", report))

    def note(self, text: str) -> None:
        self.told.append(("note", text))

    def close(self) -> None:
        self.told.append(("close", None))


def test_hooks_and_log_tell_the_story(tmp_path: Path) -> None:
    noted = Noted()
    small_run(tmp_path, hooks=[noted])
    events = [event for event, _ in noted.told]
    assert [e for e in events if e != "note"] == ["start", "report", "epoch", "report", "epoch", "close"]
    starts = [what for event, what in noted.told if event == "start"]
    assert starts == [Start(engine="plain", texts=48, epochs=2, steps=12, first=0)]
    lines = [json.loads(line) for line in (tmp_path / "model.run" / "log.jsonl").read_text().splitlines()]
    assert [line["event"] for line in lines if line["event"] != "note"] == [
        "start", "steps", "epoch", "steps", "epoch", "end",
    ]  # fmt: skip
    assert lines[-2]["score"] is not None


def test_an_existing_model_is_not_overwritten_unasked(tmp_path: Path) -> None:
    first = small_run(tmp_path)
    before = (first.folder / "affekt.json").read_bytes()
    encoder = tmp_path / "encoder"
    with pytest.raises(SettingError, match="already holds a model"):
        small_run(tmp_path, encoder=encoder)
    assert (first.folder / "affekt.json").read_bytes() == before
    again = small_run(tmp_path, "seed=5", encoder=encoder, overwrite=True)
    assert (again.folder / "affekt.json").read_bytes() != before
    other = tmp_path / "other"
    other.mkdir()
    (other / "diary.txt").write_text("mine")
    with pytest.raises(SettingError, match="no model"):
        small_run(tmp_path, encoder=encoder, out=other, overwrite=True)
    with pytest.raises(SettingError, match="is a file"):
        small_run(tmp_path, encoder=encoder, out=other / "diary.txt")
    assert (other / "diary.txt").read_text() == "mine"


def test_what_the_machine_lacks_is_said(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"fp16.*8-bit.*--set precision=fp32 --set optimizer=adamw"):
        small_run(tmp_path, recipe="reference")
    assert not (tmp_path / "model.run").exists()
    result = small_run(tmp_path, "precision=fp32", "optimizer=adamw", recipe="reference", encoder=tmp_path / "encoder")
    assert result.recipe.loss == "focal"
    assert read_manifest(result.folder).recipe["batching"] == "padded"


def test_bad_input_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="neither a folder here nor reachable"):
        small_run(tmp_path, encoder=tmp_path / "nowhere" / "at" / "all")
    (tmp_path / "torn").mkdir()
    (tmp_path / "torn" / "config.json").write_text("{")
    with pytest.raises(TrainingError, match="cannot be read"):
        small_run(tmp_path, encoder=tmp_path / "torn")
    encoder = make_encoder(tmp_path / "encoder")
    with pytest.raises(SettingError, match="the encoder reads 80"):
        small_run(tmp_path, "max_length=100", encoder=encoder)
    strange = affekt.data.Dataset(make_set(5).texts, list("abcde"), np.ones((5, 5), dtype=np.float32))
    with pytest.raises(DataError, match="labels that the training set does not have"):
        small_run(tmp_path, encoder=encoder, dev=strange)
    with pytest.raises(DataError, match="no texts"):
        small_run(tmp_path, encoder=encoder, data=make_set(5).subset([]))
    with pytest.raises(SettingError, match="for GPUs"):
        small_run(tmp_path, encoder=encoder, memory="16GB")
