"""An example job for ``spark-submit``: a Parquet folder in, the same rows with emotions out.

spark-submit -m affekt.bulk.spark_job --input comments.parquet --output answered.parquet --text body
python -m affekt.bulk.spark_job --input comments.parquet --output answered.parquet --master 'local[2]'
"""

import argparse
import os
import sys
from collections.abc import Sequence

from affekt.bulk.scoring import ScorerSpec
from affekt.bulk.spark import predict_column


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the job."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--input", required=True, help="Parquet file or folder")
    parser.add_argument("--output", required=True, help="Parquet folder; must not exist")
    parser.add_argument("--text", default="text", help="column of the texts")
    parser.add_argument("--model", default=None, help="model folder, readable by every executor")
    parser.add_argument("--scores", choices=["columns", "list", "none"], default="list")
    parser.add_argument("--prefix", default="", help="before the names of the added columns")
    parser.add_argument("--master", default=None, help="for instance local[2]; given by spark-submit otherwise")
    given = parser.parse_args(arguments)

    from pyspark.sql import SparkSession

    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.appName("affekt")
    spark = (builder.master(given.master) if given.master else builder).getOrCreate()
    try:
        spec = ScorerSpec(model=given.model, threads=int(spark.conf.get("spark.task.cpus", "1") or 1))
        frame = spark.read.parquet(given.input)
        predict_column(frame, given.text, spec, scores=given.scores, prefix=given.prefix).write.parquet(given.output)
    finally:
        spark.stop()


if __name__ == "__main__":
    main()
