"""The labels of a table to a target matrix, whatever the layout."""

import numpy as np

from affekt.data.labelling.extracted import Extracted, one_text_per_row
from affekt.data.labelling.flagged import from_columns
from affekt.data.labelling.grouped import grouped
from affekt.data.labelling.layouts import Layout
from affekt.data.labelling.listed import from_lists
from affekt.data.options import ReadOptions
from affekt.data.reading.tables import Table


def extract(table: Table, layout: Layout, options: ReadOptions) -> Extracted:
    """The targets of every text of a table; what does not fit becomes findings, and takes its row out."""
    if layout.kind == "none":
        return one_text_per_row((), np.zeros((len(table), 0), dtype=np.float32))
    if layout.kind == "columns":
        return from_columns(table, layout, options.missing)
    extracted = from_lists(table, layout)
    return grouped(table, layout, extracted) if layout.kind == "long" else extracted
