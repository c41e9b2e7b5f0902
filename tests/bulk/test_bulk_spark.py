"""A real Spark session of two worker processes on this machine."""

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from bulk_fakes import LABELS, FakeScorer, FakeSpec
from bulk_helpers import sentences

from affekt.bulk.batches import predict_table
from affekt.errors import DataError

pytest.importorskip("pyspark", reason="Spark is not installed: pip install 'affekt[spark]'")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),
    pytest.mark.skipif(shutil.which("java") is None, reason="Spark needs Java, which is not installed"),
]

HERE = Path(__file__).resolve().parent
ROWS = 300


@pytest.fixture(scope="module")
def session() -> Iterator[Any]:
    from pyspark.sql import SparkSession

    settings = {
        "spark.ui.enabled": "false",
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.execution.arrow.maxRecordsPerBatch": "64",
        "spark.driver.memory": "512m",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYSPARK_PYTHON", sys.executable)
        patch.setenv("PYTHONPATH", os.pathsep.join([str(HERE), os.environ.get("PYTHONPATH", "")]))
        spark = SparkSession.builder.master("local[2]").config(map=settings).getOrCreate()
        yield spark
        spark.stop()


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("spark") / "in.parquet"
    texts = [f"text {number % 150}" if number % 17 else None for number in range(ROWS)]
    pq.write_table(pa.table({"id": range(ROWS), "text": texts}), path)
    return path


@pytest.mark.parametrize("scores", ["list", "columns"])
def test_a_frame_gets_the_same_answers(session: Any, source: Path, tmp_path: Path, scores: Any) -> None:
    from affekt.bulk.spark import predict_column

    (tmp_path / "pids").mkdir()
    frame = session.read.parquet(str(source)).repartition(4)
    answered = predict_column(frame, "text", FakeSpec(pids=str(tmp_path / "pids")), scores=scores, prefix="x_")
    assert answered.columns[:3] == ["id", "text", "x_emotions"]
    found = [row.asDict() for row in answered.orderBy("id").collect()]
    expected = predict_table(FakeScorer(), pq.read_table(source), "text", scores=scores, prefix="x_").to_pylist()
    assert found == expected
    workers = {path.name for path in (tmp_path / "pids").iterdir()} - {str(os.getpid())}
    assert 1 <= len(workers) <= 4


def test_frames_that_cannot_be_answered_are_refused_at_once(session: Any) -> None:
    from affekt.bulk.spark import predict_column

    frame = session.createDataFrame([("a", 1.0)], ["text", "scores"])
    with pytest.raises(DataError, match="no column 'body'"):
        predict_column(frame, "body", FakeSpec())
    with pytest.raises(DataError, match="a column 'scores' already"):
        predict_column(frame, "text", FakeSpec())
    assert predict_column(frame, "text", FakeSpec(), scores="columns").columns == [
        "text",
        "scores",
        "emotions",
        *LABELS,
    ]


def test_the_example_job_answers_a_folder(
    session: Any, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from affekt.bulk import spark_job

    monkeypatch.setattr(spark_job, "ScorerSpec", lambda **_: FakeSpec())
    monkeypatch.setattr(type(session), "stop", lambda _: None)
    spark_job.main(["--input", str(source), "--output", str(tmp_path / "out.parquet")])
    found = pq.read_table(tmp_path / "out.parquet").sort_by("id")
    expected = predict_table(FakeScorer(), pq.read_table(source), "text")
    assert found.to_pylist() == expected.to_pylist()


def test_a_real_model_answers_on_spark_as_the_classifier_does(session: Any, tiny_model: Path) -> None:
    from affekt.bulk.scoring import ScorerSpec
    from affekt.bulk.spark import predict_column
    from affekt.classifier import EmotionClassifier

    texts = sentences()
    frame = session.createDataFrame(list(enumerate(texts)), ["id", "text"]).repartition(2)
    spec = ScorerSpec(model=tiny_model, backend="onnx-int8", threads=1)
    found = predict_column(frame, "text", spec, scores="columns").orderBy("id").collect()
    for row, wanted in zip(found, EmotionClassifier.load(tiny_model, backend="onnx-int8").predict(texts), strict=True):
        assert (row["text"], row["emotions"]) == (wanted.text, list(wanted.emotions))
        assert {label: row[label] for label in wanted.scores} == dict(wanted.scores)
