"""Models as ONNX graphs: float32 and int8, with the answers of the model that they came from."""

from affekt.errors import MissingExtraError

try:
    import onnx  # noqa: F401
except ImportError as error:
    raise MissingExtraError("Exporting", "train,export") from error

from affekt.export.export import ExportReport, export
from affekt.export.parity import Parity

__all__ = ["ExportReport", "Parity", "export"]
