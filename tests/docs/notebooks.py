"""Notebooks as tests run them: every code cell, top to bottom, in one namespace, in a folder of its own."""

import contextlib
import io
import json
import os
from pathlib import Path
from typing import Any


def run(path: Path, folder: Path) -> list[str]:
    """What each code cell prints."""
    names: dict[str, Any] = {"__name__": "__main__"}
    printed = []
    here = Path.cwd()
    os.chdir(folder)
    try:
        for cell in _code(json.loads(path.read_text(encoding="utf-8"))):
            out = io.StringIO()
            with contextlib.redirect_stdout(out):
                exec(compile("".join(cell["source"]), path.name, "exec"), names)  # noqa: S102 - the notebook is ours
            printed.append(out.getvalue())
    finally:
        os.chdir(here)
    return printed


def shown(path: Path) -> list[str]:
    """What the notebook says that each code cell printed."""
    cells = _code(json.loads(path.read_text(encoding="utf-8")))
    return ["".join("".join(output.get("text", ())) for output in cell["outputs"]) for cell in cells]


def refresh(path: Path, folder: Path) -> None:
    """Write what is printed now into the notebook."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    for cell, text in zip(_code(notebook), run(path, folder), strict=True):
        lines = text.splitlines(keepends=True)
        cell["outputs"] = [{"name": "stdout", "output_type": "stream", "text": lines}] if lines else []
    path.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _code(notebook: dict[str, Any]) -> list[dict[str, Any]]:
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
