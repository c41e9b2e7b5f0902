import os
from pathlib import Path
from typing import Any

import pytest
from bulk_helpers import write

from affekt.bulk import fingerprint as module
from affekt.bulk.fingerprint import differences, file_fingerprint, fingerprint, states


def made_of(*paths: Path, model: Any = None, **options: Any) -> dict[str, Any]:
    return fingerprint(paths, model or {"version": "1"}, {"text": "body", **options})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write(tmp_path / "a.csv", "text\nhello\n")


def test_nothing_changed_is_no_difference(path: Path) -> None:
    assert differences(made_of(path), made_of(path)) == []


def test_another_date_alone_is_no_difference_where_all_bytes_are_known(path: Path) -> None:
    before = made_of(path)
    os.utime(path, (1, 1))
    assert differences(before, made_of(path)) == []


@pytest.mark.parametrize(
    ("content", "expected"), [("text\nhallo\n", "has other content"), ("text\nhello!\n", "had 11 bytes, has 12")]
)
def test_a_changed_input_is_told(path: Path, content: str, expected: str) -> None:
    before = made_of(path)
    write(path, content)
    assert differences(before, made_of(path)) == [f"input '{path}' {expected}"]


def test_a_large_file_is_known_by_samples_and_its_date(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WHOLE", 4)
    monkeypatch.setattr(module, "_SAMPLE_BYTES", 2)
    before = made_of(path)
    assert "sampled_sha256" in before["input"][0]
    assert differences(before, made_of(path)) == []
    os.utime(path, (1, 1))
    assert differences(before, made_of(path)) == [f"input '{path}' has another date"]
    write(path, "text\nhellO\n")
    assert differences(before, made_of(path)) == [f"input '{path}' has other content"]


def test_the_first_and_the_last_bytes_are_always_sampled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WHOLE", 4)
    monkeypatch.setattr(module, "_SAMPLE_BYTES", 3)
    found = {
        file_fingerprint(write(tmp_path / "a", content))["sampled_sha256"]
        for content in (b"x" * 1000, b"y" + b"x" * 999, b"x" * 999 + b"y")
    }
    assert len(found) == 3


def test_files_that_come_or_go_are_told(path: Path, tmp_path: Path) -> None:
    other = write(tmp_path / "b.csv", "text\n")
    assert differences(made_of(path), made_of(path, other)) == [f"input '{other}' is new"]
    assert differences(made_of(path, other), made_of(path)) == [f"input '{other}' is no longer there"]
    assert differences(made_of(path, other), made_of(other, path)) == ["the input files come in another order"]


def test_a_changed_model_or_option_is_told(path: Path) -> None:
    before = made_of(path, model={"version": "1", "name": "m"}, cache=5)
    assert differences(before, made_of(path, model={"version": "2", "name": "m"}, cache=6, new=1)) == [
        "model version was 1, is 2",
        "options cache was 5, is 6",
        "options new was None, is 1",
    ]


def test_another_version_of_the_program_is_told(path: Path) -> None:
    assert differences(made_of(path) | {"affekt": "0.0.1"}, made_of(path))[0].startswith("affekt was 0.0.1, is ")


def test_long_values_are_shown_short(path: Path) -> None:
    (found,) = differences(made_of(path, columns=["x" * 30] * 9), made_of(path, columns=[]))
    assert len(found) < 120


def test_a_file_that_was_touched_is_noticed(path: Path) -> None:
    before = states([path])
    assert states([path]) == before
    os.utime(path, (1, 1))
    assert states([path]) != before
