"""Models for the world outside: ONNX graphs with the model's own answers, model cards, submissions."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from affekt.export.exporting import ExportReport, export
    from affekt.export.parity import Parity

__all__ = ["ExportReport", "Parity", "export"]


def __getattr__(name: str) -> Any:
    """Import what needs ONNX and PyTorch when it is first used: cards and submissions need neither."""
    if name not in __all__:
        raise AttributeError(f"module 'affekt.export' has no attribute '{name}'")
    import importlib

    from affekt.errors import MissingExtraError

    try:
        home = importlib.import_module("affekt.export.parity" if name == "Parity" else "affekt.export.exporting")
    except ImportError as error:
        raise MissingExtraError("Exporting", "train,export") from error
    return getattr(home, name)
