"""Where inputs and outputs may lie, and what is refused before anything is written."""

import gzip
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from bulk_fakes import StopError, StoppingScorer
from bulk_helpers import read_csv, rejects_of, write

from affekt.bulk import JobOptions, Summary, predict_files
from affekt.errors import AffektError, DataError, JobError, SettingError

Run = Callable[..., Summary]


def test_an_output_that_is_there_is_not_written_over(table: Path, tmp_path: Path, run: Run) -> None:
    write(tmp_path / "out.csv", "mine")
    with pytest.raises(JobError, match="is there already"):
        run(table, tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_text() == "mine"
    run(table, tmp_path / "out.csv", restart=True)
    assert len(read_csv(tmp_path / "out.csv")) == 228


def test_a_folder_that_holds_something_else_is_refused(table: Path, tmp_path: Path, run: Run) -> None:
    (tmp_path / "folder").mkdir()
    write(tmp_path / "folder" / "mine.txt", "mine")
    with pytest.raises(JobError, match="is not empty"):
        run(table, tmp_path / "folder")


def test_an_input_is_never_written_over(table: Path, tmp_path: Path, run: Run) -> None:
    for out in (table, tmp_path):
        with pytest.raises(SettingError, match="holds the input"):
            run(table, out)


@pytest.mark.parametrize("given", ["in", "in/*.csv", "in/**/*.csv"])
@pytest.mark.parametrize("name", ["in/answered.csv", "in/answered"])
def test_an_output_within_the_input_is_no_input_of_its_job(tmp_path: Path, run: Run, given: str, name: str) -> None:
    for number in range(2):
        write(tmp_path / "in" / f"{number}.csv", "text\n" + "".join(f"{number} {row}\n" for row in range(120)))
    expected = run(str(tmp_path / given), tmp_path / "elsewhere" / Path(name).name)
    with pytest.raises(StopError):
        predict_files(str(tmp_path / given), tmp_path / name, StoppingScorer(2), JobOptions(shard_rows=50))
    again = run(str(tmp_path / given), tmp_path / name)
    assert (again.rows, again.shards) == (expected.rows, 5)
    assert again.reused > 0
    assert run(str(tmp_path / given), tmp_path / name) == again


def test_a_folder_of_inputs_may_hold_what_jobs_keep_beside_their_outputs(tmp_path: Path, run: Run) -> None:
    write(tmp_path / "in" / "a.csv", "text\na text\n")
    run(tmp_path / "in" / "a.csv", tmp_path / "in" / "other.tsv")
    (tmp_path / "in" / "other.tsv").unlink()
    assert run(tmp_path / "in", tmp_path / "out.csv").rows == 1


def test_files_that_cannot_be_read_at_all_do_not_stop_the_others(tmp_path: Path, run: Run) -> None:
    folder = tmp_path / "in"
    write(folder / "a.csv.gz", b"no gzip at all")
    write(folder / "b.csv", "text\na text\n")
    write(folder / "c.csv.gz", gzip.compress(b"\n"))
    write(folder / "d.csv", "text\nsecond\n".encode("utf-16"))
    write(folder / "e.csv", b"\xff\xfa,text\n1,third\n")
    write(folder / "f.csv", "text\nfourth\n")
    summary = run(folder, tmp_path / "out.csv", shard_rows=1)
    assert (summary.rows, summary.written, summary.reasons) == (5, 2, {"damaged": 3})
    assert [row["text"] for row in read_csv(tmp_path / "out.csv")] == ["a text", "fourth"]
    found = rejects_of(tmp_path / "out.csv")
    assert [Path(reject["file"]).name for reject in found] == ["a.csv.gz", "d.csv", "e.csv"]
    for reject, reason in zip(found, ("file is damaged", "UTF-16", "its first row is no row of cells"), strict=True):
        assert reject["row"] == 1
        assert reason in reject["reason"]


def test_a_json_file_in_another_encoding_does_not_stop_the_others(tmp_path: Path, run: Run) -> None:
    write(tmp_path / "in" / "a.jsonl", '{"text": "a text"}\n')
    write(tmp_path / "in" / "b.jsonl", '{"text": "b"}\n'.encode("utf-16"))
    summary = run(tmp_path / "in", tmp_path / "out.jsonl")
    assert (summary.rows, summary.written, summary.rejects) == (2, 1, 1)
    assert "UTF-16" in rejects_of(tmp_path / "out.jsonl")[0]["reason"]


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("out.txt", {}, "does not say a format"),
        ("out.json", {}, "one object per line.*jsonl"),
        ("out.csv", {"format": "parquet"}, "not the name of a .parquet file"),
        ("folder", {"format": "xml"}, "no format 'xml'"),
    ],
)
def test_outputs_that_make_no_sense_are_refused(
    table: Path, tmp_path: Path, run: Run, name: str, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(SettingError, match=message):
        run(table, tmp_path / name, **options)


def test_a_refused_plan_leaves_no_trace(table: Path, tmp_path: Path, run: Run) -> None:
    with pytest.raises(AffektError):
        run(table, tmp_path / "deep" / "out.csv", text="nope")
    assert not (tmp_path / "deep").exists()


def test_a_missing_input_is_refused(tmp_path: Path, run: Run) -> None:
    with pytest.raises(DataError, match="no file"):
        run(tmp_path / "absent.csv", tmp_path / "out.csv")


def test_the_output_moves_with_its_folder(table: Path, tmp_path: Path, run: Run) -> None:
    """What is written down about the output does not name the place where it was written."""
    run(table, tmp_path / "folder")
    shutil.move(tmp_path / "folder", tmp_path / "moved")
    assert run(table, tmp_path / "moved").rows == 240


def test_a_folder_of_something_else_is_not_written_into_even_anew(table: Path, tmp_path: Path, run: Run) -> None:
    (tmp_path / "folder").mkdir()
    write(tmp_path / "folder" / "mine.txt", "mine")
    with pytest.raises(JobError, match="is not empty"):
        run(table, tmp_path / "folder", restart=True)


def test_starting_anew_leaves_strangers_in_the_folder_alone(table: Path, tmp_path: Path, run: Run) -> None:
    run(table, tmp_path / "folder", format="csv", shard_rows=10)
    write(tmp_path / "folder" / "mine.txt", "mine")
    run(table, tmp_path / "folder", format="csv", shard_rows=100, restart=True)
    assert {path.name for path in (tmp_path / "folder").iterdir()} == {
        "_affekt", "mine.txt", "part-000000.csv", "part-000001.csv", "part-000002.csv",
    }  # fmt: skip
