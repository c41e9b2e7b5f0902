"""API keys: read from where they are kept, never shown."""

import hmac
import pickle
from pathlib import Path

import pytest

from affekt.errors import SettingError
from affekt.serving.keys import VARIABLE, ApiKeys, read_keys

ONE, TWO = "one-0123456789abcdef", "two-0123456789abcdef"


def test_each_key_has_a_client_of_its_own() -> None:
    keys = ApiKeys([ONE, TWO])
    assert (keys.client(ONE), keys.client(TWO)) == ("key-1", "key-2")


@pytest.mark.parametrize("wrong", ["", "x", ONE[:-1], ONE + "x", ONE.upper(), "ü" * 20, "\udcff" * 20])
def test_other_keys_have_none(wrong: str) -> None:
    assert ApiKeys([ONE]).client(wrong) is None


def test_every_key_is_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[int] = []
    real = hmac.compare_digest

    def compare(a: bytes, b: bytes) -> bool:
        compared.append(len(a))
        return real(a, b)

    monkeypatch.setattr("affekt.serving.keys.hmac.compare_digest", compare)
    ApiKeys([ONE, TWO]).client(ONE)
    ApiKeys([ONE, TWO]).client("something else altogether, much longer")
    assert compared == [32, 32, 32, 32]


def test_keys_are_nowhere_to_be_seen() -> None:
    keys = ApiKeys([ONE])
    shown = repr(keys) + str(keys) + str(vars(keys)) + pickle.dumps(keys).decode("latin-1")
    assert ONE not in shown


def test_keys_come_from_file_and_environment(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text(f"# ours\n{ONE}\n\n  {TWO}  # theirs\n", encoding="utf-8")
    keys = read_keys(file, {VARIABLE: f"env-0123456789abcdef, {ONE}"})
    assert len(keys) == 3
    assert all(keys.client(key) for key in (ONE, TWO, "env-0123456789abcdef"))
    assert len(read_keys(None, {})) == 0


@pytest.mark.parametrize(
    "key", ["short", "has a space in the middle", "ümlaut-0123456789abcdef", "tab\t0123456789abcdef"]
)
def test_keys_that_cannot_be_used_are_refused_without_being_shown(key: str) -> None:
    with pytest.raises(SettingError) as caught:
        ApiKeys([key])
    assert key not in str(caught.value)


def test_a_key_file_must_be_there_and_hold_a_key(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="cannot be read"):
        read_keys(tmp_path / "nothing", {})
    (tmp_path / "empty").write_text("# nothing\n", encoding="utf-8")
    with pytest.raises(SettingError, match="holds no key"):
        read_keys(tmp_path / "empty", {})
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingError, match="cannot be read"):
        read_keys(tmp_path / "binary", {})
