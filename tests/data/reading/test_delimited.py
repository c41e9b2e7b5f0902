import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from affekt.data.reading.delimited import guess_delimiter, parse, usual_width
from affekt.errors import DataError

HERE = Path("table.tsv")
CELLS = st.text(st.characters(codec="utf-8"), max_size=12)


def rows(text, delimiter=","):
    return parse(text, delimiter, HERE).cells


def test_quotes_hold_separators_line_ends_and_quotes():
    text = 'a,"b, c"\n"d\ne","say ""hi"""\n'
    records = parse(text, ",", HERE)
    assert records.cells == [["a", "b, c"], ["d\ne", 'say "hi"']]
    assert records.spans == [(0, 1), (1, 3)]
    assert "".join(records.lines) == text


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_line_end(end):
    assert rows(f"a,b{end}c,d{end}") == [["a", "b"], ["c", "d"]]


def test_blank_lines_are_left_out_but_counted():
    records = parse("a,b\n\n\nc,d\n", ",", HERE)
    assert records.cells == [["a", "b"], ["c", "d"]]
    assert records.spans[1] == (3, 4)


def test_a_text_of_ten_megabytes_is_one_cell():
    assert len(rows("x" * 10_000_000 + ",1\n")[0][0]) == 10_000_000


def test_an_unclosed_quote_names_its_line():
    with pytest.raises(DataError, match="row at line 2 is never closed"):
        parse('a,b\n"c,d\ne,f\n', ",", HERE)


def test_stray_quotes_are_read_and_reported():
    records = parse('a,b\n"c" d,e\nf,g\n', ",", HERE)
    assert records.cells == [["a", "b"], ["c d", "e"], ["f", "g"]]
    assert [(finding.code, finding.lines) for finding in records.findings] == [("stray-quotes", (2,))]


def test_tab_separated_text_without_quoting_is_read_line_by_line():
    text = '"Hello" he said\t1\n"never closed\t2\nplain\t3\n'
    assert rows(text, "\t") == [['"Hello" he said', "1"], ['"never closed', "2"], ["plain", "3"]]


def test_tab_separated_text_with_quoting_is_unquoted():
    assert rows('"say ""hi"" "\t1\nplain\t2\n', "\t") == [['say "hi" ', "1"], ["plain", "2"]]


def test_a_lone_quote_in_tab_separated_text_is_a_character():
    assert rows('a "b\t1\n"c"d"\t2\n"e ""f""\t3\n', "\t") == [['a "b', "1"], ['"c"d"', "2"], ['"e ""f""', "3"]]


def test_quoted_line_ends_in_tab_separated_text():
    assert rows('"two\nlines"\t1\nplain\t2\n', "\t") == [["two\nlines", "1"], ["plain", "2"]]


def test_nul_bytes_stay():
    assert rows('"a\0""b"\tc\nd\te\n', "\t") == [['a\0"b', "c"], ["d", "e"]]


def test_goemotions_reads_the_same_with_the_csv_module(data_dir):
    text = (data_dir / "goemotions" / "dev.tsv").read_text(encoding="utf-8")
    assert rows(text, "\t") == list(csv.reader(io.StringIO(text, newline=""), delimiter="\t", strict=True))


@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=8), st.sampled_from(",;\t|"))
def test_what_the_csv_module_writes_comes_back(table, delimiter):
    buffer = io.StringIO(newline="")
    csv.writer(buffer, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows(table)
    assert rows(buffer.getvalue(), delimiter) == [list(row) for row in table]


@given(st.text(st.sampled_from('ab",;\t|\n\r\0 é'), max_size=60), st.sampled_from(",;\t|"))
def test_any_text_gives_rows_or_one_sentence(text, delimiter):
    try:
        records = parse(text, delimiter, HERE)
    except DataError:
        return
    assert len(records.cells) == len(records.spans)
    assert all(start < end for start, end in records.spans)
    assert "".join(records.lines) == text


@pytest.mark.parametrize(
    ("text", "suffix", "expected"),
    [
        ("text,joy\na b,1\nc d,0\n", ".csv", ","),
        ("text;joy\na, b, c;1\nd;0\n", ".csv", ";"),
        ("text|joy\na b|1\nd|0\n", ".txt", "|"),
        ("a\t1\nb\t2\n", ".csv", "\t"),
        ("a, b\t1\nc, d\t2\n", ".tsv", "\t"),
        ('"a, b\t1\nc, d\t2\n', ".tsv", "\t"),
        ("a,b\nc\tc,d\ne,f\n", ".tsv", ","),
        ("one column\nonly\n", ".csv", ","),
        ("one column\nonly\n", ".tsv", "\t"),
        ("a,b\nc,d\n", ".tsv", ","),
        ('"' + "x" * 300_000 + '",1\nb,0\n', ".csv", ","),
    ],
)
def test_guess_delimiter(text, suffix, expected):
    assert guess_delimiter(text, suffix) == expected


def test_usual_width_is_the_most_frequent():
    assert usual_width([["a", "b"], ["a"], ["c", "d"]]) == 2
