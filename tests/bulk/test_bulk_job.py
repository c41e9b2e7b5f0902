import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from bulk_fakes import LABELS, FakeScorer, StopError, StoppingScorer
from bulk_helpers import read_csv, read_jsonl, rejects_of, state_of, text_of, write

from affekt.bulk import JobOptions, Summary, predict_files
from affekt.bulk.progress import Progress
from affekt.bulk.work import Target
from affekt.bulk.writing.store import Store
from affekt.errors import JobError, SettingError

Run = Callable[..., Summary]
FILES = ("out.csv", "out.csv.gz", "out.tsv", "out.tsv.zst", "out.jsonl", "out.jsonl.gz", "out.parquet")


def content_of(out: Path) -> dict[str, bytes]:
    """Everything that must not depend on interruptions."""
    paths = sorted(path for path in out.iterdir() if path.is_file()) if out.is_dir() else [out]
    return {
        path.name: path.read_bytes()
        for path in (*paths, *(state_of(out) / n for n in ("rejects.jsonl", "manifest.jsonl")))
    }


def test_every_row_goes_out_with_its_answer_in_order(table: Path, tmp_path: Path, run: Run) -> None:
    summary = run(table, tmp_path / "out.csv")
    rows = read_csv(tmp_path / "out.csv")
    kept = [number for number in range(240) if text_of(number)]
    assert [int(row["id"]) for row in rows] == kept
    for row, number in zip(rows, kept, strict=True):
        scores = FakeScorer().scores([text_of(number)])[0]
        assert row["text"] == text_of(number)
        assert [row[label] for label in LABELS] == [f"{score:.6f}".rstrip("0").rstrip(".") for score in scores.tolist()]
        decided = sorted(((-score, place) for place, score in enumerate(scores) if score >= 0.5))
        assert row["emotions"] == ",".join(LABELS[place] for _, place in decided)
    assert (summary.rows, summary.written, summary.rejects, summary.filtered) == (240, 228, 12, 0)
    assert summary.reasons == {"missing-text": 12}
    assert summary.shards == 5


@pytest.mark.parametrize("name", FILES)
def test_every_format_holds_the_same(table: Path, tmp_path: Path, run: Run, name: str) -> None:
    run(table, tmp_path / name, columns=("id",), scores="none")
    out = tmp_path / name
    if name.endswith("parquet"):
        rows = [{"id": row["id"], "emotions": row["emotions"]} for row in pq.read_table(out).to_pylist()]
    else:
        plain = run(
            [out], tmp_path / "plain.jsonl", text="id", prefix="x_", header=True if "jsonl" not in name else None
        )
        assert plain.rejects == 0
        rows = [
            {
                "id": row["id"],
                "emotions": row["emotions"] if isinstance(row["emotions"], list) else row["emotions"].split(","),
            }
            for row in read_jsonl(tmp_path / "plain.jsonl")
        ]
        rows = [row | {"emotions": [name for name in row["emotions"] if name]} for row in rows]
    expected = []
    for number in range(240):
        if text_of(number):
            scores = FakeScorer().scores([text_of(number)])[0]
            order = sorted(range(3), key=lambda place: -scores[place])
            expected.append({"id": str(number), "emotions": [LABELS[p] for p in order if scores[p] >= 0.5]})
    assert rows == expected


@pytest.mark.parametrize("name", [*FILES, "folder"])
@pytest.mark.parametrize("calls", [0, 1, 3])
def test_going_on_after_a_stop_gives_the_same_bytes(table: Path, tmp_path: Path, name: str, calls: int) -> None:
    options = JobOptions.of(shard_rows=50, cache=60, format="parquet" if name == "folder" else None)
    predict_files(table, tmp_path / "alone" / name, FakeScorer(noise=0.4), options)
    out = tmp_path / "stopped" / name
    with pytest.raises(StopError):
        predict_files(table, out, StoppingScorer(calls, noise=0.4), options)
    again = FakeScorer(noise=0.4)
    summary = predict_files(table, out, again, options)
    assert summary.reused >= max(0, calls - 1)
    assert len(again.calls) == 5 - summary.reused
    assert content_of(out) == content_of(tmp_path / "alone" / name)


def test_progress_says_when_shards_are_joined(table: Path, tmp_path: Path) -> None:
    progress = Progress(None)
    predict_files(table, tmp_path / "out.csv", FakeScorer(), JobOptions(shard_rows=50), progress=progress)
    assert progress.line() == "240 rows, joining 5 shards"


def test_a_finished_job_is_not_done_again(table: Path, tmp_path: Path) -> None:
    first = predict_files(table, tmp_path / "out.csv", FakeScorer(), JobOptions(shard_rows=50))
    said = io.StringIO()
    scorer = FakeScorer()
    again = predict_files(table, tmp_path / "out.csv", scorer, JobOptions(shard_rows=50), progress=Progress(said))
    assert scorer.calls == []
    assert again == first
    assert "finished already" in said.getvalue()


def test_a_finished_job_whose_summary_was_lost_is_summed_up_again(table: Path, tmp_path: Path, run: Run) -> None:
    first = run(table, tmp_path / "out.csv")
    (state_of(tmp_path / "out.csv") / "summary.json").unlink()
    again = run(table, tmp_path / "out.csv")
    assert (again.rows, again.label_rates, again.reused) == (first.rows, first.label_rates, 5)


def test_an_output_that_was_deleted_is_made_again(table: Path, tmp_path: Path, run: Run) -> None:
    run(table, tmp_path / "out.csv")
    before = content_of(tmp_path / "out.csv")
    (tmp_path / "out.csv").unlink()
    run(table, tmp_path / "out.csv")
    assert content_of(tmp_path / "out.csv") == before


@pytest.mark.parametrize("name", ["out.csv", "folder"])
def test_an_output_that_was_changed_is_not_written_over_unasked(
    table: Path, tmp_path: Path, run: Run, name: str
) -> None:
    run(table, tmp_path / name)
    before = content_of(tmp_path / name)
    changed = tmp_path / name if name == "out.csv" else tmp_path / name / "part-000001.csv"
    write(changed, "mine")
    with pytest.raises(JobError, match=r"finished, and changed since.*--restart"):
        run(table, tmp_path / name)
    assert changed.read_text() == "mine"
    run(table, tmp_path / name, restart=True)
    assert content_of(tmp_path / name) == before


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"options": {"where": "stars > 2"}}, "options where was None, is stars > 2"),
        ({"options": {"scores": "list"}}, "options scores was columns, is list"),
        ({"options": {"shard_rows": 49}}, "options shard_rows was 50, is 49"),
        ({"scorer": FakeScorer(version="2")}, "model version was 1, is 2"),
        ({"input": "id,text,stars\n1,a,1\n"}, "had .* bytes, has 20"),
    ],
)
def test_a_changed_job_is_refused_with_what_differs(
    table: Path, tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    with pytest.raises(StopError):
        predict_files(table, tmp_path / "out.csv", StoppingScorer(2), JobOptions(shard_rows=50))
    if "input" in change:
        write(table, change["input"])
    options = JobOptions.of(**{"shard_rows": 50, **change.get("options", {})})
    with pytest.raises(JobError, match=message):
        predict_files(table, tmp_path / "out.csv", change.get("scorer", FakeScorer()), options)
    predict_files(table, tmp_path / "out.csv", change.get("scorer", FakeScorer()), options, restart=True)


def test_the_limit_of_rejects_may_be_raised_on_the_way(table: Path, tmp_path: Path, run: Run) -> None:
    with pytest.raises(JobError, match=r"\d rows were refused, more than the 4 that are allowed.*--max-rejects"):
        run(table, tmp_path / "out.csv", max_rejects=4)
    assert not (tmp_path / "out.csv").exists()
    with pytest.raises(JobError, match="more than the 4"):
        run(table, tmp_path / "out.csv", max_rejects=4)
    assert run(table, tmp_path / "out.csv", max_rejects=12).rejects == 12


def test_rejects_are_listed_with_file_row_and_reason(tmp_path: Path, run: Run) -> None:
    body = b'id,text\n1,good\n2,\n3,caf\xe9\n4,too,many\n5,good\n6,"broken'
    write(tmp_path / "a.csv", body)
    packed = gzip.compress(b"id,text\n" + b"".join(b"%d,text %d\n" % (n, n * n) for n in range(999)), mtime=0)
    write(tmp_path / "b.csv.gz", packed[:-40])
    summary = run([tmp_path / "a.csv", tmp_path / "b.csv.gz"], tmp_path / "out.csv")
    found = rejects_of(tmp_path / "out.csv")
    assert [(Path(r["file"]).name, r["row"], r["kind"]) for r in found] == [
        ("a.csv", 2, "missing-text"),
        ("a.csv", 3, "encoding"),
        ("a.csv", 4, "ragged"),
        ("a.csv", 6, "quoting"),
        ("b.csv.gz", found[-1]["row"], "truncated"),
    ]
    assert all(r["reason"] and r["offset"] is not None for r in found)
    assert summary.rows == summary.written + summary.rejects
    assert summary.reasons == {"encoding": 1, "missing-text": 1, "quoting": 1, "ragged": 1, "truncated": 1}
    assert [row["id"] for row in read_csv(tmp_path / "out.csv")][:2] == ["1", "5"]


def test_kept_rows_without_text_keep_the_row_count(table: Path, tmp_path: Path, run: Run) -> None:
    summary = run(table, tmp_path / "out.csv", keep_missing=True)
    rows = read_csv(tmp_path / "out.csv")
    assert [int(row["id"]) for row in rows] == list(range(240))
    assert {row["emotions"] + row["joy"] for row in rows if not row["text"]} == {""}
    assert (summary.written, summary.rejects, summary.kept) == (240, 12, 12)


def test_formulas_are_made_harmless_unless_that_is_switched_off(table: Path, tmp_path: Path, run: Run) -> None:
    assert run(table, tmp_path / "a.csv").neutralised == 1
    assert read_csv(tmp_path / "a.csv")[3]["stars"] == "'=1+1"
    assert run(table, tmp_path / "b.csv", neutralise=False).neutralised == 0
    assert read_csv(tmp_path / "b.csv")[3]["stars"] == "=1+1"


def test_duplicates_are_scored_once_across_shards(table: Path, tmp_path: Path) -> None:
    scorer = FakeScorer()
    summary = predict_files(table, tmp_path / "out.csv", scorer, JobOptions(shard_rows=50, cache=1000))
    scored = [text for call in scorer.calls for text in call]
    assert len(scored) == len(set(scored)) == summary.scored
    assert summary.saved == 228 - summary.scored > 100


def test_the_summary_is_there_as_json_and_in_words(table: Path, tmp_path: Path, run: Run) -> None:
    summary = run(table, tmp_path / "out.csv", where="stars != 4")
    assert json.loads((state_of(tmp_path / "out.csv") / "summary.json").read_bytes()) == summary.to_json()
    rows = read_csv(tmp_path / "out.csv")
    for label in LABELS:
        rate = sum(label in row["emotions"].split(",") for row in rows) / len(rows)
        assert summary.label_rates[label] == pytest.approx(rate)
    assert summary.none_rate == pytest.approx(sum(not row["emotions"] for row in rows) / len(rows))
    assert set(summary.seconds) == {"read", "score", "write", "join", "total"}
    text = summary.text()
    for word in (f"{summary.written:,} of 240 rows", "filtered", "refused: missing-text", "fake 1", "scored before"):
        assert word in text


def test_nothing_is_left_over_beside_the_output(table: Path, tmp_path: Path, run: Run) -> None:
    run(table, tmp_path / "out.csv")
    state = state_of(tmp_path / "out.csv")
    assert {path.name for path in state.iterdir()} == {
        "done.json", "job.json", "lock", "manifest.jsonl", "rejects.jsonl", "summary.json",
    }  # fmt: skip
    run(table, tmp_path / "folder")
    assert {path.name for path in (tmp_path / "folder").iterdir()} == {
        "_affekt", *(f"part-00000{number}.csv" for number in range(5)),
    }  # fmt: skip


def test_an_output_folder_can_be_read_again(table: Path, tmp_path: Path, run: Run) -> None:
    run(table, tmp_path / "folder", format="parquet")
    summary = run(tmp_path / "folder", tmp_path / "again.parquet", prefix="second_")
    found = pq.read_table(tmp_path / "again.parquet")
    assert summary.rows == 228
    assert found.column("emotions") == found.column("second_emotions")


def test_a_joined_parquet_file_has_large_row_groups(table: Path, tmp_path: Path, run: Run) -> None:
    run(table, tmp_path / "out.parquet", shard_rows=10)
    assert pq.ParquetFile(tmp_path / "out.parquet").metadata.num_row_groups == 1


@pytest.mark.parametrize("name", ["out.csv", "out.parquet", "out.jsonl", "folder"])
def test_an_input_without_rows_has_an_output_without_rows(tmp_path: Path, run: Run, name: str) -> None:
    summary = run(write(tmp_path / "a.csv", "id,text\n"), tmp_path / name)
    assert (summary.rows, summary.shards) == (0, 1)
    assert (tmp_path / name).exists()
    if name == "out.csv":
        assert (tmp_path / name).read_text() == "id,text,emotions,joy,anger,fear\n"
    assert "0 of 0 rows" in summary.text()


def test_shards_in_which_nothing_is_left_are_gone_over(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "id,text\n" + "".join(f"{n},text {n}\n" for n in range(200)))
    options = JobOptions.of(shard_rows=20, cache=50, where="id >= 130")
    predict_files(path, tmp_path / "alone.csv", FakeScorer(noise=0.5), options)
    with pytest.raises(StopError):
        predict_files(path, tmp_path / "out.csv", StoppingScorer(1, noise=0.5), options)
    predict_files(path, tmp_path / "out.csv", FakeScorer(noise=0.5), options)
    assert (tmp_path / "out.csv").read_bytes() == (tmp_path / "alone.csv").read_bytes()
    assert len(read_csv(tmp_path / "out.csv")) == 70


def test_two_processes_at_one_job_are_kept_apart(table: Path, tmp_path: Path, run: Run) -> None:
    store = Store(Target.of(tmp_path / "out.csv", None, None))  # type: ignore[arg-type]
    with store.locked(), pytest.raises(JobError, match="Another process"):
        run(table, tmp_path / "out.csv")
    run(table, tmp_path / "out.csv")


def test_an_input_that_changes_while_it_is_read_is_noticed(table: Path, tmp_path: Path) -> None:
    class Meddling(FakeScorer):
        def scores(self, texts: Any) -> Any:
            with open(table, "a", encoding="utf-8") as file:
                file.write("999,more,1\n")
            return super().scores(texts)

    with pytest.raises(JobError, match="changed while it was read"):
        predict_files(table, tmp_path / "out.csv", Meddling(), JobOptions(shard_rows=50))
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize("cache", [0, 60])
@pytest.mark.parametrize("damage", ["shard", "record", "rejects", "memory"])
def test_a_shard_that_was_damaged_is_made_again(table: Path, tmp_path: Path, cache: int, damage: str) -> None:
    options = JobOptions.of(shard_rows=50, cache=cache)
    predict_files(table, tmp_path / "alone.csv", FakeScorer(noise=0.4), options)
    out = tmp_path / "out.csv"
    with pytest.raises(StopError):
        predict_files(table, out, StoppingScorer(4, noise=0.4), options)
    state = state_of(out)
    target = {
        "shard": state / "parts" / "part-000001.csv",
        "record": state / "shards" / "000001.json",
        "rejects": state / "rejects" / "000001.jsonl",
        "memory": state / "memory" / "000002.bin",
    }[damage]
    if target.exists():
        write(target, target.read_bytes()[:-3])
    predict_files(table, out, FakeScorer(noise=0.4), options)
    assert out.read_bytes() == (tmp_path / "alone.csv").read_bytes()
    assert rejects_of(out) == rejects_of(tmp_path / "alone.csv")


def test_what_a_killed_process_left_half_written_is_swept_away(table: Path, tmp_path: Path, run: Run) -> None:
    with pytest.raises(StopError):
        predict_files(table, tmp_path / "out.csv", StoppingScorer(2), JobOptions(shard_rows=50))
    leftovers = [
        write(tmp_path / ".out.csv.x1.partial", "x"),
        write(state_of(tmp_path / "out.csv") / "parts" / ".part-000002.csv.x2.partial", "x"),
        write(state_of(tmp_path / "out.csv") / "shards" / ".000002.json.x3.partial", "x"),
    ]
    stranger = write(tmp_path / ".other.csv.x4.partial", "x")
    run(table, tmp_path / "out.csv")
    assert not any(path.exists() for path in leftovers)
    assert stranger.exists()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"shard_rows": 0}, "shard_rows: input should be greater than or equal to 1, but it is 0"),
        ({"scores": "all"}, "scores"),
        ({"cache": -1}, "cache"),
        ({"max_rejects": -1}, "max_rejects"),
        ({"delimiter": '"'}, "delimiter: .*quotation mark"),
        ({"delimiter": ";;"}, "delimiter"),
        ({"colums": ("a",)}, "colums"),
    ],
)
def test_options_that_make_no_sense_are_refused_by_name(given: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        JobOptions.of(**given)


def test_a_column_without_a_name_is_a_column(tmp_path: Path, run: Run) -> None:
    """As pandas writes its index; it must not be taken for the source text of JSON lines."""
    path = write(tmp_path / "a.csv", ",text\n0,hello\n1,bye\n")
    run(path, tmp_path / "out.jsonl", scores="none")
    assert [(row[""], row["text"]) for row in read_jsonl(tmp_path / "out.jsonl")] == [("0", "hello"), ("1", "bye")]
    run(tmp_path / "out.jsonl", tmp_path / "again.jsonl", scores="none", prefix="x_")
    assert [row[""] for row in read_jsonl(tmp_path / "again.jsonl")] == ["0", "1"]
