"""What every test may use: the real data where it lies, and small stand-ins where it does not."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# a busy machine is no defect: neither the time of an example nor that of drawing it decides
settings.register_profile("affekt", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("affekt")

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("AFFEKT_DATA", ROOT.parent / "shared" / "data"))


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder with the real data sets; the test is skipped where they are absent."""
    if not DATA.is_dir():
        pytest.skip(f"no data sets at '{DATA}' (set AFFEKT_DATA)")
    return DATA


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random two-layer model folder with PyTorch weights and both ONNX graphs; not to be changed."""
    from models import model_folder

    return model_folder(tmp_path_factory.mktemp("tiny") / "model", onnx=True)
