"""API keys: read once, kept as digests, compared in constant time, never shown."""

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from pathlib import Path

from affekt.errors import SettingError

VARIABLE = "AFFEKT_API_KEYS"
SHORTEST = 16


class ApiKeys:
    """The keys that a server takes.

    Only SHA-256 digests are kept, so that no key shows up in a ``repr``, a log or a dump of the memory. (The keys are
    random and long, not passwords that people chose; a slow hash would only slow the server down.)

    Args:
        keys: the keys themselves, each at least 16 characters.

    Raises:
        SettingError: if a key is too short or holds anything but printable ASCII without spaces.
    """

    def __init__(self, keys: Iterable[str] = ()) -> None:
        self._digests = tuple(dict.fromkeys(_digest(_checked(key)) for key in keys))

    def __len__(self) -> int:
        """How many there are."""
        return len(self._digests)

    def __repr__(self) -> str:
        """How many there are, and no more."""
        return f"ApiKeys({len(self)} keys)"

    def client(self, key: str) -> str | None:
        """A name for the holder of a key, fit for logs and counters, or None if the key is not known.

        Every known digest is compared, each in constant time, so that the answer takes as long for any key.
        """
        digest = _digest(key)
        found = None
        for position, known in enumerate(self._digests, start=1):
            if hmac.compare_digest(digest, known):
                found = f"key-{position}"
        return found


def read_keys(path: Path | None, environment: Mapping[str, str]) -> ApiKeys:
    """The keys of a file (one a line, ``#`` starts a comment) and of ``AFFEKT_API_KEYS`` (separated by commas).

    Raises:
        SettingError: if the file cannot be read or holds no key, or if a key is not fit to be one.
    """
    keys = [key.strip() for key in environment.get(VARIABLE, "").split(",")]
    if path is not None:
        found = _lines(path)
        if not found:
            raise SettingError(f"The key file '{path}' holds no key.", hint="Put one key on each line.")
        keys += found
    return ApiKeys(key for key in keys if key)


def _lines(path: Path) -> list[str]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(f"The key file '{path}' cannot be read: {error}.") from error
    return [line for line in (line.split("#", 1)[0].strip() for line in text.splitlines()) if line]


def _checked(key: str) -> str:
    if len(key) < SHORTEST:
        raise SettingError(
            f"An API key has {len(key)} characters; at least {SHORTEST} are needed.",
            hint="Make one with: python -c 'import secrets; print(secrets.token_urlsafe(32))'",
        )
    if not key.isascii() or not key.isprintable() or " " in key:
        raise SettingError("An API key holds what a header cannot carry.", hint="Use letters, digits, - and _.")
    return key


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()
