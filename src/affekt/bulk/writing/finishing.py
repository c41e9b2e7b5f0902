"""From committed shards to the output: joined into one file, or left as a folder with its manifest."""

import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from affekt.bulk.writing.records import ShardRecord, StoredFile
from affekt.bulk.writing.store import DONE, MANIFEST, REJECTS, Store, is_whole
from affekt.files import atomic_file, fsync_folder, sha256

GROUP_ROWS = 65_536
"""Rows of a row group of a joined Parquet file."""

GROUP_BYTES = 16 * 1024 * 1024
"""A row group is closed early when its rows take this many bytes in memory."""


def finish(store: Store, records: Sequence[ShardRecord]) -> StoredFile | None:
    """Make the output out of all shards, and remove what was needed only on the way.

    A kill at any moment leaves either everything that is needed to do this again, or the finished output.

    Returns:
        The output file; None if the output is a folder.
    """
    output = None if store.target.folder else _join(store, records)
    _join_rejects(store, records)
    with atomic_file(store.state / MANIFEST) as temporary:
        temporary.write_text("".join(record.lasting().line() for record in records), encoding="utf-8")
    store.write_json(DONE, {"output": output.model_dump() if output else None, "shards": len(records)})
    store.clear_work()
    fsync_folder(store.state)
    return output


def finished(store: Store) -> bool:
    """Whether the job was brought to its end."""
    return (store.state / DONE).exists()


def intact(store: Store) -> bool:
    """Whether the output of a finished job is what was written."""
    done = json.loads((store.state / DONE).read_bytes())
    if done["output"] is not None:
        return is_whole(store.target.out, StoredFile(**done["output"]))
    records = store.manifest()
    return len(records) == done["shards"] and all(is_whole(store.parts / r.data.name, r.data) for r in records)


def _join(store: Store, records: Sequence[ShardRecord]) -> StoredFile:
    out = store.target.out
    with atomic_file(out) as temporary:
        paths = [store.parts / record.data.name for record in records]
        if store.target.format.kind == "parquet":
            _join_parquet(paths, temporary)
        else:
            _join_bytes(paths, [record.header for record in records], temporary)
        return StoredFile(name=out.name, bytes=temporary.stat().st_size, sha256=sha256(temporary))


def _join_bytes(paths: Sequence[Path], headers: Sequence[int], out: Path) -> None:
    """Parts behind one another, the header of the first only; compressed parts are complete streams of their own."""
    with open(out, "wb") as target:
        for number, (path, header) in enumerate(zip(paths, headers, strict=True)):
            with open(path, "rb") as part:
                part.seek(header if number else 0)
                shutil.copyfileobj(part, target, 1 << 20)


def _join_parquet(paths: Sequence[Path], out: Path) -> None:
    with pq.ParquetWriter(out, pq.read_schema(paths[0]), compression="zstd") as writer:
        for group in _groups(paths):
            writer.write_table(group, row_group_size=GROUP_ROWS)


def _groups(paths: Sequence[Path]) -> Iterator[pa.Table]:
    """The parts' rows in row groups, which depend on the rows alone."""
    held: list[pa.Table] = []
    rows = size = 0
    for path in paths:
        table = pq.read_table(path, memory_map=False, use_threads=False)
        if held and (rows + len(table) > GROUP_ROWS or size + table.nbytes > GROUP_BYTES):
            yield pa.concat_tables(held)
            held, rows, size = [], 0, 0
        held.append(table)
        rows += len(table)
        size += table.nbytes
    if rows:
        yield pa.concat_tables(held)


def _join_rejects(store: Store, records: Sequence[ShardRecord]) -> None:
    with atomic_file(store.state / REJECTS) as temporary, open(temporary, "wb") as target:
        for record in records:
            if record.rejects is not None:
                target.write((store.state / "rejects" / record.rejects.name).read_bytes())
