import csv
import gzip
import json
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from bulk_fakes import LABELS
from bulk_helpers import write

from affekt.bulk.options import JobOptions
from affekt.bulk.reading.chunks import ChunkReader
from affekt.bulk.reading.formats import expand
from affekt.bulk.reading.inputs import open_input
from affekt.bulk.reading.pieces import Chunk, Position
from affekt.bulk.reading.selection import Selection
from affekt.bulk.writing.columns import added_names

ROWS = [{"id": str(number), "text": f"text {number}" + "\nmore" * (number % 3 == 0)} for number in range(57)]


def write_rows(folder: Path, kind: str) -> list[Path]:
    """The rows in three files of different sizes, one of them empty but for its header."""
    parts = [ROWS[:20], [], ROWS[20:]]
    paths = [folder / f"{number}.{kind}" for number in range(3)]
    for path, part in zip(paths, parts, strict=True):
        if kind == "parquet":
            columns = {name: [row[name] for row in part] for name in ("id", "text")}
            pq.write_table(pa.table(columns, schema=pa.schema([("id", pa.string()), ("text", pa.string())])), path)
        elif kind.startswith("jsonl"):
            content = "".join(json.dumps(row) + "\n" for row in part).encode()
            write(path, gzip.compress(content) if kind.endswith("gz") else content)
        else:
            with open(path, "w", newline="", encoding="utf-8") as file:
                writer = csv.writer(file)
                writer.writerows([["id", "text"], *([row["id"], row["text"]] for row in part)])
            if kind.endswith("gz"):
                write(path, gzip.compress(path.read_bytes()))
    return paths


def reader_of(inputs: Sequence[Path], **given: object) -> ChunkReader:
    options = JobOptions.of(**given)
    source = open_input(expand(list(inputs)), options, keep_lines=False)
    return ChunkReader(source, Selection.of(source, options, added_names(LABELS, "columns", "")), options)


def chunks(reader: ChunkReader, done: dict[int, Position] | None = None) -> list[Chunk]:
    found = list(reader.unread(done or {}))
    reader.close()
    return found


@pytest.mark.parametrize("kind", ["csv", "csv.gz", "jsonl", "jsonl.gz", "parquet"])
@pytest.mark.parametrize("shard_rows", [1, 10, 19, 20, 21, 57, 1000])
def test_shards_hold_every_row_in_order_across_files(tmp_path: Path, kind: str, shard_rows: int) -> None:
    found = chunks(reader_of(write_rows(tmp_path, kind), shard_rows=shard_rows))
    assert [row for chunk in found for row in chunk.table.to_pylist()] == ROWS
    assert [text for chunk in found for text in chunk.texts] == [row["text"] for row in ROWS]
    assert [chunk.index for chunk in found] == list(range(len(found)))
    assert {chunk.read for chunk in found[:-1]} <= {shard_rows}
    assert found[-1].progress == 1.0
    assert [chunk.progress for chunk in found] == sorted(chunk.progress for chunk in found)


@pytest.mark.parametrize("kind", ["csv", "csv.gz", "jsonl", "parquet"])
@pytest.mark.parametrize("limit", [{"shard_rows": 9}, {"shard_bytes": 100}])
def test_a_shard_is_the_same_whoever_reads_it(tmp_path: Path, kind: str, limit: dict[str, int]) -> None:
    paths = write_rows(tmp_path, kind)
    whole = chunks(reader_of(paths, **limit))
    for chunk in whole:
        reader = reader_of(paths, **limit)
        alone = reader.read(chunk.index, chunk.start)
        reader.close()
        assert alone is not None
        assert (alone.table, alone.texts, alone.end, alone.read) == (chunk.table, chunk.texts, chunk.end, chunk.read)


def test_done_shards_are_passed_over(tmp_path: Path) -> None:
    paths = write_rows(tmp_path, "csv")
    whole = chunks(reader_of(paths, shard_rows=10))
    done = {chunk.index: chunk.end for chunk in whole if chunk.index in (0, 1, 4)}
    left = chunks(reader_of(paths, shard_rows=10), done)
    assert [chunk.index for chunk in left] == [2, 3, 5]
    assert [chunk.table for chunk in left] == [whole[index].table for index in (2, 3, 5)]


@pytest.mark.parametrize("kind", ["csv", "jsonl.gz", "parquet"])
def test_beginnings_are_found_without_keeping_rows(tmp_path: Path, kind: str) -> None:
    paths = write_rows(tmp_path, kind)
    whole = chunks(reader_of(paths, shard_rows=10))
    reader = reader_of(paths, shard_rows=10)
    assert list(reader.starts({2: whole[2].end})) == [(c.index, c.start) for c in whole if c.index != 2]
    reader.close()


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_an_input_without_rows_is_one_empty_shard(tmp_path: Path, kind: str) -> None:
    paths = write_rows(tmp_path, kind)
    found = chunks(reader_of([paths[1]]))
    assert [(chunk.read, len(chunk.table), chunk.table.schema.names) for chunk in found] == [(0, 0, ["id", "text"])]


def test_columns_of_several_files_are_joined_by_name(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", "id,text\n1,a\n")
    write(tmp_path / "b.csv", "text,extra\nb,x\n")
    (chunk,) = chunks(reader_of([tmp_path]))
    assert chunk.table.to_pylist() == [{"id": "1", "text": "a", "extra": None}, {"id": None, "text": "b", "extra": "x"}]


def test_an_empty_file_among_others_is_passed_over(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", "")
    write(tmp_path / "b.csv", "id,text\n1,a\n")
    (chunk,) = chunks(reader_of([tmp_path]))
    assert chunk.table.to_pylist() == [{"id": "1", "text": "a"}]


def test_rejects_and_filtered_rows_count_as_read(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", "id,text\n" + "".join(f"{n},{'x' if n % 3 else ''}\n" for n in range(30)) + "ragged\n")
    found = chunks(reader_of([tmp_path / "a.csv"], shard_rows=10, where="id >= 5"))
    assert [(c.read, c.filtered, len(c.table), len(c.rejects)) for c in found] == [
        (10, 5, 3, 2), (10, 0, 7, 3), (10, 0, 7, 3), (1, 0, 0, 1),
    ]  # fmt: skip
