import gzip
from pathlib import Path

import pytest
import zstandard
from bulk_helpers import write
from hypothesis import given, settings
from hypothesis import strategies as st

from affekt.bulk.reading import streams
from affekt.bulk.reading.streams import Lines
from affekt.errors import DataError


def lines_of(path: Path, offset: int = 0) -> tuple[list[bytes], str]:
    source = Lines(path, offset)
    try:
        found = []
        while line := source.next():
            found.append(line)
        return found, source.damage
    finally:
        source.close()


def packed(content: bytes, compression: str) -> bytes:
    return gzip.compress(content, mtime=0) if compression == "gz" else zstandard.ZstdCompressor().compress(content)


CONTENT = b"".join(b"line %d %s\n" % (number, b"x" * (number % 90)) for number in range(3000))


@pytest.mark.parametrize("suffix", ["", ".gz", ".zst"])
def test_lines_come_as_they_are(tmp_path: Path, suffix: str) -> None:
    content = packed(CONTENT, suffix[1:]) if suffix else CONTENT
    found, damage = lines_of(write(tmp_path / f"a.csv{suffix}", content))
    assert b"".join(found) == CONTENT
    assert len(found) == 3000
    assert not damage


@pytest.mark.parametrize("suffix", ["", ".gz", ".zst"])
@given(number=st.integers(0, 3000))
@settings(max_examples=15, deadline=None)
def test_reading_goes_on_at_any_offset(tmp_path_factory: pytest.TempPathFactory, suffix: str, number: int) -> None:
    path = tmp_path_factory.mktemp("lines") / f"a.csv{suffix}"
    write(path, packed(CONTENT, suffix[1:]) if suffix else CONTENT)
    expected = CONTENT.splitlines(keepends=True)
    offset = sum(map(len, expected[:number]))
    assert lines_of(path, offset)[0] == expected[number:]


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_several_members_are_one_stream(tmp_path: Path, suffix: str) -> None:
    parts = packed(b"a\nb", suffix[1:]) + packed(b"c\n", suffix[1:]) + packed(b"", suffix[1:])
    assert lines_of(write(tmp_path / f"a.csv{suffix}", parts)) == ([b"a\n", b"bc\n"], "")


def test_zero_padding_behind_gzip_is_passed_over(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv.gz", packed(b"a\n", "gz") + bytes(512))
    assert lines_of(path) == ([b"a\n"], "")


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_a_truncated_file_gives_what_it_has_and_says_so(tmp_path: Path, suffix: str) -> None:
    whole = packed(b"\n".join(b"%d" % (n * 7919 % 100003) for n in range(200_000)), suffix[1:])
    found, damage = lines_of(write(tmp_path / f"a.csv{suffix}", whole[: len(whole) // 2]))
    assert len(found) > 10_000
    assert damage == f"the {suffix[1:]} file is truncated"


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_a_damaged_file_ends_where_the_damage_is(tmp_path: Path, suffix: str) -> None:
    whole = bytearray(packed(b"\n".join(b"%d" % (n * 7919 % 100003) for n in range(200_000)), suffix[1:]))
    middle = len(whole) // 2
    whole[middle : middle + 64] = bytes(64)
    found, damage = lines_of(write(tmp_path / f"a.csv{suffix}", bytes(whole)))
    assert 0 < len(found) < 200_000
    assert "is damaged" in damage


@pytest.mark.parametrize("content", [b"", b"not compressed at all\n"])
def test_what_is_not_compressed_is_damage_or_nothing(tmp_path: Path, content: bytes) -> None:
    found, damage = lines_of(write(tmp_path / "a.csv.gz", content))
    assert found == []
    assert ("damaged" in damage) is bool(content)


def test_a_highly_compressed_file_comes_out_in_small_steps(tmp_path: Path) -> None:
    """4 GB would come out of a few hundred kilobytes; no step may hold much of it."""
    path = write(tmp_path / "a.csv.zst", zstandard.ZstdCompressor().compress(bytes(64_000_000)))
    raw = streams.Decompressed(path, "zst")
    buffer = bytearray(1 << 16)
    largest = 0
    while raw.readinto(buffer):
        largest = max(largest, len(raw._ready))
    raw.close()
    assert largest <= 32 * 1024 * 1024 + 128 * 1024


def test_a_byte_order_mark_is_passed_over(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", b"\xef\xbb\xbftext\n")
    source = Lines(path)
    assert source.offset == 3
    assert source.next() == b"text\n"
    source.close()


@pytest.mark.parametrize("mark", [b"\xff\xfe", b"\xfe\xff"])
def test_utf16_is_damage_that_says_the_way_out(tmp_path: Path, mark: bytes) -> None:
    found, damage = lines_of(write(tmp_path / "a.csv", mark + b"t\0\n\0"))
    assert found == []
    assert damage == "the file is UTF-16 and must be converted to UTF-8 first"


def test_a_file_that_cannot_be_opened_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be opened"):
        Lines(tmp_path / "absent.csv")


def test_an_endless_line_is_cut_and_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "LINE_LIMIT", 100)
    path = write(tmp_path / "a.csv", b"a\n" + b"y" * 3_000_000 + b"\nb\n")
    source = Lines(path)
    assert source.next() == b"a\n"
    assert source.next() == b"y" * 100
    assert source.offset == 3_000_003
    assert source.next() == b"b\n"
    source.close()


def test_compressed_progress_is_told_in_bytes_of_the_file(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv.gz", packed(CONTENT, "gz"))
    source = Lines(path)
    while source.next():
        pass
    assert source.consumed() == path.stat().st_size
    source.close()


def test_archives_packed_with_a_long_window_are_read(tmp_path: Path) -> None:
    settings = zstandard.ZstdCompressionParameters(window_log=28, compression_level=1)
    packer = zstandard.ZstdCompressor(compression_params=settings).compressobj()
    path = write(tmp_path / "a.jsonl.zst", packer.compress(b"{}\n" * 1000) + packer.flush())
    assert lines_of(path) == ([b"{}\n"] * 1000, "")
