"""Emotions beside a text column of a Spark DataFrame, through an iterator pandas UDF."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from affekt.bulk.batches import opened, predict_table
from affekt.bulk.options import ScoresAs
from affekt.bulk.scoring import ScorerSpec, Spec
from affekt.bulk.writing.columns import added_names
from affekt.errors import DataError, MissingExtraError

if TYPE_CHECKING:
    import pandas as pd

_TEXT = "text"
_STRUCT = "_affekt"


def predict_column(
    frame: Any, column: str, spec: Spec | None = None, *, scores: ScoresAs = "list", prefix: str = ""
) -> Any:
    """A DataFrame with emotions beside every row; lazy, like every transformation.

    Each Python worker loads the model once and answers Arrow batches with the function that all engines share. Give
    executors as many cores per task (``spark.task.cpus``) as ``spec`` has threads.

    Args:
        frame: a ``pyspark.sql.DataFrame``.
        column: of the texts; a row without a text gets empty answers.
        spec: the model, under a path that every executor can read; the shipped one, on one thread, by default.
        scores: one column per label, one list column, or none.
        prefix: put before the names of the columns that are added.

    Returns:
        A ``pyspark.sql.DataFrame``.

    Raises:
        DataError: if there is no such column, or one that would be added.
        MissingExtraError: if Spark is not installed.
    """
    try:
        from pyspark.sql import functions
    except ImportError:
        raise MissingExtraError("Predicting on Spark", "spark") from None
    chosen = spec or ScorerSpec(threads=1)
    names = added_names(opened(chosen).labels, scores, prefix)
    if column not in frame.columns:
        raise DataError(f"There is no column '{column}'.", hint=f"There are: {', '.join(frame.columns)}.")
    taken = sorted(set(names) & set(frame.columns))
    if taken:
        raise DataError(f"There is a column '{taken[0]}' already.", hint="Give a prefix for the added columns.")
    answered = frame.withColumn(_STRUCT, _udf(chosen, names, scores, prefix)(functions.col(column)))
    return answered.select(*frame.columns, *(functions.col(f"{_STRUCT}.`{name}`").alias(name) for name in names))


def _udf(spec: Spec, names: tuple[str, ...], scores: ScoresAs, prefix: str) -> Any:
    from pyspark.sql.pandas.functions import pandas_udf

    def predict(batches: "Iterator[pd.Series]") -> "Iterator[pd.DataFrame]":
        scorer = opened(spec)
        for texts in batches:
            table = pa.table({_TEXT: pa.array(texts, pa.string(), from_pandas=True)})
            answered = predict_table(scorer, table, _TEXT, scores=scores, prefix=prefix).select(list(names))
            yield answered.to_pandas()

    predict.__annotations__ = _iterator_hints()
    make: Any = pandas_udf
    return make(predict, _schema(names, scores))


def _iterator_hints() -> dict[str, Any]:
    """The type hints by which Spark knows the kind of UDF; real types, since pandas is imported late."""
    import pandas as pd

    return {"batches": Iterator[pd.Series], "return": Iterator[pd.DataFrame]}


def _schema(names: tuple[str, ...], scores: ScoresAs) -> Any:
    from pyspark.sql.types import ArrayType, FloatType, StringType, StructField, StructType

    rest = ArrayType(FloatType()) if scores == "list" else FloatType()
    return StructType(
        [StructField(names[0], ArrayType(StringType())), *(StructField(name, rest) for name in names[1:])]
    )
