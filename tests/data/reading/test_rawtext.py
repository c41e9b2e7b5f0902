import gzip
import random
from pathlib import Path

import pytest

from affekt.data.reading.rawtext import decode, has_surrogates, read_bytes, readable
from affekt.errors import DataError, SettingError

HERE = Path("table.csv")


def test_gzip_is_known_by_content_not_by_name(tmp_path):
    path = tmp_path / "plain.csv"
    path.write_bytes(gzip.compress(b"text\nhello\n"))
    assert read_bytes(path) == b"text\nhello\n"


@pytest.mark.parametrize(
    "content",
    [
        gzip.compress(b"x" * 999, mtime=0)[:-12],
        gzip.compress(b"x" * 999, mtime=0)[:-8] + b"abcdefgh",
        b"\x1f\x8bnothing like gzip",
    ],
    ids=["cut off", "another checksum", "no gzip at all"],
)
def test_broken_gzip_is_one_sentence(tmp_path, content):
    path = tmp_path / "table.csv.gz"
    path.write_bytes(content)
    with pytest.raises(DataError, match="is broken gzip"):
        read_bytes(path)


def test_what_may_not_be_read_is_one_sentence(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(DataError, match="cannot be read: Permission denied"):
        read_bytes(tmp_path / "table.csv")


def test_missing_empty_and_folder(tmp_path):
    with pytest.raises(DataError, match="There is no file"):
        read_bytes(tmp_path / "nothing.csv")
    with pytest.raises(DataError, match="is a folder"):
        read_bytes(tmp_path)
    for content in (b"", b"\n \r\n"):
        (tmp_path / "empty.csv").write_bytes(content)
        with pytest.raises(DataError, match="is empty"):
            read_bytes(tmp_path / "empty.csv")


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"PK\x03\x04" + bytes(50), "Excel"),
        (b"PAR1" + bytes(50), "Parquet"),
        (b"BZh91AY" + bytes(50), "bzip2"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40, "binary file"),
        (b"\x00" * 100, "binary file"),
        (random.Random(0).randbytes(100_000), "binary file"),
    ],
    ids=["zip", "parquet", "bzip2", "picture", "zeros", "noise"],
)
def test_binary_files_are_refused(content, what):
    with pytest.raises(DataError, match=what):
        decode(content, HERE)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_byte_order_marks_win_and_vanish(encoding):
    raw = decode("text,joy\ncafé 😀,1\n".encode(encoding), HERE)
    assert raw.text == "text,joy\ncafé 😀,1\n"
    assert raw.clean
    assert raw.encoding == encoding


def test_invalid_bytes_are_kept_so_that_they_can_be_written_back():
    content = b"caf\xe9 \xff"
    raw = decode(content, HERE)
    assert not raw.clean
    assert has_surrogates(raw.text)
    assert raw.text.encode("utf-8", "surrogateescape") == content
    assert readable(raw.text) == "caf� �"


def test_another_encoding_can_be_named():
    assert decode(b"caf\xe9", HERE, "cp1252").text == "café"
    with pytest.raises(SettingError, match="klingon"):
        decode(b"hello", HERE, "klingon")
    with pytest.raises(DataError, match="is not utf-16"):
        decode(b"\xff\xfea", HERE)


def test_a_few_control_characters_are_still_text():
    assert decode(b"hello\x00world, \x07 bell" + b" and more" * 20, HERE).text.startswith("hello\0world")


def test_readable_leaves_text_alone():
    assert readable("naïve 😀") == "naïve 😀"
    assert not has_surrogates("naïve 😀")
