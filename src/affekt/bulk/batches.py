"""The function that every engine applies to an Arrow batch: rows in, the same rows with their answers out."""

import pyarrow as pa

from affekt.bulk.answers import answer
from affekt.bulk.options import ScoresAs
from affekt.bulk.scoring import Scorer, Spec
from affekt.bulk.writing.columns import added_names, with_answers
from affekt.errors import DataError


def predict_table(
    scorer: Scorer, table: pa.Table, column: str, *, scores: ScoresAs = "list", prefix: str = ""
) -> pa.Table:
    """Rows with their answers; every distinct text of the batch is scored once.

    Args:
        scorer: the model.
        table: (rows, columns).
        column: of the texts; a row without a text gets empty answers.
        scores: one column per label, one list column, or none.
        prefix: put before the names of the columns that are added.

    Raises:
        DataError: if there is no such column of texts, or one that would be added.
    """
    if column not in table.schema.names:
        raise DataError(f"There is no column '{column}'.", hint=f"There are: {', '.join(table.schema.names)}.")
    taken = sorted(set(added_names(scorer.labels, scores, prefix)) & set(table.schema.names))
    if taken:
        raise DataError(f"There is a column '{taken[0]}' already.", hint="Give a prefix for the added columns.")
    values = table.column(column).to_pylist()
    wrong = next((value for value in values if not isinstance(value, str | None)), None)
    if wrong is not None:
        raise DataError(f"The column '{column}' holds {type(wrong).__name__}, not texts.")
    texts = [text if text and not text.isspace() else None for text in values]
    return with_answers(table, answer(scorer, texts), scores, prefix)


_opened: dict[str, Scorer] = {}


def opened(spec: Spec) -> Scorer:
    """The scorer of a spec, loaded once per process for as long as the same one is asked for."""
    key = repr(spec)
    if key not in _opened:
        _opened.clear()
        _opened[key] = spec.open()
    return _opened[key]
