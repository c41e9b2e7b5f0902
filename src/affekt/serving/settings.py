"""What a server allows: one frozen object, checked once, that every other file of this room reads."""

import ipaddress
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from affekt.errors import SettingError

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")


class Settings(BaseModel):
    """Every limit and switch of a server; the defaults suit a small machine that strangers may reach.

    Attributes:
        host: address to listen on.
        port: TCP port; 0 takes a free one.
        workers: processes, each with a model of its own.
        allow_anonymous: whether a server that other machines can reach may do without API keys.
        page: whether the web page is served.
        cors_origins: origins whose pages may call the API; none by default.
        hosts: names under which requests may ask for this server; any if empty. On a loopback address only loopback
            names are taken unless this says otherwise, which keeps other sites' scripts out (DNS rebinding).
        trusted_proxies: addresses whose ``X-Forwarded-For`` is believed.
        access_log: whether the log has a line for each request.
        log_texts: whether the log carries the texts that are classified.
        rate: requests a second that one client may send over time; 0 for no limit.
        burst: requests that one client may send at once.
        clients: how many clients the rate limiter remembers.
        body_bytes: largest body, counted before it is parsed.
        bodies_bytes: bytes that all bodies being read or answered may hold together.
        texts: most texts of a request.
        text_chars: most characters of a text as sent.
        clean_chars: most characters of a text after cleaning, which spells emoji out.
        request_tokens: most tokens of a request, every window counted.
        explain_chars: most characters of a text whose emotions are explained.
        explain_texts: most texts of a request that asks for explanations.
        explanations: most explanations in progress; more are refused at once.
        json_depth: deepest nesting of a body.
        url_bytes: longest path with its query.
        header_bytes: most bytes of a request's line and headers.
        headers: most headers of a request.
        connections: most open connections; when all are taken, the one that has waited longest for its next request
            makes room.
        pipelined: most requests that one connection may send ahead of their answers.
        request_seconds: time that a whole request may take to arrive.
        keep_alive_seconds: how long a connection may stay open with nothing sent.
        answer_seconds: time after which a request that is still unanswered is given up.
        drain_seconds: time that requests in progress get when the server is told to stop.
        queue_texts: most texts that wait, of all clients together.
        queue_ms: longest wait that a request may expect, beyond the time its own texts take; more is refused at once.
        lanes: batches that go through the model side by side, each on a processor of its own; ONNX only.
        batch_tokens: most tokens that go through the model together; what suits the engine by default.
        batch_wait_ms: how long the first text waits for company when there is some.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    workers: int = Field(default=1, ge=1, le=256)
    allow_anonymous: bool = False
    page: bool = True
    cors_origins: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    trusted_proxies: tuple[str, ...] = ()
    access_log: bool = True
    log_texts: bool = False

    rate: float = Field(default=50.0, ge=0)
    burst: int = Field(default=100, ge=1)
    clients: int = Field(default=10_000, ge=1)

    body_bytes: int = Field(default=512 * 1024, ge=1024)
    bodies_bytes: int = Field(default=64 * 1024 * 1024, ge=1024)
    texts: int = Field(default=1000, ge=1)
    text_chars: int = Field(default=10_000, ge=1)
    clean_chars: int = Field(default=20_000, ge=1)
    request_tokens: int = Field(default=32_768, ge=16)
    explain_chars: int = Field(default=2000, ge=1)
    explain_texts: int = Field(default=8, ge=1)
    explanations: int = Field(default=16, ge=1)
    json_depth: int = Field(default=8, ge=3, le=100)
    url_bytes: int = Field(default=2048, ge=64)
    header_bytes: int = Field(default=16 * 1024, ge=512)
    headers: int = Field(default=64, ge=4)

    connections: int = Field(default=2000, ge=1)
    pipelined: int = Field(default=16, ge=1)
    request_seconds: float = Field(default=8.0, gt=0)
    keep_alive_seconds: float = Field(default=65.0, gt=0)
    answer_seconds: float = Field(default=30.0, gt=0)
    drain_seconds: int = Field(default=20, ge=1)

    queue_texts: int = Field(default=10_000, ge=1)
    queue_ms: float = Field(default=40.0, gt=0)
    lanes: int = Field(default=1, ge=1, le=256)
    batch_tokens: int | None = Field(default=None, ge=16)
    batch_wait_ms: float = Field(default=2.0, ge=0)

    @property
    def json_values(self) -> int:
        """Most values of a body: its texts, and room for everything else that a request may say."""
        return self.texts + 1000

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach the address."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def allowed_hosts(self) -> tuple[str, ...]:
        """Names that a request's ``Host`` may carry; any if empty."""
        return self.hosts or (LOOPBACK_NAMES if self.loopback else ())


def make_settings(values: Mapping[str, Any]) -> Settings:
    """Settings from plain values, words included ("8", "true", "a,b").

    Raises:
        SettingError: naming the first setting that does not exist or is out of range.
    """
    try:
        return Settings.model_validate({name: _parsed(name, value) for name, value in values.items()})
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            raise SettingError(
                f"There is no server setting '{name}'.", hint=f"Known: {', '.join(Settings.model_fields)}."
            ) from error
        raise SettingError(f"Server setting '{name}' is {first['input']!r}: {first['msg']}.") from error


def _parsed(name: str, value: Any) -> Any:
    field = Settings.model_fields.get(name)
    if isinstance(value, str) and field is not None and field.annotation == tuple[str, ...]:
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value
