"""What a run was made of, so that resuming it with anything else is refused, or allowed knowingly."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor

import affekt
from affekt.errors import CheckpointError

_LIBRARIES = ("torch", "transformers", "tokenizers", "numpy")
_CODE = ("training/**/*.py", "cleaning/**/*.py")


@dataclass(frozen=True)
class Fingerprint:
    """What determines the weights that a run ends with.

    Attributes:
        data: digest of the training and dev sets (and teacher scores).
        recipe: the settings as resolved.
        encoder: digest of the weights that training starts from.
        code: digest of the code that trains.
        libraries: versions by name.
    """

    data: str
    recipe: Mapping[str, Any]
    encoder: str
    code: str
    libraries: Mapping[str, str]

    @classmethod
    def of(cls, data: Iterable[str], recipe: Mapping[str, Any], encoder: str) -> Self:
        """The fingerprint of a run about to start.

        Args:
            data: the data sets' own fingerprints.
            recipe: settings that JSON can hold.
            encoder: :func:`tensors_digest` of the initial weights, before anything is computed from them.
        """
        digest = hashlib.sha256("\n".join(data).encode()).hexdigest()
        libraries = {name: version(name) for name in _LIBRARIES}
        return cls(digest, json.loads(json.dumps(recipe)), encoder, code_digest(), libraries)

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Self:
        """Read :meth:`to_json`.

        Raises:
            CheckpointError: a part is missing.
        """
        try:
            return cls(**{name: record[name] for name in cls.__dataclass_fields__})
        except KeyError as error:
            raise CheckpointError(f"The checkpoint does not say what its run was made of: no {error}.") from error

    def to_json(self) -> dict[str, Any]:
        """What a checkpoint keeps."""
        return asdict(self)

    def differences(self, now: Self) -> list[str]:
        """What differs in ``now``, one short phrase each."""
        said = [
            f"the {what} changed"
            for what, name in (("data", "data"), ("encoder's weights", "encoder"), ("training code", "code"))
            if getattr(self, name) != getattr(now, name)
        ]
        for title, name in (("recipe setting", "recipe"), ("version of", "libraries")):
            before, after = getattr(self, name), getattr(now, name)
            said += [
                f"the {title} '{key}' was {before.get(key)!r} and is {after.get(key)!r}"
                for key in sorted(set(before) | set(after))
                if before.get(key) != after.get(key)
            ]
        return said


def check_same(saved: Fingerprint, now: Fingerprint, *, allow_changes: bool = False) -> list[str]:
    """Check that a run goes on as what it was.

    Args:
        saved: the checkpoint's.
        now: of the run that wants to resume.
        allow_changes: return the differences and go on, for those who know what they do.

    Returns:
        what differs, one phrase each; empty if nothing does.

    Raises:
        CheckpointError: something differs and that was not allowed.
    """
    differences = saved.differences(now)
    if differences and not allow_changes:
        raise CheckpointError(
            f"The run cannot be resumed as what it was: {'; '.join(differences)}.",
            hint="Put that back, start anew in another folder, or allow changes (--allow-changes).",
        )
    return differences


def tensors_digest(tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 of tensors: their names, shapes, types and bits."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name].detach().cpu().contiguous()
        digest.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}\n".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def code_digest() -> str:
    """SHA-256 of this package's version and of the files that decide what training does."""
    root = Path(affekt.__file__).parent
    digest = hashlib.sha256(f"affekt {affekt.__version__}\n".encode())
    for path in sorted(path for pattern in _CODE for path in root.glob(pattern)):
        digest.update(f"{path.relative_to(root).as_posix()}\n".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()
