"""From an exception to one sentence and an exit code; what is not listed here is a defect and keeps its traceback."""

import errno
import re

from affekt.errors import AffektError, MissingExtraError

MISTAKE = 2
INTERRUPTED = 130

_DISTRIBUTIONS = {"sklearn": "scikit-learn", "iterstrat": "iterative-stratification"}
_FIRST = ("parquet", "train")
"""Extras to name when several install the same package."""
_REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+).*\bextra == ['\"]([\w-]+)['\"]")


def exit_code(error: BaseException) -> int | None:
    """The exit code, or None for what should be seen with its traceback (or is handled by typer, as a closed pipe)."""
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED
    if isinstance(error, AffektError) or (isinstance(error, OSError) and error.errno not in (None, errno.EPIPE)):
        return MISTAKE
    if isinstance(error, ModuleNotFoundError) and extra_of(error.name or "") is not None:
        return MISTAKE
    return None


def sentence(error: BaseException) -> str:
    """What to tell the person, for an error that has an exit code."""
    if isinstance(error, KeyboardInterrupt):
        return "Interrupted."
    if isinstance(error, ModuleNotFoundError):
        error = MissingExtraError(f"This (package '{error.name}')", extra_of(error.name or "") or "")
    if isinstance(error, AffektError):
        return f"error[{error.code}]: {error}"
    if isinstance(error, OSError) and error.filename is not None:
        return f"error[file]: '{error.filename}': {error.strerror}."
    return f"error[file]: {error}"


def extra_of(module: str) -> str | None:
    """The extra of this package that installs the package which holds ``module``, or None."""
    from importlib import metadata

    top = module.partition(".")[0]
    wanted = _DISTRIBUTIONS.get(top, top).replace("_", "-").lower()
    try:
        requirements = metadata.requires("affekt") or []
    except metadata.PackageNotFoundError:
        return None
    pairs = (match.groups() for line in requirements if (match := _REQUIREMENT.match(line)))
    extras = {extra for name, extra in pairs if name.replace("_", "-").lower() == wanted} - {"dev"}
    return min(extras, key=lambda extra: (extra not in _FIRST, extra), default=None)
