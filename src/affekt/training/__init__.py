"""Training: recipes, losses, engines, the loop, and the model folder that comes out of it."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from affekt.training.recipe import RECIPES, Recipe, get_recipe
    from affekt.training.run import Options, TrainResult, train

__all__ = ["RECIPES", "Options", "Recipe", "TrainResult", "get_recipe", "train"]

_HOME = {
    "Options": "affekt.training.run",
    "RECIPES": "affekt.training.recipe",
    "Recipe": "affekt.training.recipe",
    "TrainResult": "affekt.training.run",
    "get_recipe": "affekt.training.recipe",
    "train": "affekt.training.run",
}


def __getattr__(name: str) -> Any:
    """Import PyTorch and the rest when a name is first used; say which extra installs them."""
    if name not in _HOME:
        raise AttributeError(f"module 'affekt.training' has no attribute '{name}'")
    import importlib

    from affekt.errors import MissingExtraError

    try:
        return getattr(importlib.import_module(_HOME[name]), name)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("affekt"):
            raise
        raise MissingExtraError("Training", "train") from error
