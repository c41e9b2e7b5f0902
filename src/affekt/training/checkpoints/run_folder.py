"""Where a run lives while it lasts: a folder beside the model folder, which itself appears only when it is complete."""

import hashlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from affekt.errors import SettingError
from affekt.files import atomic_file
from affekt.model_folder import MANIFEST
from affekt.training.checkpoints.checkpoint import Checkpoints


@dataclass(frozen=True)
class RunFolder:
    """``runs/a.run`` beside ``runs/a``: checkpoints, log, and what became of the run.

    Attributes:
        out: the model folder to be.
    """

    out: Path

    @property
    def path(self) -> Path:
        """The run's own folder."""
        return self.out.with_name(f"{self.out.name}.run")

    @property
    def log(self) -> Path:
        """The JSONL log."""
        return self.path / "log.jsonl"

    @property
    def stage(self) -> Path:
        """The Hugging Face files before they are measured and moved."""
        return self.path / "model"

    @property
    def checkpoints(self) -> Checkpoints:
        """The checkpoints; the last two and the best."""
        return Checkpoints(self.path / "checkpoints", keep=2)

    @property
    def _record(self) -> Path:
        return self.path / "run.json"

    @property
    def _begun(self) -> Path:
        return self.path / "begun.json"

    def open(self, *, resume: bool, overwrite: bool) -> dict[str, Any] | None:
        """Check that nothing is overwritten unasked.

        Args:
            resume: go on with what is there.
            overwrite: begin anew, whatever is there.

        Returns:
            what :meth:`finish` wrote, if the run is finished and is to be resumed; else None.

        Raises:
            SettingError: if something is there that would be lost.
        """
        if self.out.exists() and not self.out.is_dir():
            raise SettingError(f"'{self.out}' is a file, and a model is a folder.", hint="Give another --out.")
        filled = self.out.is_dir() and any(self.out.iterdir())
        if filled and not (self.out / MANIFEST).is_file():
            raise SettingError(f"'{self.out}' holds something that is no model.", hint="Give another --out.")
        if resume and (done := self._finished()):
            return done
        begun = bool(self.checkpoints.paths())
        if filled and not overwrite and not (resume and begun and self._may_replace()):
            raise SettingError(f"'{self.out}' already holds a model.", hint="Give another --out, or --overwrite it.")
        if begun and not resume and not overwrite:
            raise SettingError(
                f"'{self.path}' holds the checkpoints of a run that did not end.",
                hint="Go on with it by --resume, or begin anew with --overwrite.",
            )
        if not resume:
            self._record.unlink(missing_ok=True)
        return None

    def begin(self, *, resume: bool) -> None:
        """Remove what an earlier run left, unless it is gone on with, and note which model may be replaced."""
        if resume and self.checkpoints.paths():
            return
        shutil.rmtree(self.path, ignore_errors=True)
        self._note(finishing=False)

    def end(self) -> None:
        """Note that from now on the model folder may be this run's own."""
        self._note(finishing=True)

    def _note(self, *, finishing: bool) -> None:
        self.path.mkdir(parents=True, exist_ok=True)
        with atomic_file(self._begun) as path:
            path.write_text(json.dumps({"replaces": self._manifest(), "finishing": finishing}), encoding="utf-8")

    def _may_replace(self) -> bool:
        """Whether the model that is there was there when the run began, or is what it wrote itself at its end."""
        if not self._begun.is_file():
            return False
        noted = json.loads(self._begun.read_text(encoding="utf-8"))
        return bool(noted["finishing"]) or noted["replaces"] == self._manifest()

    def _manifest(self) -> str | None:
        path = self.out / MANIFEST
        return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None

    def _finished(self) -> dict[str, Any] | None:
        if not self._record.is_file() or not (self.out / MANIFEST).is_file():
            return None
        record: dict[str, Any] = json.loads(self._record.read_text(encoding="utf-8"))
        return record

    def finish(self, record: dict[str, Any]) -> None:
        """Note that the model folder is complete, and remove what only an unfinished run needs."""
        with atomic_file(self._record) as path:
            path.write_text(json.dumps(record, indent=1, ensure_ascii=False), encoding="utf-8")
        self.checkpoints.clear()
        self._begun.unlink(missing_ok=True)
        shutil.rmtree(self.stage, ignore_errors=True)
