import gzip
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from bulk_helpers import write

from affekt.bulk.options import JobOptions
from affekt.bulk.reading import inputs
from affekt.bulk.reading.formats import expand
from affekt.bulk.reading.inputs import Input, open_input
from affekt.bulk.reading.jsonreader import RAW
from affekt.errors import DataError


def opened(*paths: Path, keep_lines: bool = False, **given: Any) -> Input:
    return open_input(expand(list(paths)), JobOptions.of(**given), keep_lines=keep_lines)


def test_csv_columns_are_text_and_joined_by_name(tmp_path: Path) -> None:
    source = opened(write(tmp_path / "a.csv", "id,text\n1,a\n"), write(tmp_path / "b.csv", "text,new\nb,2\n"))
    assert source.schema == pa.schema([(name, pa.string()) for name in ("id", "text", "new")])
    assert source.columns == (("id", "text"), ("text", "new"))
    assert source.known == ("id", "text", "new")
    assert source.sizes == (12, 13)


def test_the_first_file_that_holds_something_decides_on_the_dialect(tmp_path: Path) -> None:
    source = opened(write(tmp_path / "a.csv", ""), write(tmp_path / "b.csv", "id;text\n1;a\n"))
    assert source.dialect is not None
    assert source.dialect.delimiter == ";"
    assert source.columns == ((), ("id", "text"))


def test_a_file_whose_first_row_cannot_be_read_has_no_columns(tmp_path: Path) -> None:
    """One bad file among many is a reject, not the end of the job."""
    torn = write(tmp_path / "a.csv.gz", b"no gzip at all\n")
    empty = write(tmp_path / "b.csv.gz", gzip.compress(b""))
    source = opened(torn, empty, write(tmp_path / "c.csv", "id,text\n1,a\n"))
    assert source.columns == ((), (), ("id", "text"))


def test_files_without_header_have_numbered_columns(tmp_path: Path) -> None:
    assert opened(write(tmp_path / "a.csv", "1,a\n2,b\n"), header=False).known == ("column1", "column2")


def test_parquet_types_are_widened_to_hold_every_file(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": pa.array([1], pa.int32()), "text": ["x"]}), tmp_path / "a.parquet")
    pq.write_table(pa.table({"a": pa.array([1.5]), "b": [True]}), tmp_path / "b.parquet")
    schema = opened(tmp_path).schema
    assert {field.name: str(field.type) for field in schema} == {"a": "double", "text": "string", "b": "bool"}


def test_parquet_types_that_cannot_be_joined_are_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": ["x"]}), tmp_path / "a.parquet")
    pq.write_table(pa.table({"a": [1]}), tmp_path / "b.parquet")
    with pytest.raises(DataError, match="columns of different types"):
        opened(tmp_path)


def test_one_readable_parquet_file_is_enough_to_begin(tmp_path: Path) -> None:
    write(tmp_path / "a.parquet", "torn")
    pq.write_table(pa.table({"text": ["x"]}), tmp_path / "b.parquet")
    assert opened(tmp_path).schema.names == ["text"]
    with pytest.raises(DataError, match="cannot be read as Parquet"):
        opened(tmp_path / "a.parquet")


def test_json_columns_come_from_the_first_objects_of_all_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inputs, "SAMPLED", 3)
    first = write(tmp_path / "a.jsonl", '{"text": "a", "n": 1}\nnot json\n')
    second = write(tmp_path / "b.jsonl", '{"text": "b", "x": [1]}\n{"m": 1}\n{"late": 1}\n')
    source = opened(first, second)
    assert [(field.name, str(field.type)) for field in source.schema] == [
        ("text", "string"), ("n", "int64"), ("x", "string"), ("m", "int64"),
    ]  # fmt: skip
    assert source.closed
    assert not opened(first, second, columns=("text",)).closed


def test_json_lines_that_stay_are_one_column(tmp_path: Path) -> None:
    source = opened(write(tmp_path / "a.jsonl", '{"text": "a"}\n'), keep_lines=True)
    assert source.raw
    assert source.schema.names == [RAW]
    assert source.known == ("text",)
    assert not opened(write(tmp_path / "b.csv", ",text\n1,a\n"), keep_lines=True).raw


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "", "is empty"),
        ("a.jsonl", "", "holds no JSON object"),
        ("a.jsonl", "[1]\nnope\n", "holds no JSON object"),
        ("a.csv", "a,a\n1,2\n", "more than one column 'a'"),
        ("a.csv", b"\xff\xfea\0", "UTF-16"),
        ("a.jsonl", b"\xfe\xff\0{", "UTF-16"),
        ("a.csv.gz", b"text\nno gzip at all\n", "cannot be read: the gz file is damaged"),
        ("a.jsonl.gz", gzip.compress(b'{"text": "a"}')[:12], "cannot be read: the gz file is truncated"),
        ("a.csv", b"\xff\xfa\n", "first row of '.*a.csv' cannot be read"),
    ],
)
def test_inputs_that_cannot_be_read_are_refused(tmp_path: Path, name: str, content: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        opened(write(tmp_path / name, content), header=True)
