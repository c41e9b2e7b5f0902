"""Tables in, datasets out: readers, label layouts, splits, checks and statistics."""

from affekt.data.dataset import Dataset
from affekt.data.findings import Finding
from affekt.data.labelling.label_names import LabelNames, read_label_names
from affekt.data.labelling.layouts import Layout, detect_layout
from affekt.data.load import Loaded, load_dataset, read_labelled
from affekt.data.options import ReadOptions
from affekt.data.reading.tables import Table, read_table
from affekt.data.splitting.splits import kfold, split

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
