"""Every error that affekt raises on purpose: one root, a stable code per kind, and a hint that says what to do."""

from affekt.printable import printable


class AffektError(Exception):
    """Root of all errors raised on purpose.

    Args:
        message: what was wrong and where (file, row, column, parameter), one sentence.
        hint: the way out, one sentence; empty if the message already holds it.
    """

    code = "affekt"

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return printable(f"{self.message} {self.hint}".rstrip())


class DataError(AffektError):
    """A table, a label or a text cannot be used as given."""

    code = "data"


class SettingError(AffektError):
    """A parameter, an option or a recipe setting is outside what is allowed."""

    code = "setting"


class ModelFolderError(AffektError):
    """A model folder is missing, incomplete, altered or of another version."""

    code = "model-folder"


class MissingExtraError(AffektError):
    """A feature needs packages that an optional extra installs.

    Args:
        feature: what was asked for, as the subject of a sentence ("training", "reading Parquet").
        extra: the extra's name in ``pip install 'affekt[extra]'``.
    """

    code = "missing-extra"

    def __init__(self, feature: str, extra: str) -> None:
        super().__init__(
            f"{feature} needs packages that are not installed.", hint=f"Run: pip install 'affekt[{extra}]'"
        )
        self.extra = extra


class BackendError(AffektError):
    """An inference engine cannot be started or failed."""

    code = "backend"


class TrainingError(AffektError):
    """Training cannot start, go on or be resumed."""

    code = "training"


class CheckpointError(TrainingError):
    """A checkpoint is torn, altered, or does not belong to this run."""

    code = "checkpoint"


class ParityError(AffektError):
    """An export does not give the same answers as the model that it came from."""

    code = "parity"


class JobError(AffektError):
    """A bulk job cannot start, go on or be resumed."""

    code = "job"
