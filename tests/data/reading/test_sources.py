import gzip

import pytest

from affekt.data.reading.sources import TextSource


@pytest.fixture
def source():
    lines = ["text,joy\n", '"a\n', 'b",1\n', "\n", "c,0\r\n", "d,1"]
    return TextSource(lines, [(1, 3), (4, 5), (5, 6)], (0, 1), "utf-8")


def test_rows_in_any_order_with_the_header(source, tmp_path):
    source.write([2, 0], tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_bytes() == b'text,joy\nd,1\n"a\nb",1\n'


def test_line_ends_stay(source, tmp_path):
    source.write([1], tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_bytes() == b"text,joy\nc,0\r\n"


def test_no_rows_give_the_header(source, tmp_path):
    source.write([], tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_bytes() == b"text,joy\n"


def test_gzip_is_the_same_every_time(source, tmp_path):
    source.write([0], tmp_path / "a.csv.gz")
    source.write([0], tmp_path / "b.csv.gz")
    assert (tmp_path / "a.csv.gz").read_bytes() == (tmp_path / "b.csv.gz").read_bytes()
    assert gzip.decompress((tmp_path / "a.csv.gz").read_bytes()) == b'text,joy\n"a\nb",1\n'


def test_without_header_and_in_another_encoding(tmp_path):
    source = TextSource(["café\t1\n", "thé\t0\n"], [(0, 1), (1, 2)], (0, 0), "utf-16")
    source.write([1], tmp_path / "t.tsv")
    assert (tmp_path / "t.tsv").read_text(encoding="utf-16") == "thé\t0\n"


def test_folders_are_made(source, tmp_path):
    source.write([0], tmp_path / "new" / "folder" / "t.csv")
    assert (tmp_path / "new" / "folder" / "t.csv").is_file()
