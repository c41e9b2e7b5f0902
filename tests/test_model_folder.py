"""Model folders: written whole, read strictly, refused when anything is missing, altered or dangerous."""

import json
from pathlib import Path

import pytest

from affekt.errors import ModelFolderError
from affekt.model_folder import (
    MANIFEST,
    Manifest,
    RuleRecord,
    read_manifest,
    update_manifest,
    verify,
    write_model_folder,
)
from models import manifest

MODEL = manifest(("joy", "fear"), "mine")


def fill(folder: Path) -> None:
    (folder / "config.json").write_text("{}")
    (folder / "onnx").mkdir()
    (folder / "onnx" / "model.onnx").write_bytes(b"graph")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_model_folder(tmp_path / "model", MODEL, fill)
    return tmp_path / "model"


def change(folder: Path, **entries: object) -> None:
    content = json.loads((folder / MANIFEST).read_text())
    (folder / MANIFEST).write_text(json.dumps({**content, **entries}))


def test_a_manifest_comes_back_as_it_was_with_a_digest_of_every_file(folder: Path) -> None:
    found = read_manifest(folder)
    assert found.model_copy(update={"files": {}}) == MODEL
    assert set(found.files) == {"config.json", "onnx/model.onnx"}
    assert found.rules["mine"].rule.thresholds == MODEL.rules["mine"].thresholds
    verify(folder, found)


def test_writing_replaces_the_old_folder_or_leaves_it_alone(folder: Path) -> None:
    def fail(inside: Path) -> None:
        (inside / "half").write_text("written")
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        write_model_folder(folder, MODEL, fail)
    verify(folder, read_manifest(folder))
    write_model_folder(folder, MODEL, lambda inside: (inside / "other").touch())
    assert sorted(file.name for file in folder.iterdir()) == [MANIFEST, "other"]
    assert sorted(file.name for file in folder.parent.iterdir()) == ["model"]


def test_updating_the_manifest_keeps_the_files_and_renews_their_digests(folder: Path) -> None:
    (folder / "new.txt").write_text("new")
    updated = update_manifest(folder, lambda old: old.model_copy(update={"version": "2"}))
    assert updated.version == "2"
    assert "new.txt" in updated.files
    verify(folder, read_manifest(folder))


def test_a_changed_byte_is_found(folder: Path) -> None:
    (folder / "onnx" / "model.onnx").write_bytes(b"grapn")
    with pytest.raises(ModelFolderError, match=r"model\.onnx' is not the file that was saved"):
        verify(folder, read_manifest(folder))
    verify(folder, read_manifest(folder), only=lambda name: name == "config.json")


def test_a_missing_file_is_found(folder: Path) -> None:
    (folder / "config.json").unlink()
    with pytest.raises(ModelFolderError, match=r"incomplete: config\.json is missing"):
        verify(folder, read_manifest(folder))


@pytest.mark.parametrize("name", ["pytorch_model.bin", "weights.pt", "head.pkl", "onnx/sub.pickle"])
def test_pickles_are_never_loaded(folder: Path, name: str) -> None:
    (folder / name).write_bytes(b"\x80\x04.")
    with pytest.raises(ModelFolderError, match="may be a pickle"):
        verify(folder, read_manifest(folder))


@pytest.mark.parametrize(
    ("config", "complaint"),
    [
        ({"id2label": {"0": "joy", "1": "anger"}}, "names other labels"),
        ({"id2label": {"1": "joy", "0": "fear"}}, "names other labels"),
        ({"id2label": {"0": "joy", "1": "fear", "2": "awe"}}, "names other labels"),
        ({"id2label": ["joy"]}, "cannot be read"),
        ([], "cannot be read"),
    ],
)
def test_labels_that_are_not_the_models_are_found(folder: Path, config: object, complaint: str) -> None:
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelFolderError, match=complaint):
        verify(folder, update_manifest(folder, lambda old: old))


def test_labels_are_compared_by_their_number(folder: Path) -> None:
    (folder / "config.json").write_text(json.dumps({"id2label": {"1": "fear", "0": "joy"}}))
    verify(folder, update_manifest(folder, lambda old: old))


def test_what_is_no_model_folder_says_so(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "absent", Path("/dev/null")):
        with pytest.raises(ModelFolderError, match="is not an affekt model folder"):
            read_manifest(path)


@pytest.mark.parametrize("content", [b"", b"{", b"\x00\xff\xfe", b"[]", b"null", b'{"format": 1}', b"{" * 100_000])
def test_a_torn_manifest_is_one_sentence(folder: Path, content: bytes) -> None:
    (folder / MANIFEST).write_bytes(content)
    with pytest.raises(ModelFolderError, match="is not a valid manifest"):
        read_manifest(folder)


@pytest.mark.parametrize(
    ("entries", "complaint"),
    [
        ({"format": 2}, "format"),
        ({"labels": []}, "labels"),
        ({"labels": ["joy", "anger"]}, "own label set"),
        ({"taxonomy": "other"}, "own label set"),
        ({"max_length": 3}, "max_length"),
        ({"surprise": 1}, "surprise"),
        ({"cleaning": {"urls": True, "shouting": False}}, "cleaning"),
        ({"files": {"../../etc/passwd": "0"}}, "inside the folder"),
        ({"files": {"/etc/passwd": "0"}}, "inside the folder"),
    ],
)
def test_an_entry_that_cannot_be_is_named(folder: Path, entries: dict[str, object], complaint: str) -> None:
    change(folder, **entries)
    with pytest.raises(ModelFolderError, match=complaint):
        read_manifest(folder)


def test_a_rule_needs_one_entry_per_label() -> None:
    with pytest.raises(ValueError, match="one entry per label"):
        RuleRecord(labels=("a", "b"), slope=(1.0,), intercept=(0.0, 0.0), thresholds=(0.5, 0.5))


def test_a_manifest_cannot_be_changed_in_place() -> None:
    with pytest.raises(ValueError, match="frozen"):
        MODEL.name = "other"  # type: ignore[misc]
    assert isinstance(MODEL, Manifest)
