"""Bulk prediction by workers of a Ray cluster: the shards of a job, or the batches of a Ray dataset."""

import logging
import os
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from affekt.bulk.batches import opened, predict_table
from affekt.bulk.options import JobOptions, ScoresAs
from affekt.bulk.reading.chunks import ChunkReader
from affekt.bulk.reading.pieces import Position
from affekt.bulk.recall import Recall
from affekt.bulk.scoring import Scorer, ScorerSpec, Spec
from affekt.bulk.work import Work
from affekt.bulk.writing.commit import commit_chunk, score_chunk
from affekt.bulk.writing.records import ShardRecord
from affekt.bulk.writing.store import Store
from affekt.errors import AffektError, JobError, MissingExtraError

BATCH = 4096
"""Rows of a Ray dataset that a worker is given at once; the model's own batches within are sized by tokens."""


def _ray() -> Any:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
        import ray.data
    except ImportError:
        raise MissingExtraError("Predicting on a Ray cluster", "ray") from None
    if not ray.is_initialized():
        ray.init(log_to_driver=False)
    return ray


class RayEngine:
    """Workers of a Ray cluster, each an actor that loads the model once and makes whole shards.

    A worker that dies is started again and its shard made again; a driver that dies is started again by the same
    command, and only the shards that were not committed are made. Input, output and model folder must be readable and
    writable under the same paths from every worker.

    Args:
        spec: the model.
        workers: how many.
        gpus: of each worker.
    """

    def __init__(self, spec: Spec, workers: int = 2, gpus: float = 0.0) -> None:
        self._spec = spec
        self._workers = workers
        self._gpus = gpus

    def options(self, options: JobOptions) -> JobOptions:
        """The options without a memory across shards, which workers do not share."""
        return options.model_copy(update={"cache": 0})

    def make(
        self,
        work: Work,
        store: Store,  # noqa: ARG002 - workers open their own
        done: Mapping[int, ShardRecord],
        recall: Recall | None,  # noqa: ARG002 - there is none
    ) -> Iterator[ShardRecord]:
        """See :class:`~affekt.bulk.engines.Engine`."""
        ray = _ray()
        shards = _shards(work, done)
        if not shards:
            return
        ray.data.DataContext.get_current().enable_progress_bars = False
        logging.getLogger("ray.data").setLevel(logging.WARNING)
        records = ray.data.from_items(shards, override_num_blocks=len(shards)).map_batches(
            ShardMaker,
            fn_constructor_kwargs={"work": work, "spec": self._spec},
            batch_size=1,
            compute=ray.data.ActorPoolStrategy(size=min(self._workers, len(shards))),
            **_resources(self._spec, self._gpus),
        )
        try:
            for number, row in enumerate(records.iter_rows(), start=1):
                yield _record(row).model_copy(update={"share": number / len(shards)})
        except ray.exceptions.RayError as error:
            raise _failure(str(error).strip().splitlines()[-1]) from error


def _record(row: dict[str, str]) -> ShardRecord:
    if row["error"]:
        raise _failure(row["error"])
    return ShardRecord.model_validate_json(row["record"])


def _failure(reason: str) -> JobError:
    return JobError(f"A worker failed: {reason}", hint="Mend that and run the same command again: it goes on.")


def _shards(work: Work, done: Mapping[int, ShardRecord]) -> list[dict[str, int]]:
    reader = ChunkReader(work.source, work.selection, work.options)
    try:
        starts = reader.starts({index: record.end for index, record in done.items()})
        return [{"index": index, "file": at.file, "row": at.row, "offset": at.offset} for index, at in starts]
    finally:
        reader.close()


def _resources(spec: Spec, gpus: float) -> dict[str, Any]:
    """What an actor takes; Ray starts dead ones again, and their work with them, for as long as it takes."""
    return {"num_cpus": spec.threads or 1} | ({"num_gpus": gpus} if gpus else {})


class ShardMaker:
    """An actor that makes shards.

    Args:
        work: the job.
        spec: the model, loaded here once.
    """

    def __init__(self, work: Work, spec: Spec) -> None:
        self._work = work
        self._store = Store(work.target)
        self._scorer: Scorer = opened(spec)
        self._reader = ChunkReader(work.source, work.selection, work.options)

    def __call__(self, batch: dict[str, np.ndarray[Any, Any]]) -> dict[str, np.ndarray[Any, Any]]:
        """Make the shards whose numbers and beginnings are given; returns their records as JSON, or what went wrong."""
        columns = [batch[name].tolist() for name in ("index", "file", "row", "offset")]
        made = [self._tried(index, Position(*place)) for index, *place in zip(*columns, strict=True)]
        return {
            "record": np.array([record for record, _ in made], dtype=object),
            "error": np.array([error for _, error in made], dtype=object),
        }

    def _tried(self, index: int, start: Position) -> tuple[str, str]:
        try:
            return self._make(index, start), ""
        except AffektError as error:
            return "", str(error)
        except Exception as error:  # noqa: BLE001 - the driver raises it again, in a sentence
            return "", f"{type(error).__name__}: {error}"

    def _make(self, index: int, start: Position) -> str:
        chunk = self._reader.read(index, start)
        if chunk is None:
            raise JobError(f"The input ends before shard {index}.", hint="It was changed; start anew with --restart.")
        answers, seconds = score_chunk(self._scorer, chunk, None)
        return commit_chunk(self._work, self._store, chunk, answers, seconds).line()


class BatchPredictor:
    """An actor that answers the batches of a Ray dataset.

    Args:
        spec: the model, loaded here once.
        column: of the texts.
        scores: one column per label, one list column, or none.
        prefix: put before the names of the columns that are added.
    """

    def __init__(self, spec: Spec, column: str, scores: ScoresAs, prefix: str) -> None:
        self._scorer: Scorer = opened(spec)
        self._column = column
        self._scores: ScoresAs = scores
        self._prefix = prefix

    def __call__(self, batch: pa.Table) -> pa.Table:
        """The batch with its answers."""
        return predict_table(self._scorer, batch, self._column, scores=self._scores, prefix=self._prefix)


def predict_dataset(
    dataset: Any,
    column: str,
    spec: Spec | None = None,
    *,
    scores: ScoresAs = "list",
    prefix: str = "",
    workers: int = 2,
    gpus: float = 0.0,
) -> Any:
    """A Ray dataset with emotions beside every row, lazily, for pipelines that go on in Ray.

    Args:
        dataset: a ``ray.data.Dataset``.
        column: of the texts; a row without a text gets empty answers.
        spec: the model; the shipped one by default.
        scores: one column per label, one list column, or none.
        prefix: put before the names of the columns that are added.
        workers: most actors, each with the model loaded once; fewer while other stages need the processors.
        gpus: of each worker.

    Returns:
        A ``ray.data.Dataset``.
    """
    ray = _ray()
    chosen = spec or ScorerSpec(threads=1)
    return dataset.map_batches(
        BatchPredictor,
        fn_constructor_kwargs={"spec": chosen, "column": column, "scores": scores, "prefix": prefix},
        batch_format="pyarrow",
        batch_size=BATCH,
        compute=ray.data.ActorPoolStrategy(min_size=1, max_size=workers),
        **_resources(chosen, gpus),
    )
