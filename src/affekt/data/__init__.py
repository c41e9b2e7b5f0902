"""Tables in, datasets out: readers, layouts, splits, checks and statistics."""

from affekt.data.dataset import Dataset
from affekt.data.load import load_dataset

__all__ = ["Dataset", "load_dataset"]
