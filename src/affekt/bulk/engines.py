"""Who makes the shards: threads of this process here; see :mod:`affekt.bulk.ray` for workers on a cluster."""

from collections.abc import Iterator, Mapping
from typing import Protocol

from affekt.bulk import pipeline
from affekt.bulk.options import JobOptions
from affekt.bulk.reading.chunks import ChunkReader
from affekt.bulk.recall import Recall
from affekt.bulk.scoring import Scorer
from affekt.bulk.work import Work
from affekt.bulk.writing.commit import commit_chunk, score_chunk
from affekt.bulk.writing.records import ShardRecord
from affekt.bulk.writing.store import Store


class Engine(Protocol):
    """Makes and commits the shards of a job that are not there yet."""

    def options(self, options: JobOptions) -> JobOptions:
        """The options as this engine can fulfil them."""
        ...

    def make(
        self, work: Work, store: Store, done: Mapping[int, ShardRecord], recall: Recall | None
    ) -> Iterator[ShardRecord]:
        """The records of the missing shards as they are committed.

        Args:
            work: the job.
            store: where shards are kept.
            done: the shards that are there.
            recall: scores of texts in those, if the job remembers them.
        """
        ...


class LocalEngine:
    """This process: one thread reads, one scores (the model uses all processors), one writes.

    Args:
        scorer: the model.
    """

    def __init__(self, scorer: Scorer) -> None:
        self._scorer = scorer

    def options(self, options: JobOptions) -> JobOptions:
        """The options as they are."""
        return options

    def make(
        self, work: Work, store: Store, done: Mapping[int, ShardRecord], recall: Recall | None
    ) -> Iterator[ShardRecord]:
        """See :class:`Engine`."""
        reader = ChunkReader(work.source, work.selection, work.options)
        try:
            yield from pipeline.run(
                reader.unread({index: record.end for index, record in done.items()}),
                lambda chunk: score_chunk(self._scorer, chunk, recall),
                lambda chunk, scored: commit_chunk(work, store, chunk, *scored),
            )
        finally:
            reader.close()
