"""Tables in, datasets out: readers, label layouts, splits, checks and statistics."""

from affekt.data.dataset import Dataset
from affekt.data.findings import Finding
from affekt.data.label_names import LabelNames, read_label_names
from affekt.data.layouts import Layout, detect_layout
from affekt.data.load import Loaded, load_dataset, read_labelled
from affekt.data.options import ReadOptions
from affekt.data.splits import kfold, split
from affekt.data.tables import Table, read_table

__all__ = [
    "Dataset",
    "Finding",
    "LabelNames",
    "Layout",
    "Loaded",
    "ReadOptions",
    "Table",
    "detect_layout",
    "kfold",
    "load_dataset",
    "read_label_names",
    "read_labelled",
    "read_table",
    "split",
]
