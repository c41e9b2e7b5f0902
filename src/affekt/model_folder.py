"""Reading, verifying and atomically writing a model folder: a Hugging Face folder plus ``affekt.json``."""

import json
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from affekt.cleaning import CleaningOptions
from affekt.decision import Calibration, DecisionRule
from affekt.errors import ModelFolderError
from affekt.files import atomic_file, atomic_folder, sha256

MANIFEST = "affekt.json"
FORMAT = 1
PICKLES = (".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt")


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RuleRecord(_Frozen):
    """A :class:`~affekt.decision.DecisionRule` as it is written down."""

    labels: tuple[str, ...]
    slope: tuple[float, ...]
    intercept: tuple[float, ...]
    thresholds: tuple[float, ...]
    empty: Literal["empty", "best", "neutral"] = "empty"
    fitted_on: str = ""

    @model_validator(mode="after")
    def _one_each(self) -> "RuleRecord":
        if not len(self.labels) == len(self.slope) == len(self.intercept) == len(self.thresholds):
            raise ValueError("labels, slope, intercept and thresholds must have one entry per label")
        return self

    @classmethod
    def of(cls, labels: tuple[str, ...], rule: DecisionRule, fitted_on: str = "") -> "RuleRecord":
        """The record of a rule for these labels."""
        return cls(
            labels=labels,
            slope=rule.calibration.slope,
            intercept=rule.calibration.intercept,
            thresholds=rule.thresholds,
            empty=rule.empty,
            fitted_on=fitted_on,
        )

    @property
    def rule(self) -> DecisionRule:
        """The rule itself."""
        return DecisionRule(Calibration(self.slope, self.intercept), self.thresholds, self.empty)


class Manifest(_Frozen):
    """``affekt.json``: everything that changes an answer, and where the model came from.

    Attributes:
        format: version of this schema.
        name: the model's name, shown to people.
        version: the model's version, shown in every answer of the server.
        labels: label names in the order of the logits.
        taxonomy: name of the model's own label set ("custom" if it is none of the known ones).
        cleaning: applied to every text before the tokenizer.
        max_length: longest window in tokens, special tokens included.
        rules: label set -> decision rule; the model's own set is always there.
        recipe: training settings as resolved.
        metrics: figures measured when the model was made.
        data: fingerprints of the tables that it learned from.
        files: relative path -> SHA-256 of every other file of the folder.
    """

    format: Literal[1] = 1
    name: str
    version: str = "0"
    labels: tuple[str, ...] = Field(min_length=1)
    taxonomy: str = "custom"
    cleaning: CleaningOptions = CleaningOptions()
    max_length: int = Field(default=128, ge=8)
    rules: dict[str, RuleRecord]
    recipe: dict[str, Any] = Field(default_factory=dict)
    metrics: dict[str, Any] = Field(default_factory=dict)
    data: dict[str, Any] = Field(default_factory=dict)
    files: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _own_rule(self) -> "Manifest":
        own = self.rules.get(self.taxonomy)
        if own is None or own.labels != self.labels:
            raise ValueError(f"rules must hold the model's own label set '{self.taxonomy}' with the model's labels")
        return self

    @model_validator(mode="after")
    def _files_inside(self) -> "Manifest":
        outside = [
            name for name in self.files if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts
        ]
        if outside:
            raise ValueError(f"files must lie inside the folder, but '{outside[0]}' does not")
        return self


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a model folder, checked against its schema but not against the files.

    Raises:
        ModelFolderError: if the folder or its manifest is missing, unreadable or of another version.
    """
    path = folder / MANIFEST
    if not path.is_file():
        raise ModelFolderError(
            f"'{folder}' is not an affekt model folder: it has no {MANIFEST}.",
            hint="Train one with 'affekt train', or leave the model out to use the one that ships.",
        )
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        raise ModelFolderError(f"'{path}' is not a valid manifest: {place}: {first['msg']}.") from error


def verify(folder: Path, manifest: Manifest, only: Callable[[str], bool] = lambda _: True) -> None:
    """Check that the files are the ones that were written, and that no weights are pickles.

    Args:
        folder: the model folder.
        manifest: its manifest.
        only: which relative paths to check; all by default.

    Raises:
        ModelFolderError: naming the first file that is missing, altered or a pickle, or if the labels disagree.
    """
    for file in folder.rglob("*"):
        if file.suffix in PICKLES:
            raise ModelFolderError(
                f"'{file}' may be a pickle, which can run code when opened, so the folder is not loaded.",
                hint="Save the weights as safetensors.",
            )
    for name, digest in manifest.files.items():
        if not only(name):
            continue
        path = folder / name
        if not path.is_file():
            raise ModelFolderError(f"'{folder}' is incomplete: {name} is missing.", hint="Copy the whole folder again.")
        if sha256(path) != digest:
            raise ModelFolderError(
                f"'{path}' is not the file that was saved: its SHA-256 differs.", hint="Copy the folder again."
            )
    _check_labels(folder / "config.json", manifest)


def _check_labels(config: Path, manifest: Manifest) -> None:
    """The manifest's labels are those that Hugging Face's configuration gives the logits."""
    if not config.is_file():
        return
    try:
        names = json.loads(config.read_bytes()).get("id2label", {})
        labels = tuple(names[key] for key in sorted(names, key=int))
    except (ValueError, AttributeError, TypeError) as error:
        raise ModelFolderError(f"'{config}' cannot be read: {error}.") from error
    if labels and labels != manifest.labels:
        raise ModelFolderError(
            f"'{config}' names other labels than {MANIFEST}: {', '.join(map(str, labels[:5]))}, …",
            hint="Copy the whole folder again; labels are changed by training, not by hand.",
        )


def write_model_folder(path: Path, manifest: Manifest, fill: Callable[[Path], None]) -> Manifest:
    """Write a model folder whole or not at all.

    Args:
        path: the folder to make or replace.
        manifest: its manifest, without ``files``.
        fill: writes every other file into the folder that it is given.

    Returns:
        The manifest as written, with the digests of the files.
    """
    with atomic_folder(path) as folder:
        fill(folder)
        manifest = _with_digests(folder, manifest)
        (folder / MANIFEST).write_text(_dump(manifest), encoding="utf-8")
    return manifest


def update_manifest(folder: Path, change: Callable[[Manifest], Manifest]) -> Manifest:
    """Replace the manifest by ``change(manifest)``, with fresh digests of the files that are there now."""
    manifest = _with_digests(folder, change(read_manifest(folder)))
    with atomic_file(folder / MANIFEST) as temporary:
        temporary.write_text(_dump(manifest), encoding="utf-8")
    return manifest


def _with_digests(folder: Path, manifest: Manifest) -> Manifest:
    files = sorted(p for p in folder.rglob("*") if p.is_file() and p.name != MANIFEST)
    return manifest.model_copy(update={"files": {p.relative_to(folder).as_posix(): sha256(p) for p in files}})


def _dump(manifest: Manifest) -> str:
    return json.dumps(manifest.model_dump(mode="json"), indent=1, ensure_ascii=False) + "\n"
