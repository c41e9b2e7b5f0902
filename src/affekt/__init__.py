"""affekt: multi-label emotion classification for English text.

>>> import affekt
>>> classifier = affekt.load()  # doctest: +SKIP
>>> classifier.predict("I love this, thank you!")[0].emotions  # doctest: +SKIP
('gratitude', 'love')
"""

import os
from typing import TYPE_CHECKING, Any

from affekt import errors

if TYPE_CHECKING:
    from affekt.classifier import EmotionClassifier
    from affekt.evaluation import evaluate
    from affekt.prediction import Prediction
    from affekt.training import train

# ONNX Runtime's builds report to their maker unless this is set before they are loaded; affekt calls nobody.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

__version__ = "0.1.0"
__all__ = ["EmotionClassifier", "Prediction", "__version__", "errors", "evaluate", "load", "train"]

_HOME = {
    "EmotionClassifier": "affekt.classifier",
    "Prediction": "affekt.prediction",
    "evaluate": "affekt.evaluation",
    "train": "affekt.training",
}


def load(path: Any = None, **options: Any) -> "EmotionClassifier":
    """A classifier from a model folder, the shipped model by default; see :meth:`EmotionClassifier.load`."""
    from affekt.classifier import EmotionClassifier

    return EmotionClassifier.load(path, **options)


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that ``import affekt`` stays light."""
    if name not in _HOME:
        raise AttributeError(f"module 'affekt' has no attribute '{name}'")
    import importlib

    return getattr(importlib.import_module(_HOME[name]), name)
