"""``affekt serve``: options become settings, and mistakes end in one sentence."""

import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from affekt.cli.serve import app
from affekt.errors import MissingExtraError, SettingError

pytest.importorskip("uvicorn")


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    calls: list[Any] = []
    monkeypatch.setattr("affekt.serving.run.serve", calls.append)
    return calls


def test_the_defaults(served: list[Any]) -> None:
    assert CliRunner().invoke(app, []).exit_code == 0
    (factory,) = served
    assert (factory.model, factory.backend, factory.threads) == (None, "auto", None)
    assert (factory.settings.host, factory.settings.port, factory.settings.rate) == ("127.0.0.1", 8000, 50.0)
    assert len(factory.keys) == 0


def test_every_option(served: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AFFEKT_API_KEYS", "env-0123456789abcdef")
    (tmp_path / "keys").write_text("file-0123456789abcdef\n", encoding="utf-8")
    options = f"--model {tmp_path} --host 0.0.0.0 --port 80 --workers 2 --threads 3 --rate 0 --no-page --log-texts"
    more = f"--api-keys {tmp_path / 'keys'} --cors-origin https://a.example --cors-origin https://b.example"
    limits = ["--log-level", "debug", "--limit", "texts=7", "--limit", "hosts=a.example,b.example"]
    result = CliRunner().invoke(app, [*options.split(), *more.split(), *limits])
    assert result.exit_code == 0, result.output
    (factory,) = served
    settings = factory.settings
    assert (factory.model, factory.threads, factory.log_level) == (tmp_path, 3, "debug")
    assert (settings.host, settings.port, settings.workers, settings.rate) == ("0.0.0.0", 80, 2, 0)  # noqa: S104
    assert (settings.page, settings.log_texts, settings.texts) == (False, True, 7)
    assert settings.cors_origins == ("https://a.example", "https://b.example")
    assert settings.hosts == ("a.example", "b.example")
    assert len(factory.keys) == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--limit", "nonsense=1"], "nonsense"),
        (["--limit", "texts"], "NAME=VALUE"),
        (["--limit", "texts=0"], "texts"),
        (["--log-level", "loud"], "loud"),
        (["--api-keys", "/nowhere/keys"], "/nowhere/keys"),
    ],
)
def test_mistakes_are_named(served: list[Any], arguments: list[str], words: str) -> None:
    result = CliRunner().invoke(app, arguments)
    assert isinstance(result.exception, SettingError)
    assert words in str(result.exception)
    assert served == []


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("affekt.serving.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    result = CliRunner().invoke(app, [])
    assert isinstance(result.exception, MissingExtraError)
    assert "affekt[serve]" in str(result.exception)
