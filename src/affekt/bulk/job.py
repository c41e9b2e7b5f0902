"""A bulk job from beginning to end, to be read top to bottom: plan, go on where it was, make shards, join, sum up."""

import errno
import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from affekt.bulk.engines import Engine, LocalEngine
from affekt.bulk.fingerprint import states
from affekt.bulk.options import JobOptions
from affekt.bulk.progress import Progress
from affekt.bulk.scoring import Scorer
from affekt.bulk.summary import Summary, summarise
from affekt.bulk.work import Work
from affekt.bulk.writing.finishing import finish, finished, intact
from affekt.bulk.writing.records import ShardRecord
from affekt.bulk.writing.store import REJECTS, SUMMARY, Store
from affekt.errors import JobError

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def predict_files(
    inputs: str | Path | Sequence[str | Path],
    out: str | Path,
    scorer: Scorer,
    options: JobOptions | None = None,
    *,
    restart: bool = False,
    progress: Progress | None = None,
    engine: Engine | None = None,
) -> Summary:
    """Put emotions beside every row of files.

    If it is interrupted in whatever way, the same call goes on where it was, and the output is the same to the byte.

    Args:
        inputs: files, folders or patterns.
        out: the output: a file if its name says a format, otherwise a folder of shards.
        scorer: the model.
        options: what to keep and how; see :class:`~affekt.bulk.options.JobOptions`.
        restart: forget an earlier job with this output, and write over its output.
        progress: reports; silent by default.
        engine: makes the shards; threads of this process by default.

    Raises:
        DataError: if the input cannot be read or lacks a column.
        SettingError: if the options do not fit together.
        JobError: if the output is taken, was begun with something else, too many rows were refused, or the disk is
            full.
    """
    given = [inputs] if isinstance(inputs, (str, Path)) else list(inputs)
    engine = engine or LocalEngine(scorer)
    chosen = engine.options(options or JobOptions())
    with progress or Progress(None) as shown:
        work = Work.plan(given, Path(out), chosen, scorer)
        store = Store(work.target)
        store.check_free(restart=restart)
        with store.locked():
            if restart:
                store.restart()
            try:
                return _Job(work, store, scorer.identity, engine, shown).run()
            except OSError as error:
                if error.errno not in _FULL:
                    raise
                raise JobError(
                    f"There is no room left to write '{work.target.out}'.",
                    hint="Free some, and run the same command again: it goes on where it was.",
                ) from error


class _Job:
    """A planned job with its shards in hand."""

    def __init__(
        self, work: Work, store: Store, model: Mapping[str, object], engine: Engine, progress: Progress
    ) -> None:
        self._began = time.perf_counter()
        self._work = work
        self._store = store
        self._model = model
        self._engine = engine
        self._progress = progress
        self._done: dict[int, ShardRecord] = {}
        self._rows = 0
        self._refused = 0

    def run(self) -> Summary:
        """Do what is left of the job."""
        store, before = self._store, states(self._work.source.files)
        store.begin(self._work.fingerprint)
        if finished(store):
            if intact(store):
                return self._earlier()
            self._begin_anew()
        done, recall = store.sound(self._work.options.cache)
        reused = frozenset(done)
        self._go_on(done)
        for record in self._engine.make(self._work, store, done, recall):
            self._count(record)
            self._progress.update(self._rows, record.share)
            self._check_refused()
        if states(self._work.source.files) != before:
            raise JobError("The input was changed while it was read.", hint="Start anew with --restart.")
        return self._finish(reused)

    def _earlier(self) -> Summary:
        """The summary of a job that was finished by an earlier run."""
        self._progress.say(f"'{self._work.target.out}' is finished already; nothing is left to do.")
        path = self._store.state / SUMMARY
        if not path.exists():
            for record in self._store.manifest():
                self._count(record)
            return self._sum_up(frozenset(self._done), {})
        return Summary(**json.loads(path.read_bytes()))

    def _begin_anew(self) -> None:
        """Forget a finished job whose output is gone; refuse if it is there but not as it was written."""
        if self._work.target.folder or self._work.target.out.exists():
            raise JobError(
                f"'{self._work.target.out}' was finished, and changed since.",
                hint="Choose another output, or start anew with --restart.",
            )
        self._store.restart()
        self._store.begin(self._work.fingerprint)

    def _go_on(self, done: Mapping[int, ShardRecord]) -> None:
        for record in done.values():
            self._count(record)
        self._progress.start(self._rows, max((record.share for record in done.values()), default=0.0))
        source = self._work.source
        files = f"'{source.files[0]}'" + (f" and {len(source.files) - 1:,} more" if source.files[1:] else "")
        self._progress.say(f"Reading '{self._work.selection.text}' of {files}.")
        if done:
            self._progress.say(f"Going on after {self._rows:,} rows in {len(done):,} shards that are there already.")
        self._check_refused()

    def _count(self, record: ShardRecord) -> None:
        self._done[record.index] = record
        self._rows += record.read
        self._refused += record.refused

    def _check_refused(self) -> None:
        limit = self._work.options.max_rejects
        if limit is not None and self._refused > limit:
            raise JobError(
                f"{self._refused:,} rows were refused, more than the {limit:,} that are allowed; "
                f"'{self._store.state / 'rejects'}' lists them.",
                hint="Raise --max-rejects and run the same command again: it goes on where it was.",
            )

    def _finish(self, reused: frozenset[int]) -> Summary:
        began = time.perf_counter()
        if not self._work.target.folder:
            self._progress.finishing(f"joining {len(self._done):,} shards")
        finish(self._store, [self._done[index] for index in sorted(self._done)])
        summary = self._sum_up(reused, {"join": time.perf_counter() - began})
        self._store.write_json(SUMMARY, summary.to_json())
        return summary

    def _sum_up(self, reused: frozenset[int], seconds: Mapping[str, float]) -> Summary:
        return summarise(
            [self._done[index] for index in sorted(self._done)],
            reused=reused,
            seconds={**seconds, "total": time.perf_counter() - self._began},
            output=str(self._work.target.out),
            rejects_file=str(self._store.state / REJECTS),
            model=self._model,
        )
