"""Starting the server: who may reach it, what it may open, and what it tells uvicorn."""

import gc
import logging
import os
import pickle
import socket
from pathlib import Path

import pytest
from letters import make_classifier

from affekt.classifier import EmotionClassifier
from affekt.errors import ModelFolderError, SettingError
from affekt.serving import run
from affekt.serving.keys import ApiKeys
from affekt.serving.run import AppFactory, check_exposure
from affekt.serving.settings import Settings

KEYS = ApiKeys(["one-0123456789abcdef"])


@pytest.fixture
def factory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AppFactory:
    monkeypatch.setattr(AppFactory, "classifier", lambda _: make_classifier(tmp_path))
    return AppFactory(None, "auto", 2, Settings(), KEYS)


@pytest.fixture(autouse=True)
def _as_it_was() -> object:
    names = ("affekt", "uvicorn", "affekt.access")
    before = [(logging.getLogger(n), logging.getLogger(n).handlers, logging.getLogger(n).level) for n in names]
    yield
    gc.unfreeze()
    for logger, handlers, level in before:
        logger.handlers, logger.propagate = handlers, True
        logger.setLevel(level)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org"])  # noqa: S104
def test_strangers_need_a_key_or_leave(host: str) -> None:
    with pytest.raises(SettingError, match="no API key") as caught:
        check_exposure(Settings(host=host), ApiKeys())
    assert "--allow-anonymous" in caught.value.hint
    check_exposure(Settings(host=host), KEYS)
    check_exposure(Settings(host=host, allow_anonymous=True), ApiKeys())


def test_this_machine_needs_none() -> None:
    check_exposure(Settings(), ApiKeys())


def test_nothing_is_loaded_for_a_server_that_may_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(EmotionClassifier, "load", lambda *_, **__: pytest.fail("loaded"))
    with pytest.raises(SettingError):
        run.serve(AppFactory(None, "auto", 1, Settings(host="0.0.0.0"), ApiKeys()))  # noqa: S104


def test_uvicorn_is_told_to_say_little_and_trust_nobody(factory: AppFactory) -> None:
    config = run._config(factory())
    assert (config.server_header, config.proxy_headers, config.access_log) == (False, False, False)
    assert config.ws == "none"
    assert config.timeout_graceful_shutdown == 20
    trusting = run._config(AppFactory(None, "auto", 1, Settings(trusted_proxies=("10.0.0.1",)), KEYS))
    assert (trusting.proxy_headers, trusting.forwarded_allow_ips) == (True, ["10.0.0.1"])


def test_a_factory_can_be_sent_to_another_process_without_its_keys(factory: AppFactory) -> None:
    sent = pickle.dumps(run._config(factory))
    assert b"one-0123456789abcdef" not in sent
    assert pickle.loads(sent).app == factory or pickle.loads(sent).app.settings == factory.settings  # noqa: S301


def test_a_factory_makes_an_application_with_a_lane_for_each_processor(factory: AppFactory) -> None:
    app = factory()
    assert app.state.service.settings.lanes == 2
    assert logging.getLogger("affekt").level == logging.INFO


def test_what_stays_for_good_is_not_looked_through_for_rubbish(factory: AppFactory) -> None:
    assert gc.get_freeze_count() == 0
    app = factory()
    assert gc.get_freeze_count() > 10_000
    assert not any(entry is app for entry in gc.get_objects())


def test_an_address_that_cannot_be_had_is_named_before_anything_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(EmotionClassifier, "load", lambda *_, **__: pytest.fail("loaded"))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SettingError, match=f"127.0.0.1, port {port}"):
            run.serve(AppFactory(None, "auto", 1, Settings(port=port), ApiKeys()))
    with pytest.raises(SettingError, match=r"192\.0\.2\.1"):
        run.serve(AppFactory(None, "auto", 1, Settings(host="192.0.2.1"), KEYS))


def test_a_model_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelFolderError, match="not an affekt model folder"):
        AppFactory(tmp_path, "auto", 1, Settings(), ApiKeys()).classifier()


def test_requests_can_go_unlogged(factory: AppFactory) -> None:
    AppFactory(None, "auto", 1, Settings(access_log=False), KEYS)()
    assert not logging.getLogger("affekt.access").isEnabledFor(logging.INFO)


def test_no_more_connections_than_files(monkeypatch: pytest.MonkeyPatch) -> None:
    import resource

    limits = {"now": (100, 600)}
    monkeypatch.setattr(resource, "getrlimit", lambda _: limits["now"])
    monkeypatch.setattr(resource, "setrlimit", lambda _, new: limits.update(now=new))
    assert run._fit_files(Settings(connections=2000)).connections == 600 - run.SPARE_FILES
    assert limits["now"] == (600, 600)
    limits["now"] = (100, resource.RLIM_INFINITY)
    assert run._fit_files(Settings(connections=2000)).connections == 2000
    assert limits["now"][0] == 2000 + run.SPARE_FILES


def test_processes_share_their_counters_in_a_folder_that_goes_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PROMETHEUS_MULTIPROC_DIR", raising=False)
    with run._metrics_folder(Settings()) as folder:
        assert folder is None
    with run._metrics_folder(Settings(workers=2)) as folder:
        assert folder is not None
        assert os.environ["PROMETHEUS_MULTIPROC_DIR"] == str(folder)
    assert not folder.exists()
    assert "PROMETHEUS_MULTIPROC_DIR" not in os.environ
