"""The documentation and the deployment files keep up with the code."""

import json
import re
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from affekt.serving.settings import Settings

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "serving.md").read_text(encoding="utf-8")


def test_every_limit_is_documented_with_its_default() -> None:
    limits = GUIDE[GUIDE.index("## Limits") : GUIDE.index("## What a stranger")]
    rows = dict(re.findall(r"^\| `(\w+)` \| ([^|]+) \|", limits, re.MULTILINE))
    further = GUIDE[GUIDE.index("Further settings:") :].partition("\n\n")[0]
    for name, field in Settings.model_fields.items():
        if name in rows:
            assert rows[name] in (str(field.default), "what suits the engine"), name
        else:
            assert f"`{name}`" in further, name
    assert set(rows) <= set(Settings.model_fields)


def test_every_path_is_documented(client: TestClient) -> None:
    for path in client.get("/openapi.json").json()["paths"]:
        assert f"{path}`" in GUIDE


def test_every_code_of_an_error_is_documented() -> None:
    table = GUIDE[GUIDE.index("| status | codes") : GUIDE.index("## How requests")]
    source = "".join(file.read_text(encoding="utf-8") for file in (ROOT / "src" / "affekt" / "serving").glob("*.py"))
    for status, code in set(re.findall(r'Problem\((\d+), "([a-z-]+)"', source)):
        assert f"`{code}`" in table, code
        assert status in table, status


def test_the_examples_body_is_json() -> None:
    found = re.search(r"-d '(\{.*\})'$", GUIDE, re.MULTILINE)
    assert found
    assert len(json.loads(found.group(1).replace("'\\''", "'"))["texts"]) == 2


def test_the_container_runs_without_rights() -> None:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert re.search(r"^USER 10001", text, re.MULTILINE)
    assert '".[serve]"' in text
    assert "readyz" in text
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert ignored[0] == "*"
    needed = set(re.findall(r"^COPY (?!--)(.+) \S+$", text, re.MULTILINE)[0].split()) | {"src"}
    assert all(f"!{name}" in ignored for name in needed)


@pytest.mark.parametrize(
    "line", ["DynamicUser=yes", "NoNewPrivileges=yes", "ProtectSystem=strict", "CapabilityBoundingSet="]
)
def test_the_service_runs_without_rights(line: str) -> None:
    assert line in (ROOT / "deploy" / "affekt.service").read_text(encoding="utf-8").splitlines()


def test_the_service_has_time_and_files_enough() -> None:
    text = (ROOT / "deploy" / "affekt.service").read_text(encoding="utf-8")
    stop, files = (int(re.search(rf"{name}=(\d+)", text).group(1)) for name in ("TimeoutStopSec", "LimitNOFILE"))  # type: ignore[union-attr]
    assert stop > Settings().drain_seconds
    assert files > Settings().connections + 128
