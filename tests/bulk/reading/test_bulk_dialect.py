from pathlib import Path

import pytest
from bulk_helpers import write

from affekt.bulk.reading.dialect import Dialect, check_encoding, column_names, detect
from affekt.errors import DataError, SettingError


def found(path: Path, **given: object) -> Dialect:
    return detect(path, **{"delimiter": None, "header": None, "encoding": "utf-8", **given})  # type: ignore[arg-type]


@pytest.mark.parametrize("delimiter", [",", ";", "|", "\t"])
def test_the_delimiter_is_found(tmp_path: Path, delimiter: str) -> None:
    rows = "\n".join(delimiter.join(row) for row in (["id", "text"], ["1", "a"], ["2", "b"]))
    assert found(write(tmp_path / "a.csv", rows)).delimiter == delimiter


def test_what_is_given_is_not_looked_for(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "id;text\n1;a\n")
    assert found(path, delimiter=",", header=False) == Dialect(",", header=False, quoted=True)


def test_a_header_is_known_by_its_names(tmp_path: Path) -> None:
    assert found(write(tmp_path / "a.csv", "id,text\n1,a\n")).header
    assert not found(write(tmp_path / "b.tsv", "My favourite food is anything I did not cook.\t27\teebbqej\n")).header


def test_bare_quotes_in_a_rectangular_tsv_mean_no_quoting(tmp_path: Path) -> None:
    assert not found(write(tmp_path / "a.tsv", 'id\ttext\n1\t"so" he said\n2\t"\n')).quoted
    assert found(write(tmp_path / "b.tsv", 'id\ttext\n1\t"two\nlines"\n')).quoted
    assert not found(write(tmp_path / "c.tsv", "id\ttext\n1\tx\n")).quoted


def test_csv_is_always_quoted(tmp_path: Path) -> None:
    assert found(write(tmp_path / "a.csv", "id,text\n1,x\n")).quoted


def test_undecodable_bytes_do_not_stop_the_search(tmp_path: Path) -> None:
    assert found(write(tmp_path / "a.csv", b"id,text\n1,caf\xe9\n")).header


@pytest.mark.parametrize("content", ["", "\n\n\r\n"])
def test_an_empty_file_is_refused(tmp_path: Path, content: str) -> None:
    with pytest.raises(DataError, match="is empty"):
        found(write(tmp_path / "a.csv", content))


def test_carriage_returns_alone_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="carriage returns"):
        found(write(tmp_path / "a.csv", "id,text\r1,a\r2,b\r"))


@pytest.mark.parametrize(
    ("encoding", "message"), [("klingon", "no encoding"), ("utf-16", "cannot be read in a stream")]
)
def test_encodings_that_cannot_be_read_are_refused(encoding: str, message: str) -> None:
    with pytest.raises(SettingError, match=message):
        check_encoding(encoding)


def test_columns_have_names_or_numbers() -> None:
    assert column_names(Path("a"), [" id ", "text"], Dialect(",", header=True, quoted=True)) == ("id", "text")
    assert column_names(Path("a"), ["7", "x"], Dialect(",", header=False, quoted=True)) == ("column1", "column2")


def test_two_columns_of_one_name_are_refused() -> None:
    with pytest.raises(DataError, match="more than one column 'a'"):
        column_names(Path("f"), ["a", "a "], Dialect(",", header=True, quoted=True))
