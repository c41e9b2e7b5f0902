"""What the documentation site is given at build time: the command line's reference, and the notebook as a page.

mkdocs calls the ``on_`` functions (``hooks:`` in mkdocs.yml). Nothing here needs a network.
"""

import json
import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOK = "notebooks/tour.ipynb"


def on_files(files: Any, config: Any) -> Any:
    """Add the generated pages."""
    from mkdocs.structure.files import File

    files.append(File.generated(config, "reference/cli.md", content=command_line()))
    notebook = json.loads((ROOT / "docs" / NOTEBOOK).read_text(encoding="utf-8"))
    files.append(File.generated(config, NOTEBOOK.replace(".ipynb", ".md"), content=notebook_page(notebook)))
    return files


def on_post_page(output: str, **_: Any) -> str:
    """Show cross-references of docstrings (``:class:`X```) as plain code."""
    return re.sub(r":(?:class|func|meth|mod|data|attr|exc):(?=<code)", "", output)


def command_line() -> str:
    """The reference of every command and option, from typer's own objects."""
    sys.path.insert(0, str(ROOT / "src"))
    from affekt.cli.app import COMMANDS, load

    parts = [
        "# Command line",
        "",
        "Made from the commands themselves. `affekt COMMAND --help` shows the same in a terminal.",
    ]
    for name, (_, line) in COMMANDS.items():
        command = load(name)
        inner = getattr(command, "commands", None)
        parts += ["", f"## affekt {name}", "", *([line] if inner else _command(command))]
        for further, sub in (inner or {}).items():
            parts += ["", f"### affekt {name} {further}", "", *_command(sub)]
    return "\n".join(parts) + "\n"


def _command(command: Any) -> list[str]:
    lines = [_cell(paragraph) if "|" in paragraph else paragraph for paragraph in (command.help or "").split("\n\n")]
    rows = [_row(parameter) for parameter in command.params if parameter.name != "help"]
    head = ["| option | what it does | default |", "| --- | --- | --- |"] if rows else []
    return ["\n\n".join(lines), "", *head, *rows]


def _row(parameter: Any) -> str:
    flags = (*parameter.opts, *parameter.secondary_opts)
    names = " ".join(f"`{name}`" for name in flags) if flags[0].startswith("-") else f"`{parameter.name.upper()}`"
    kinds = (getattr(parameter, name, None) for name in ("type", "type_descriptor"))  # by typer's version
    choices = next((kind.choices for kind in kinds if hasattr(kind, "choices")), ())
    kind = f" ({', '.join(str(getattr(choice, 'value', choice)) for choice in choices)})" if choices else ""
    default = parameter.default
    if parameter.required:
        shown = "required"
    elif default in (None, (), [], "") or callable(default) or (default is False and not parameter.secondary_opts):
        shown = ""
    else:
        shown = f"`{getattr(default, 'value', default)}`"
    return f"| {names} | {_cell((getattr(parameter, 'help', None) or '') + kind)} | {shown} |"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", r"\|").replace("<", "&lt;")


def notebook_page(notebook: dict[str, Any]) -> str:
    """A notebook's cells and what they printed, as Markdown."""
    parts = ["<!-- made from the notebook -->"]
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            parts.append(source)
            continue
        parts.append(f"```python\n{source}\n```")
        printed = "".join("".join(output.get("text", ())) for output in cell["outputs"])
        if printed:
            parts.append(f"```text\n{printed.rstrip()}\n```")
    return "\n\n".join(parts) + "\n"
