"""Pages of documentation as tests run them: their commands and their Python, in order, in a folder prepared for them.

- Of a ``console`` block, each line that begins with ``$`` is a command; the lines up to the next are what it printed.
- A ``python`` block is run in the namespace of the page's earlier ones; a ``text`` block after it is what it printed.
- ``<!-- not run: why -->`` before a block leaves it out; ``<!-- output varies -->`` runs it without comparing.

``python tests/docs/refresh.py`` writes the compared outputs anew.
"""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FENCE = re.compile(
    r"(?:<!-- (?P<mark>[^\n]*?) -->\n)?^```(?P<language>\w+)[^\n]*\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL
)
COMMAND = re.compile(r"^\$ (?P<line>(?:[^\n\\]|\\\n|\\.)*)\n?(?P<output>(?:(?!\$ )[^\n]*\n?)*)", re.MULTILINE)
ELSEWHERE = re.compile(r"^(?:\w+=\S+ )*(?:git|pip|make|cd|torchrun|docker|sudo|mkdocs|npm|uv) ")
"""Commands that make environments; what they name is tested otherwise."""


@dataclass(frozen=True)
class Step:
    """Something to run, and what it printed.

    Attributes:
        kind: ``command`` or ``python``.
        code: what to run.
        expected: what it printed, or None where nothing is shown or it varies.
        span: where ``expected`` stands in the page.
    """

    kind: str
    code: str
    expected: str | None
    span: tuple[int, int]


def pages() -> list[Path]:
    """Every page whose blocks are run."""
    folders = [sorted((ROOT / "docs" / name).glob("*.md")) for name in ("how-to", "explanation")]
    return [ROOT / "README.md", ROOT / "docs" / "tutorial.md", *(page for folder in folders for page in folder)]


def steps(page: str) -> list[Step]:
    """What a page's blocks say to do, in order."""
    found: list[Step] = []
    end_of_code = -1
    for block in FENCE.finditer(page):
        mark, language = block["mark"] or "", block["language"]
        varies = mark.startswith("output varies")
        if mark.startswith("not run"):
            continue
        if language == "console":
            found += _commands(block["body"], block.start("body"), varies)
        elif language == "python":
            found.append(Step("python", block["body"], None, (0, 0)))
            end_of_code = block.end()
        elif language == "text" and not varies and 0 <= block.start() - end_of_code <= 2:
            found[-1] = Step("python", found[-1].code, block["body"], block.span("body"))
    return found


def _commands(body: str, start: int, varies: bool) -> list[Step]:
    found = []
    for match in COMMAND.finditer(body):
        line, output = match["line"].replace("\\\n", ""), match["output"]
        span = (start + match.start("output"), start + match.end("output"))
        line = re.sub(r"\s{2,}# .*$", "", line)
        if not ELSEWHERE.match(line):
            found.append(Step("command", line, output if output.strip() and not varies else None, span))
    return found


def same(found: str, expected: str) -> bool:
    """Whether an output is the one shown: but for blanks at the ends of lines; ``…`` stands for any lines or none."""

    def tidy(text: str) -> list[str]:
        return [line.rstrip() for line in text.strip("\n").splitlines()]

    pattern = "".join(r"(?:[^\n]*\n)*" if line == "…" else re.escape(line + "\n") for line in tidy(expected))
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in tidy(found))) is not None
