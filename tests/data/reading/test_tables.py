import pytest

from affekt.data import ReadOptions, read_table
from affekt.errors import DataError


def test_csv_with_header(write):
    table = read_table(write("t.csv", 'text,joy\n"a, b",1\n\nc,0\n'))
    assert table.columns == ("text", "joy")
    assert list(table.column("text")) == ["a, b", "c"]
    assert list(table.lines) == [2, 4]
    assert len(table) == 2
    assert table.form == "comma-separated, a header row"


def test_tsv_without_header_numbers_its_columns(write):
    table = read_table(write("t.tsv", "hello there\t3\nbye now\t1\n"))
    assert table.columns == ("column1", "column2")
    assert list(table.column("2")) == ["3", "1"]
    assert table.form == "tab-separated, no header row"


@pytest.mark.parametrize("name", ["t.csv.gz", "T.CSV.GZ", "t.csv", "t.txt", "t"])
def test_name_endings(write, name):
    assert list(read_table(write(name, "text,joy\na b,1\nc d,0\n")).column("joy")) == ["1", "0"]


@pytest.mark.parametrize("name", ["t.jsonl", "t.ndjson", "t.jsonl.gz", "t.json"])
def test_json_lines(write, name):
    table = read_table(write(name, '{"text": "a"}\n{"text": "b"}'))
    assert list(table.column("text")) == ["a", "b"]


def test_header_delimiter_and_encoding_can_be_overruled(write):
    path = write("t.csv", "text~joy\ncaf\xe9~1\n".encode("cp1252"))
    table = read_table(path, ReadOptions(delimiter="~", header=False, encoding="cp1252"))
    assert table.columns == ("column1", "column2")
    assert list(table.column("1")) == ["text", "café"]


def test_ragged_rows_are_set_apart_with_their_lines(write):
    table = read_table(write("t.csv", 'text,joy\n"a\nb",1\nc, d,0\ne\nf,1\n'))
    assert list(table.column("text")) == ["a\nb", "f"]
    (finding,) = table.findings
    assert (finding.code, finding.severity, finding.lines) == ("ragged-rows", "error", (4, 5))
    assert "the first has 3 cells, the header has 2" in finding.message


def test_ragged_rows_without_header_are_told_by_the_usual_width(write):
    table = read_table(write("t.tsv", "hello\t1\nyou\t2\tx\nbye\t0\n"))
    assert table.findings[0].lines == (2,)
    assert "most rows have 2" in table.findings[0].message


def test_undecodable_and_nul_bytes_are_noted_with_their_lines(write):
    table = read_table(write("t.csv", b"text,joy\nplain,1\ncaf\xe9,0\nnu\0l,1\n"))
    assert [(f.code, f.severity, f.lines) for f in table.findings] == [
        ("undecodable-bytes", "warning", (3,)),
        ("nul-bytes", "warning", (4,)),
    ]


def test_a_repeated_column_is_refused(write):
    with pytest.raises(DataError, match="more than one column 'joy'"):
        read_table(write("t.csv", "text,joy,joy\na,1,0\n"))


@pytest.mark.parametrize(("name", "content"), [("t.csv", "text,joy\n"), ("t.tsv", "text\tjoy\n\n\n")])
def test_no_rows(write, name, content):
    with pytest.raises(DataError, match="has no rows below its header"):
        read_table(write(name, content))


def test_no_row_that_fits_is_told_apart_from_no_rows(write):
    with pytest.raises(DataError, match="the first has 1 cells, the header has 2"):
        read_table(write("t.csv", "text,joy\nragged\n"))


def test_one_blank_name_stays_and_several_are_numbered(write):
    assert read_table(write("t.csv", ",text,joy\n0,a b,1\n")).columns == ("", "text", "joy")
    assert read_table(write("t.csv", "text,joy,,\na b,1,,\n")).columns == ("text", "joy", "column3", "column4")


def test_more_columns_than_any_table_has(write):
    with pytest.raises(DataError, match="has 10,001 columns; 10,000 is the most"):
        read_table(write("t.csv", "a," * 10_000 + "a\n"), ReadOptions(header=False))


def test_a_missing_column_lists_those_there_are(write):
    table = read_table(write("t.csv", "text,joy\na,1\n"))
    for name in ("sadness", "0", "3", "²", "99999999"):
        with pytest.raises(DataError, match="has no column") as caught:
            table.column(name)
        assert "text, joy" in caught.value.hint


def test_a_name_wins_over_a_number(write):
    table = read_table(write("t.csv", "text,1,2\na b,0,1\n"), ReadOptions(header=True))
    assert list(table.column("1")) == ["0"]
    assert list(table.column("3")) == ["1"]


def test_carriage_returns_alone_end_lines(write):
    assert list(read_table(write("t.csv", "text,joy\ra,1\rb,0\r")).lines) == [2, 3]
