"""Running the server: who may reach it, how many processes, how it starts and how it stops."""

import contextlib
import gc
import logging
import os
import socket
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from uvicorn.supervisors import Multiprocess

from affekt.backends import choose
from affekt.classifier import EmotionClassifier
from affekt.errors import SettingError
from affekt.model_folder import read_manifest
from affekt.models import SHIPPED
from affekt.serving import logs
from affekt.serving.app import create_app
from affekt.serving.guard import Guard
from affekt.serving.keys import VARIABLE, ApiKeys
from affekt.serving.settings import Settings
from affekt.threads import available_cpus

LOG = logging.getLogger("affekt.serving")

BACKLOG = 2048
"""Connections that the kernel keeps until they are accepted."""

SWITCH_SECONDS = 0.0005
"""How long a thread that wants to run Python waits for the one that does: a lane between two runs of the model must not
wait as long as a run takes."""

SPARE_FILES = 128
"""Files that a process needs besides its connections."""


@dataclass(frozen=True)
class AppFactory:
    """Makes the application in the process that runs it; small enough to be sent there.

    Attributes:
        model: model folder; the shipped one if None.
        backend: engine.
        threads: processors for each process; those available divided among the processes by default.
        settings: limits.
        keys: who may come in.
        log_level: e.g. ``info``.
        metrics_folder: where several processes share their counters.
    """

    model: Path | None
    backend: str
    threads: int | None
    settings: Settings
    keys: ApiKeys
    log_level: str = "info"
    metrics_folder: Path | None = None

    def classifier(self) -> EmotionClassifier:
        """The model; with ONNX, each batch on one processor: more are answered side by side than one by one."""
        folder = SHIPPED if self.model is None else self.model
        read_manifest(folder)
        name = choose(folder, self.backend)
        return EmotionClassifier.load(self.model, backend=name, threads=1 if name.startswith("onnx") else self.lanes)

    @property
    def lanes(self) -> int:
        """Processors for this process."""
        return self.threads or max(1, available_cpus() // self.settings.workers)

    def __call__(self) -> FastAPI:
        """The application."""
        logs.set_up(self.log_level)
        sys.setswitchinterval(SWITCH_SECONDS)
        if not self.settings.access_log:
            logging.getLogger("affekt.access").setLevel(logging.WARNING)
        settings = self.settings.model_copy(update={"lanes": self.lanes})
        app = create_app(self.classifier(), settings, self.keys, metrics_folder=self.metrics_folder)
        gc.collect()
        gc.freeze()  # what is here stays; looking through it again and again would stop every request for tens of ms
        return app


def check_exposure(settings: Settings, keys: ApiKeys) -> None:
    """Refuse to serve strangers without keys unless that is said to be meant.

    Raises:
        SettingError: if other machines can reach the address and there is no key.
    """
    if not settings.loopback and not len(keys) and not settings.allow_anonymous:
        raise SettingError(
            f"Other machines can reach '{settings.host}', and there is no API key.",
            hint=f"Give keys with --api-keys FILE or {VARIABLE}, or say --allow-anonymous if everybody may ask.",
        )


def serve(factory: AppFactory) -> None:
    """Run until told to stop (SIGTERM or SIGINT); requests in progress are finished first.

    Raises:
        SettingError: if the address would be open to strangers without a key, or cannot be had.
    """
    settings = _fit_files(factory.settings)
    check_exposure(settings, factory.keys)
    logs.set_up(factory.log_level)
    with _metrics_folder(settings) as folder, _listen(settings) as listener:
        factory = replace(factory, settings=settings, metrics_folder=folder)
        if settings.workers == 1:
            uvicorn.Server(_config(factory())).run([listener])
        else:
            factory.classifier()
            Multiprocess(_config(factory), sockets=[listener]).run()


@contextlib.contextmanager
def _listen(settings: Settings) -> Iterator[socket.socket]:
    """The socket, taken before the model is loaded, so that a mistake shows at once.

    Raises:
        SettingError: if the address cannot be had.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[0]
        listener = socket.create_server(address[:2], family=family, backlog=BACKLOG)
    except OSError as error:
        place = f"{settings.host}, port {settings.port}"
        raise SettingError(f"The server cannot listen on {place}: {error.strerror or error}.") from error
    with listener:
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        LOG.info("serving at http://%s:%d", host, listener.getsockname()[1])
        listener.set_inheritable(True)
        yield listener


def _config(app: FastAPI | AppFactory) -> uvicorn.Config:
    settings = app.settings if isinstance(app, AppFactory) else app.state.service.settings
    return uvicorn.Config(
        app,
        factory=isinstance(app, AppFactory),
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
        http=Guard(settings).protocol,  # type: ignore[arg-type]
        ws="none",
        lifespan="on",
        interface="asgi3",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        timeout_keep_alive=int(settings.keep_alive_seconds) + 1,
        timeout_graceful_shutdown=settings.drain_seconds,
    )


@contextlib.contextmanager
def _metrics_folder(settings: Settings) -> Iterator[Path | None]:
    """A folder for shared counters, where several processes need one."""
    if settings.workers == 1:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="affekt-metrics-") as name, _environment("PROMETHEUS_MULTIPROC_DIR", name):
        yield Path(name)


@contextlib.contextmanager
def _environment(name: str, value: str) -> Iterator[None]:
    """Set a variable that the processes started inside inherit; prometheus_client can be told in no other way."""
    os.environ[name] = value
    try:
        yield
    finally:
        del os.environ[name]


def _fit_files(settings: Settings) -> Settings:
    """Raise the limit of open files as far as allowed, and allow no more connections than fit."""
    try:
        import resource
    except ModuleNotFoundError:  # Windows has no such limit
        return settings
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = settings.connections + SPARE_FILES
    if soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    if soft >= wanted:
        return settings
    fitting = max(1, soft - SPARE_FILES)
    LOG.warning("only %d files may be open: at most %d connections", soft, fitting)
    return settings.model_copy(update={"connections": fitting})
