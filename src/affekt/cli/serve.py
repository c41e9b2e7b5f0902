"""``affekt serve``: the HTTP API and the web page."""

import os
from pathlib import Path
from typing import Annotated

import typer

from affekt.errors import MissingExtraError, SettingError

app = typer.Typer(add_completion=False)


@app.command()
def serve(
    model: Annotated[Path | None, typer.Option(help="Model folder; the one that ships by default.")] = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="TCP port; 0 takes a free one.")] = 8000,
    workers: Annotated[int, typer.Option(help="Processes, each with a model of its own.")] = 1,
    threads: Annotated[int | None, typer.Option(help="Processors for each process.")] = None,
    backend: Annotated[str, typer.Option(help="Engine.")] = "auto",
    api_keys: Annotated[
        Path | None, typer.Option(help="File with one API key a line; AFFEKT_API_KEYS is read too.")
    ] = None,
    allow_anonymous: Annotated[
        bool, typer.Option("--allow-anonymous", help="Let everybody ask who can reach the address.")
    ] = False,
    rate: Annotated[float, typer.Option(help="Requests a second for each client; 0 for no limit.")] = 50.0,
    cors_origin: Annotated[list[str] | None, typer.Option(help="Origin whose pages may ask; repeatable.")] = None,
    page: Annotated[bool, typer.Option(help="Serve the web page.")] = True,
    log_texts: Annotated[bool, typer.Option("--log-texts", help="Write the texts to the log.")] = False,
    log_level: Annotated[str, typer.Option(help="debug, info, warning or error.")] = "info",
    limit: Annotated[
        list[str] | None, typer.Option(help="Any other setting, as NAME=VALUE; repeatable. See docs/serving.md.")
    ] = None,
) -> None:
    """Serve a model over HTTP, with a page on which people try it."""
    try:
        from affekt.serving.keys import read_keys
        from affekt.serving.run import AppFactory
        from affekt.serving.run import serve as run
        from affekt.serving.settings import make_settings
    except ModuleNotFoundError as error:
        raise MissingExtraError("serving", "serve") from error
    given = {
        "host": host, "port": port, "workers": workers, "allow_anonymous": allow_anonymous, "rate": rate,
        "cors_origins": tuple(cors_origin or ()), "page": page, "log_texts": log_texts,
    }  # fmt: skip
    settings = make_settings(given | dict(map(_pair, limit or ())))
    run(AppFactory(model, backend, threads, settings, read_keys(api_keys, os.environ), _level(log_level)))


def _pair(entry: str) -> tuple[str, str]:
    name, equals, value = entry.partition("=")
    if not equals:
        raise SettingError(f"--limit takes NAME=VALUE, not '{entry}'.")
    return name.strip(), value.strip()


def _level(name: str) -> str:
    if name.lower() not in ("debug", "info", "warning", "error"):
        raise SettingError(f"There is no log level '{name}'.", hint="Known: debug, info, warning, error.")
    return name.lower()
