import csv
import gzip
import io
from pathlib import Path

import pytest
from bulk_helpers import write
from hypothesis import example, given, settings
from hypothesis import strategies as st

from affekt.bulk.reading import rows
from affekt.bulk.reading.dialect import Dialect
from affekt.bulk.reading.pieces import Position, Reject
from affekt.bulk.reading.rows import RowReader
from affekt.bulk.reading.streams import Lines

CSV = Dialect(",", header=True, quoted=True)
START = Position()
TSV = Dialect("\t", header=True, quoted=False)


def everything(path: Path, dialect: Dialect = CSV, width: int = 2, start: Position = START) -> list[list[str] | Reject]:
    lines = Lines(path, start.offset)
    reader = RowReader(lines, dialect, path.name, start, width)
    if dialect.header and not start.offset:
        reader.header()
    found = []
    while (row := reader.next()) is not None:
        found.append(row)
    lines.close()
    return found


def read(path: Path, dialect: Dialect = CSV, width: int = 2) -> tuple[list[list[str]], list[Reject]]:
    found = everything(path, dialect, width)
    return [row for row in found if not isinstance(row, Reject)], [row for row in found if isinstance(row, Reject)]


CELL = st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\0"), max_size=12)
TABLE = st.lists(st.lists(CELL, min_size=2, max_size=2), max_size=12)


@given(TABLE)
@example([["a\r", "b"], ["\n", '"']])
@example([["", ""], ["\ufeff", "x"]])
@settings(max_examples=150, deadline=None)
def test_what_csv_writes_comes_back(tmp_path_factory: pytest.TempPathFactory, table: list[list[str]]) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows([["a", "b"], *table])
    path = write(tmp_path_factory.mktemp("rows") / "a.csv", text.getvalue())
    assert read(path) == (table, [])


@given(TABLE, st.integers(0, 12))
@settings(max_examples=60, deadline=None)
def test_reading_goes_on_at_any_row(tmp_path_factory: pytest.TempPathFactory, table: list[list[str]], at: int) -> None:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([["a", "b"], *table])
    path = write(tmp_path_factory.mktemp("rows") / "a.csv", text.getvalue())
    lines = Lines(path)
    reader = RowReader(lines, CSV, "a.csv", width=2)
    reader.header()
    for _ in range(at):
        reader.next()
    start = Position(0, reader.row, reader.offset)
    lines.close()
    assert everything(path, start=start) == everything(path)[at:]


@given(st.binary(max_size=300))
@example(b'a,b\n1,"x\n2,y\n')
@example(b'a,b\n"1\n"2\n"3\n')
@example(b"a,b\n1,\xff\n\xfe,2\n")
@settings(max_examples=300, deadline=None)
def test_no_bytes_stop_the_reader_or_lose_a_line(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = write(tmp_path_factory.mktemp("rows") / "a.csv", b"a,b\n" + content)
    lines = Lines(path)
    reader = RowReader(lines, CSV, "a.csv", width=2)
    reader.header()
    offset, count = reader.offset, 0
    while (row := reader.next()) is not None:
        count += 1
        assert reader.offset > offset
        assert not isinstance(row, Reject) or row.row == count
        offset = reader.offset
    assert reader.row == count
    lines.close()


def test_a_row_of_another_width_is_refused_alone(tmp_path: Path) -> None:
    good, bad = read(write(tmp_path / "a.csv", "a,b\n1,2\n3\n4,5,6\n\n7,8\n"))
    assert good == [["1", "2"], ["7", "8"]]
    assert [(reject.row, reject.kind, reject.reason) for reject in bad] == [
        (2, "ragged", "it has 1 cell where 2 are expected"),
        (3, "ragged", "it has 3 cells where 2 are expected"),
    ]
    assert [reject.content for reject in bad] == ["3", "4,5,6"]
    assert [reject.offset for reject in bad] == [8, 10]


def test_a_quote_that_is_never_closed_costs_one_row(tmp_path: Path) -> None:
    good, bad = read(write(tmp_path / "a.csv", 'a,b\n1,2\n3,"x\n4,5\n6,7\n'))
    assert good == [["1", "2"], ["4", "5"], ["6", "7"]]
    assert [(reject.row, reject.kind, reject.content) for reject in bad] == [(2, "quoting", '3,"x')]


def test_two_stray_quotes_cost_two_rows(tmp_path: Path) -> None:
    good, bad = read(write(tmp_path / "a.csv", 'a,b\n1,2\n3,"x\n4,5\n"6,7\n8,9\n'))
    assert ["8", "9"] in good
    assert ["1", "2"] in good
    assert {reject.content for reject in bad} == {'3,"x', '"6,7'}


def test_a_quote_does_not_swallow_more_than_a_cell_may_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "CELL_LIMIT", 1000)
    content = 'a,b\n1,"x\n' + "".join(f"{number},y\n" for number in range(1000)) + '5,"z"\n'
    good, bad = read(write(tmp_path / "a.csv", content))
    assert len(good) == 1001
    assert [(reject.row, reject.kind) for reject in bad] == [(1, "quoting")]


def test_a_broken_last_line_is_refused(tmp_path: Path) -> None:
    good, bad = read(write(tmp_path / "a.csv", 'a,b\n1,2\n3,"and then'))
    assert good == [["1", "2"]]
    assert [(reject.row, reject.kind, reject.content) for reject in bad] == [(2, "quoting", '3,"and then')]


def test_a_last_line_without_its_end_is_read(tmp_path: Path) -> None:
    assert read(write(tmp_path / "a.csv", "a,b\n1,2")) == ([["1", "2"]], [])


def test_bytes_that_are_not_utf8_cost_their_row(tmp_path: Path) -> None:
    good, bad = read(write(tmp_path / "a.csv", b'a,b\n1,caf\xe9\n2,ok\n3,"x\n\xff"\n4,ok\n'))
    assert good == [["2", "ok"], ["4", "ok"]]
    assert [reject.reason for reject in bad] == [
        "it is not utf-8: byte 0xe9 at place 6 of the line",
        "it is not utf-8: byte 0xff at place 1 of the line",
    ]
    assert bad[0].content == r"1,caf\xe9"
    assert [reject.row for reject in bad] == [1, 3]


def test_other_encodings_are_read(tmp_path: Path) -> None:
    dialect = Dialect(",", header=True, quoted=True, encoding="cp1252")
    assert read(write(tmp_path / "a.csv", b"a,b\n1,caf\xe9\n"), dialect) == ([["1", "café"]], [])


def test_a_line_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "LINE_LIMIT", 100)
    monkeypatch.setattr("affekt.bulk.reading.streams.LINE_LIMIT", 100)
    good, bad = read(write(tmp_path / "a.csv", "a,b\n1," + "x" * 500 + "\n2,y\n"))
    assert good == [["2", "y"]]
    assert [(reject.kind, reject.row) for reject in bad] == [("too-long", 1)]


def test_a_truncated_gzip_is_told_once_at_its_torn_row(tmp_path: Path) -> None:
    body = "a,b\n" + "".join(f"{number},text {number * 7919 % 10007}\n" for number in range(5000))
    whole = gzip.compress(body.encode(), mtime=0)
    good, bad = read(write(tmp_path / "a.csv.gz", whole[: len(whole) * 2 // 3]))
    assert good == [[str(n), f"text {n * 7919 % 10007}"] for n in range(len(good))]
    assert len(good) > 1000
    assert [(reject.kind, reject.row) for reject in bad] == [("truncated", len(good) + 1)]
    assert bad[0].reason.startswith("the gz file is truncated")


def test_damage_between_two_rows_is_told_in_a_row_of_its_own(tmp_path: Path) -> None:
    packed = gzip.compress(b"a,b\n1,2\n3,4\n", mtime=0)
    good, bad = read(write(tmp_path / "a.csv.gz", packed[:-8]))
    assert good == [["1", "2"], ["3", "4"]]
    assert [(reject.kind, reject.row) for reject in bad] == [("truncated", 3)]
    assert bad[0].reason.endswith("what followed is lost")


@pytest.mark.parametrize("cut", [8, 20, 30])
def test_damage_is_not_told_again_when_reading_goes_on_behind_it(tmp_path: Path, cut: int) -> None:
    packed = gzip.compress(b"a,b\n1,2\n3,4\n5," + bytes(range(97, 122)) * 3 + b"\n", mtime=0)
    path = write(tmp_path / "a.csv.gz", packed[:-cut])
    lines = Lines(path)
    reader = RowReader(lines, CSV, "a", width=2)
    reader.header()
    seen = []
    while (row := reader.next()) is not None:
        seen.append(row)
    assert isinstance(seen[-1], Reject)
    lines.close()
    assert everything(path, start=Position(0, reader.row, reader.offset)) == []


def test_without_quoting_a_line_is_a_row(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tsv", 'a\tb\n1\t"so" he said\n2\t"it ""is"""\n3\t"\n\n4\tx\ty\n')
    good, bad = read(path, TSV)
    assert good == [["1", '"so" he said'], ["2", 'it "is"'], ["3", '"']]
    assert [(reject.row, reject.kind) for reject in bad] == [(4, "ragged")]


def test_a_file_of_blank_lines_has_no_rows(tmp_path: Path) -> None:
    assert read(write(tmp_path / "a.csv", "a,b\n\n\r\n\n")) == ([], [])


@pytest.mark.parametrize("content", ["", "\n\n", '"never closed'])
def test_a_header_that_is_not_there_or_torn_is_none(tmp_path: Path, content: str) -> None:
    lines = Lines(write(tmp_path / "a.csv", content))
    assert RowReader(lines, CSV, "a").header() is None
    lines.close()


def test_a_carriage_return_in_an_unquoted_cell_costs_its_row(tmp_path: Path) -> None:
    good, bad = read(write(tmp_path / "a.csv", "a,b\n1,x\ry\n2,z\r\n"))
    assert good == [["2", "z"]]
    assert [(reject.kind, reject.row) for reject in bad] == [("quoting", 1)]
