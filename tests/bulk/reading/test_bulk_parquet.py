from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from affekt.bulk.reading import parquetcursor
from affekt.bulk.reading.parquetcursor import ParquetCursor
from affekt.bulk.reading.pieces import Piece, Position


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquetcursor, "BATCH", 7)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """100 rows in row groups of 30."""
    table = pa.table({"id": range(100), "text": [f"text {number}" for number in range(100)], "more": [0.5] * 100})
    pq.write_table(table, tmp_path / "in.parquet", row_group_size=30)
    return tmp_path / "in.parquet"


def cursor(path: Path, row: int = 0, schema: pa.Schema | None = None, needed: tuple[str, ...] = ()) -> ParquetCursor:
    schema = schema or pq.read_schema(path)
    return ParquetCursor(path, Position(0, row), schema, needed or tuple(schema.names), path.stat().st_size)


def pieces(reader: ParquetCursor, rows: int = 1000, room: int = 1 << 30) -> list[Piece]:
    found = [reader.read(rows, room)]
    while not found[-1].ended:
        found.append(reader.read(rows, room))
    reader.close()
    return found


def ids(found: list[Piece]) -> list[int]:
    return [value for piece in found for value in piece.table.column("id").to_pylist()]


@pytest.mark.parametrize("rows", [1, 6, 7, 8, 30, 33, 100, 101])
@pytest.mark.parametrize("start", [0, 1, 29, 30, 31, 64, 99, 100])
def test_rows_come_in_order_from_anywhere(path: Path, rows: int, start: int) -> None:
    found = pieces(cursor(path, start), rows)
    assert ids(found) == list(range(start, 100))
    assert [number for piece in found for number in piece.numbers] == list(range(start + 1, 101))
    assert found[-1].end == Position(0, 100)
    assert all(len(piece.table) == rows for piece in found[:-2])


def test_pieces_end_when_they_are_full_and_hold_at_least_a_row(path: Path) -> None:
    found = pieces(cursor(path), room=100)
    assert ids(found) == list(range(100))
    assert {len(piece.table) for piece in found[1:-2]} == {4}
    assert {len(piece.table) for piece in pieces(cursor(path), room=1)[:-1]} == {1}


def test_where_a_piece_ends_does_not_depend_on_where_reading_began(path: Path) -> None:
    ends = [piece.end for piece in pieces(cursor(path), room=150)]
    for number, end in enumerate(ends[:-1]):
        assert [piece.end for piece in pieces(cursor(path, end.row), room=150)] == ends[number + 1 :]


def test_only_needed_columns_are_read(path: Path) -> None:
    assert cursor(path, needed=("text",)).read(5, 1000).table.schema.names == ["text"]


def test_columns_that_a_file_lacks_are_null_and_types_are_widened(path: Path) -> None:
    schema = pa.schema([("id", pa.float64()), ("new", pa.string()), ("text", pa.large_string())])
    piece = cursor(path, schema=schema).read(2, 1000)
    assert piece.table.schema == schema
    assert piece.table.to_pylist() == [
        {"id": 0.0, "new": None, "text": "text 0"},
        {"id": 1.0, "new": None, "text": "text 1"},
    ]


def test_a_text_that_is_not_utf8_costs_its_row(tmp_path: Path) -> None:
    raw = pa.array([b"good", b"caf\xe9", None, b"fine"], pa.binary())
    text = pa.StringArray.from_buffers(4, raw.buffers()[1], raw.buffers()[2], raw.buffers()[0])
    pq.write_table(pa.table({"id": range(4), "text": text}), tmp_path / "a.parquet")
    piece = cursor(tmp_path / "a.parquet").read(10, 1000)
    assert piece.table.to_pydict() == {"id": [0, 2, 3], "text": ["good", None, "fine"]}
    assert piece.numbers == [1, 3, 4]
    assert [(reject.row, reject.kind, reject.reason) for reject in piece.rejects] == [
        (2, "encoding", "'text' is not utf-8: byte 0xe9 at place 4")
    ]


def test_a_file_that_is_not_parquet_is_one_reject_told_once(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    path.write_bytes(b"PAR1 and nothing more")
    schema = pa.schema([("text", pa.string())])
    (piece, last) = pieces(cursor(path, schema=schema), rows=1)
    assert [(reject.row, reject.kind) for reject in piece.rejects] == [(1, "damaged")]
    assert last.rejects == []
    assert pieces(cursor(path, row=piece.end.row, schema=schema))[0].rejects == []


def test_a_damaged_row_group_is_one_reject_of_many_rows(tmp_path: Path) -> None:
    texts = [str(value) for value in np.random.default_rng(0).random(90)]
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"text": texts}), path, row_group_size=30, compression="snappy", use_dictionary=False)
    column = pq.ParquetFile(path).metadata.row_group(1).column(0)
    content = bytearray(path.read_bytes())
    middle = column.data_page_offset + column.total_compressed_size // 2
    content[column.data_page_offset : middle] = bytes(middle - column.data_page_offset)
    path.write_bytes(content)
    found = pieces(cursor(path))
    assert [value for piece in found for value in piece.table.column("text").to_pylist()] == texts[:30] + texts[60:]
    (reject,) = [reject for piece in found for reject in piece.rejects]
    assert (reject.row, reject.rows, reject.kind) == (31, 30, "damaged")
    assert found[-1].end.row == 90


def test_how_far_it_is_is_told_in_rows(path: Path) -> None:
    reader = cursor(path)
    reader.read(25, 1 << 20)
    assert reader.fraction() == 0.25
    reader.close()


def test_long_rows_are_taken_a_few_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquetcursor, "BATCH", 2048)
    texts = [f"{number} " * 200_000 for number in range(40)]
    pq.write_table(pa.table({"text": texts}), tmp_path / "a.parquet", compression="none", use_dictionary=False)
    reader = cursor(tmp_path / "a.parquet")
    assert len(next(reader._items)) <= 10
    reader.close()
