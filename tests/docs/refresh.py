"""Run the pages and write what was printed into them: ``PYTHONPATH=tests python tests/docs/refresh.py [PAGE ...]``.

For the maintainer, after a change of answers. Outputs marked as varying are left as they are, and so is any that still
fits.
"""

import sys
import tempfile
from pathlib import Path

from kitchen import Kitchen, make_encoder
from notebooks import refresh
from pages import ROOT, pages, same, steps


def main(names: list[str]) -> None:
    """Refresh these pages, or all."""
    with tempfile.TemporaryDirectory() as scratch:
        tiny = make_encoder(Path(scratch) / "tiny")
        for page in [Path(name) for name in names] or pages():
            text = refreshed(page.read_text(encoding="utf-8"), Path(scratch) / page.name, tiny)
            page.write_text(text, encoding="utf-8")
        if not names:
            refresh(ROOT / "docs" / "notebooks" / "tour.ipynb", Path(scratch))


def refreshed(text: str, folder: Path, tiny: Path) -> str:
    """The page with the outputs of now."""
    changes = []
    with Kitchen(folder, tiny) as kitchen:
        for step in steps(text):
            found = kitchen.run(step)
            if step.expected is not None and not same(found, step.expected):
                tail = step.expected[len(step.expected.rstrip("\n")) :]
                changes.append((step.span, "\n".join(line.rstrip() for line in found.strip("\n").splitlines()) + tail))
    for (start, end), output in reversed(changes):
        text = text[:start] + output + text[end:]
    return text


if __name__ == "__main__":
    main(sys.argv[1:])
