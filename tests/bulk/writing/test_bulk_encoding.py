import csv
import gzip
import io
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import example, given, settings
from hypothesis import strategies as st

from affekt.bulk.reading.formats import Format, format_named
from affekt.bulk.reading.jsonreader import RAW
from affekt.bulk.writing import encoding
from affekt.bulk.writing.encoding import Written, write_shard

CELL = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=10)


def written(table: pa.Table, path: Path, name: str, *, neutralise: bool = False) -> bytes:
    write_shard(table, path, format_named(name), neutralise=neutralise)
    return path.read_bytes()


def unpacked(content: bytes, compression: str) -> bytes:
    if compression == "gz":
        return gzip.decompress(content)
    with zstandard.ZstdDecompressor().stream_reader(content, read_across_frames=True) as stream:
        found: bytes = stream.read()
    return found


@given(st.lists(st.tuples(CELL, CELL), max_size=6))
@example([("a\rb", "c"), ("plain", "d")])
@example([("", "")])
@settings(max_examples=100, deadline=None)
def test_csv_comes_back_cell_for_cell(tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]) -> None:
    table = pa.table({"a": pa.array([row[0] for row in rows], pa.string()), "b": [row[1] for row in rows]})
    content = written(table, tmp_path_factory.mktemp("csv") / "x", "csv").decode()
    assert list(csv.reader(io.StringIO(content, newline=""))) == [["a", "b"], *map(list, rows)]


@pytest.mark.parametrize("compression", ["gz", "zst"])
def test_the_header_can_be_left_out_of_compressed_parts(tmp_path: Path, compression: str) -> None:
    table = pa.table({"a": ["1", "2"]})
    result = write_shard(table, tmp_path / "x", Format("csv", compression), neutralise=True)  # type: ignore[arg-type]
    content = (tmp_path / "x").read_bytes()
    assert unpacked(content, compression) == b"a\n1\n2\n"
    assert unpacked(content[result.header :], compression) == b"1\n2\n"
    assert unpacked(content + content[result.header :], compression) == b"a\n1\n2\n1\n2\n"


@pytest.mark.parametrize("name", ["csv", "csv.gz", "tsv.zst", "jsonl", "jsonl.gz", "parquet"])
def test_the_same_rows_are_the_same_bytes(tmp_path: Path, name: str) -> None:
    table = pa.table({"a": [f"text {n}" for n in range(500)], "b": np.arange(500, dtype=np.float32) / 7})
    assert written(table, tmp_path / "x", name) == written(
        pa.concat_tables([table[:99], table[99:]]), tmp_path / "y", name
    )


@pytest.mark.parametrize("name", ["csv", "csv.gz", "jsonl", "jsonl.zst"])
def test_rows_are_written_a_block_at_a_time(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    table = pa.table({"a": [f"text {n}\r" if n == 7 else f"text {n}" for n in range(50)]})
    whole = written(table, tmp_path / "x", name)
    monkeypatch.setattr(encoding, "BLOCK", 3)
    parts = written(table, tmp_path / "y", name)
    compression = format_named(name).compression
    assert (unpacked(parts, compression) == unpacked(whole, compression)) if compression else (parts == whole)


@pytest.mark.parametrize("name", ["csv", "csv.gz", "tsv", "jsonl.zst", "parquet"])
def test_no_rows_are_a_file_too(tmp_path: Path, name: str) -> None:
    table = pa.table({"a": pa.array([], pa.string())})
    content = written(table, tmp_path / "x", name)
    assert (content == b"") is name.startswith("jsonl")


def test_formulas_are_counted(tmp_path: Path) -> None:
    table = pa.table({"=a": ["=1", "-2", "x"], "b": ["@x", "", "+"]})
    result = write_shard(table, tmp_path / "x", Format("csv"), neutralise=True)
    assert (tmp_path / "x").read_text() == "'=a,b\n'=1,'@x\n-2,\nx,'+\n"
    assert result == Written(header=len("'=a,b\n"), neutralised=3)
    assert write_shard(table, tmp_path / "x", Format("jsonl"), neutralise=True) == Written()


def test_tabs_and_line_ends_in_tsv_are_quoted(tmp_path: Path) -> None:
    content = written(pa.table({"a": ["x\ty", "x\ny", 'so "he" said']}), tmp_path / "x", "tsv").decode()
    assert content == 'a\n"x\ty"\n"x\ny"\n"so ""he"" said"\n'


def test_json_lines_keep_their_source_text(tmp_path: Path) -> None:
    lines = ['{"a": 1.10, "b":1e400}', "{}", '{"x" : {"y":[]} }', '{ "big": 123456789012345678901234567890}']
    table = pa.table(
        {RAW: lines, "emotions": [["joy"], [], None, ["é"]], "joy": pa.array([0.5, None, 0.1, 1], pa.float32())}
    )
    assert written(table, tmp_path / "x", "jsonl").decode().splitlines() == [
        '{"a": 1.10, "b":1e400, "emotions": ["joy"], "joy": 0.5}',
        '{"emotions": [], "joy": null}',
        '{"x" : {"y":[]}, "emotions": null, "joy": 0.1}',
        '{"big": 123456789012345678901234567890, "emotions": ["é"], "joy": 1.0}',
    ]


def test_columns_become_json_with_short_numbers(tmp_path: Path) -> None:
    table = pa.table(
        {
            "f32": pa.array([0.1, None, np.nan], pa.float32()),
            "list": pa.array([[0.1, 1 / 3], None, []], pa.list_(pa.float32())),
            "f64": [1 / 3, None, np.inf],
            "day": pa.array([0, None, 1], pa.date32()),
        }
    )
    rows = [json.loads(line) for line in written(table, tmp_path / "x", "jsonl").splitlines()]
    assert rows[0] == {"f32": 0.1, "list": [0.1, 0.33333334], "f64": 1 / 3, "day": "1970-01-01"}
    assert rows[1] == {"f32": None, "list": None, "f64": None, "day": None}
    assert rows[2] == {"f32": None, "list": [], "f64": None, "day": "1970-01-02"}


def test_parquet_keeps_every_type(tmp_path: Path) -> None:
    table = pa.table({"a": pa.array([1, None], pa.int16()), "b": pa.array([[1.5], None], pa.list_(pa.float32()))})
    written(table, tmp_path / "x", "parquet")
    assert pq.read_table(tmp_path / "x") == table
