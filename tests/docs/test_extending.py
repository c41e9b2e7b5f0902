"""The changes on the page about extending apply to the source as it is, and what they add works."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from pages import ROOT

PAGE = ROOT / "docs" / "extending.md"
pytestmark = pytest.mark.skipif(not PAGE.is_file(), reason="the documentation is not beside the tests")

USES = {
    "A loss": """
import torch
from affekt.training.losses.losses import make_loss
loss = make_loss("hill", margin=1.4)
assert torch.isfinite(loss(torch.zeros(2, 3), torch.eye(3)[:2])).all()
""",
    "A backend": """
import sys
import numpy as np
import affekt
texts = ["so happy", "not good"]
plain, usual = (affekt.load(sys.argv[1], backend=name).logits(texts) for name in ("onnx-plain", "onnx-float32"))
np.testing.assert_allclose(plain, usual, atol=1e-5)
""",
    "A label set": """
import affekt
found = affekt.load().predict("thank you", taxonomy="urgency")[0]
assert found.emotions == ("say thanks",), found
""",
    "A command": """
from affekt.cli.app import main
main(["clean", "so good https://example.com"])
""",
}


def sections() -> dict[str, str]:
    """Heading -> its diff."""
    text = PAGE.read_text(encoding="utf-8") if PAGE.is_file() else ""
    return dict(re.findall(r"^## ([^\n]+)\n(?:(?!^## ).)*?^```diff\n(.*?)^```$", text, re.MULTILINE | re.DOTALL))


def test_every_section_with_a_change_is_tried() -> None:
    assert set(sections()) == set(USES)


@pytest.mark.slow
@pytest.mark.parametrize("heading", USES)
def test_a_change_applies_and_works(heading: str, tmp_path: Path, tiny_model: Path) -> None:
    for name in ("src", "tests"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "node_modules"))
    done = subprocess.run(
        ["git", "apply", "--whitespace=nowarn", "-"],
        cwd=tmp_path, input=sections()[heading], text=True, capture_output=True, check=False,
        env={"PATH": "/usr/bin:/bin", "GIT_CEILING_DIRECTORIES": str(tmp_path.parent)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    code = f"import sys; sys.path.insert(0, {str(tmp_path / 'src')!r}){USES[heading]}"
    used = subprocess.run(
        [sys.executable, "-c", code, str(tiny_model)],
        cwd=tmp_path, env={"PYTHONPATH": str(tmp_path / "src"), "PATH": "/usr/bin:/bin"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert used.returncode == 0, used.stderr


@pytest.mark.parametrize("place", re.findall(r"`((?:src|tests)/[\w./]+)`", PAGE.read_text() if PAGE.is_file() else ""))
def test_the_places_exist(place: str) -> None:
    assert (ROOT / place).exists()
