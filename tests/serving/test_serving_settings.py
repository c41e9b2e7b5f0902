"""Settings: what is out of range or unknown is named."""

import pytest
from pydantic import ValidationError

from affekt.errors import SettingError
from affekt.serving.settings import Settings, make_settings


def test_the_defaults_are_closed_to_strangers() -> None:
    settings = Settings()
    assert settings.loopback
    assert settings.host == "127.0.0.1"
    assert (settings.cors_origins, settings.trusted_proxies, settings.log_texts) == ((), (), False)
    assert "127.0.0.1" in settings.allowed_hosts


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_loopback_addresses(host: str) -> None:
    assert Settings(host=host).loopback


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.4", "example.org", "", "127.0.0.1.example.org"])  # noqa: S104
def test_other_addresses(host: str) -> None:
    settings = Settings(host=host)
    assert not settings.loopback
    assert settings.allowed_hosts == ()


def test_a_slow_sender_is_cut_off_within_ten_seconds_by_default() -> None:
    assert Settings().request_seconds <= 9.5


def test_words_become_values() -> None:
    settings = make_settings({"texts": "12", "page": "false", "hosts": "a.example, b.example", "rate": "2.5"})
    assert (settings.texts, settings.page, settings.rate) == (12, False, 2.5)
    assert settings.hosts == ("a.example", "b.example")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"nonsense": "1"}, ["no server setting 'nonsense'", "body_bytes"]),
        ({"texts": "0"}, ["'texts'", "'0'", "greater than or equal to 1"]),
        ({"texts": "many"}, ["'texts'", "'many'"]),
        ({"port": 70000}, ["'port'", "65535"]),
        ({"request_seconds": "-1"}, ["'request_seconds'"]),
    ],
)
def test_mistakes_are_named(values: dict[str, object], words: list[str]) -> None:
    with pytest.raises(SettingError) as caught:
        make_settings(values)
    assert all(word in str(caught.value) for word in words)


def test_settings_do_not_change() -> None:
    with pytest.raises(ValidationError):
        Settings().port = 1  # type: ignore[misc]


def test_every_setting_is_documented() -> None:
    documented = Settings.__doc__ or ""
    assert [name for name in Settings.model_fields if f"        {name}:" not in documented] == []
