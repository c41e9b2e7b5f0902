from pathlib import Path

import pytest
from bulk_helpers import write

from affekt.bulk.reading.formats import Format, expand, format_named, format_of
from affekt.errors import DataError, SettingError


@pytest.mark.parametrize(
    ("name", "kind", "compression"),
    [
        ("a.csv", "csv", ""),
        ("A.CSV", "csv", ""),
        ("a.b.tsv.gz", "tsv", "gz"),
        ("a.tab", "tsv", ""),
        ("a.ndjson.zst", "jsonl", "zst"),
        ("a.json", "jsonl", ""),
        ("a.jsonl.zstd", "jsonl", "zst"),
        ("a.parquet", "parquet", ""),
        ("a.pq", "parquet", ""),
    ],
)
def test_a_name_means_a_format(name: str, kind: str, compression: str) -> None:
    assert format_of(Path(name)) == Format(kind, compression)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["a", "a.txt", "csv", "a.gz", "a.parquet.gz", "a.csv.bz2", ".csv"])
def test_other_names_mean_none(name: str) -> None:
    assert format_of(Path(name)) is None


def test_a_format_says_its_ending() -> None:
    assert format_named("csv.gz").suffix == ".csv.gz"
    assert format_named("parquet").suffix == ".parquet"


def test_an_unknown_format_is_refused_with_the_known_ones() -> None:
    with pytest.raises(SettingError, match=r"no format 'xlsx'.*parquet"):
        format_named("xlsx")


def test_folders_patterns_and_files_become_files_in_order(tmp_path: Path) -> None:
    for name in ("b.csv", "a.csv.gz", "_success.csv", ".hidden.csv", "notes.txt"):
        write(tmp_path / name, "x")
    (tmp_path / "_part").mkdir()
    write(tmp_path / "_part" / "c.csv", "x")
    (tmp_path / "deep").mkdir()
    write(tmp_path / "deep" / "d.csv", "x")
    found = [path.relative_to(tmp_path).as_posix() for path in expand([tmp_path])]
    assert found == ["a.csv.gz", "b.csv", "deep/d.csv"]
    assert expand([str(tmp_path / "*.csv")])[-1] == tmp_path / "b.csv"
    assert expand([tmp_path / "b.csv", tmp_path]) == [
        tmp_path / "b.csv",
        tmp_path / "a.csv.gz",
        tmp_path / "deep/d.csv",
    ]


def test_a_file_with_pattern_signs_in_its_name_is_itself(tmp_path: Path) -> None:
    path = write(tmp_path / "a[1].csv", "x")
    assert expand([path]) == [path]


@pytest.mark.parametrize("name", ["absent.csv", "*.csv"])
def test_nothing_to_read_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match="no file"):
        expand([tmp_path / name])


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no file"):
        expand([tmp_path])


def test_several_formats_at_once_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", "x")
    write(tmp_path / "b.jsonl", "{}")
    with pytest.raises(DataError, match="csv, jsonl"):
        expand([tmp_path])


def test_a_name_without_a_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not say its format"):
        expand([write(tmp_path / "a.txt", "x")])
