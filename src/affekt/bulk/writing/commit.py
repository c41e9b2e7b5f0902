"""One shard from rows to committed files: the same for every engine."""

import json
import time
from collections import Counter
from pathlib import Path

from affekt.bulk.answers import Answers, answer
from affekt.bulk.reading.pieces import Chunk
from affekt.bulk.recall import Recall
from affekt.bulk.scoring import Scorer
from affekt.bulk.work import Work
from affekt.bulk.writing.columns import with_answers
from affekt.bulk.writing.encoding import Written, write_shard
from affekt.bulk.writing.records import ShardRecord, StoredFile
from affekt.bulk.writing.store import Store

DECIMALS = 6
"""Of scores in text files; Parquet has all of their bits."""


def score_chunk(scorer: Scorer, chunk: Chunk, recall: Recall | None) -> tuple[Answers, float]:
    """The answers of a shard's rows, and the seconds that took.

    Args:
        scorer: the model.
        chunk: the rows.
        recall: scores of earlier shards, to which this shard's are added.
    """
    began = time.perf_counter()
    answers = answer(scorer, chunk.texts, recall)
    if recall is not None:
        recall.add(answers.generation)
    return answers, time.perf_counter() - began


def commit_chunk(work: Work, store: Store, chunk: Chunk, answers: Answers, scoring: float) -> ShardRecord:
    """Write a shard's files, then its record: from then on it counts.

    Args:
        work: the job.
        store: where shards are kept.
        chunk: the rows.
        answers: of the rows.
        scoring: seconds that took.
    """
    began = time.perf_counter()
    written: list[Written] = []
    data = store.put(
        store.parts,
        f"part-{chunk.index:06d}{work.target.format.suffix}",
        lambda path: written.append(_write(work, chunk, answers, path)),
    )
    record = ShardRecord(
        index=chunk.index,
        start=chunk.start,
        end=chunk.end,
        read=chunk.read,
        written=len(chunk.table),
        refused=sum(reject.rows for reject in chunk.rejects),
        kept=0 if answers.missing is None else int(answers.missing.sum()),
        filtered=chunk.filtered,
        reasons=_reasons(chunk),
        labels=dict(zip(answers.labels, answers.counts().tolist(), strict=True)),
        none=answers.without(),
        header=written[0].header,
        neutralised=written[0].neutralised,
        scored=answers.scored,
        saved=answers.saved,
        remembered=len(answers.generation.keys),
        data=data,
        rejects=_put_rejects(store, chunk),
        memory=_put_memory(store, chunk.index, answers) if work.options.cache else None,
        share=chunk.progress,
        seconds={"read": chunk.seconds, "score": scoring, "write": time.perf_counter() - began},
    )
    store.commit(record, work.options.cache)
    return record


def _write(work: Work, chunk: Chunk, answers: Answers, path: Path) -> Written:
    options, kind = work.options, work.target.format
    decimals = None if kind.kind == "parquet" else DECIMALS
    table = with_answers(chunk.table, answers, options.scores, options.prefix, decimals)
    return write_shard(table, path, kind, neutralise=options.neutralise)


def _reasons(chunk: Chunk) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for reject in chunk.rejects:
        counts[reject.kind] += reject.rows
    return dict(sorted(counts.items()))


def _put_rejects(store: Store, chunk: Chunk) -> StoredFile | None:
    if not chunk.rejects:
        return None
    lines = "".join(json.dumps(reject.to_dict(), ensure_ascii=False) + "\n" for reject in chunk.rejects)
    return store.put(
        store.state / "rejects", f"{chunk.index:06d}.jsonl", lambda path: path.write_text(lines, encoding="utf-8")
    )


def _put_memory(store: Store, index: int, answers: Answers) -> StoredFile:
    return store.put(store.state / "memory", f"{index:06d}.bin", answers.generation.save)
