"""The map of the house and the house agree."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ROOT / "src" / "affekt"


def test_every_room_is_on_the_map_and_every_room_on_the_map_is_there() -> None:
    table = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8").split("## Rooms")[1].split("\n## ")[0]
    named = {name for row in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE) for name in re.findall(r"`(.+?)`", row)}
    files = {path.stem for path in ROOMS.glob("*.py") if not path.stem.startswith("__")}
    folders = {f"{path.name}/" for path in ROOMS.iterdir() if (path / "__init__.py").is_file()}
    assert named == files | folders


def test_the_parts_of_the_data_room_are_on_the_map() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    for path in (ROOMS / "data").iterdir():
        if (path / "__init__.py").is_file():
            assert f"`{path.name}/`" in text
