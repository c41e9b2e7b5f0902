"""What may be imported where: the core stays light, and imports point one way."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
HEAVY = (
    "torch", "transformers", "accelerate", "sklearn", "scipy", "pandas", "pyarrow", "fastapi", "uvicorn", "matplotlib",
    "ray", "pyspark", "onnx", "peft", "optuna",
)  # fmt: skip
LAZY = ("emoji", "onnxruntime", "tokenizers")
"""Part of the core, but not needed to say what the commands are."""


def imported_by(code: str) -> set[str]:
    """The top-level modules that a fresh interpreter has loaded after running ``code``."""
    report = "import sys; print('\\n' + ' '.join({name.partition('.')[0] for name in sys.modules}))"
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    result = subprocess.run(
        [sys.executable, "-c", f"{code}\n{report}"], capture_output=True, text=True, check=True, env=environment
    )
    return set(result.stdout.splitlines()[-1].split())


HELP = """
from affekt.cli.app import main
try:
    main(["--help"])
except SystemExit as end:
    assert end.code == 0
"""


@pytest.mark.parametrize(
    ("code", "unwanted"),
    [
        ("import affekt", HEAVY),
        (HELP, HEAVY + LAZY + ("numpy",)),
        ("import affekt.cleaning; affekt.cleaning.clean('plain text, caf\\u00e9')", HEAVY + LAZY),
        ("import affekt.classifier, affekt.model_folder, affekt.prediction, affekt.data", HEAVY),
    ],
    ids=["import affekt", "affekt --help", "cleaning without emoji", "core rooms"],
)
def test_stays_light(code: str, unwanted: tuple[str, ...]) -> None:
    assert imported_by(code) & set(unwanted) == set()


def test_imports_point_one_way() -> None:
    checker = Path(sys.executable).with_name("lint-imports")
    if not checker.is_file():
        pytest.skip("import-linter is not installed")
    result = subprocess.run(
        [checker, "--no-cache", "--config", "pyproject.toml"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout


def test_the_engine_is_told_to_report_to_nobody_before_it_is_loaded() -> None:
    command = (
        "import os, sys; os.environ.pop('ORT_DISABLE_TELEMETRY', None); import affekt; "
        "sys.exit('onnxruntime' in sys.modules or os.environ['ORT_DISABLE_TELEMETRY'] != '1')"
    )
    assert subprocess.run([sys.executable, "-c", command], check=False).returncode == 0
