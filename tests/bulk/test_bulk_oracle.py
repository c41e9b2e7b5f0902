"""Any table, any formats, any interruptions: the output is what a few lines of plain Python say it must be."""

import csv
import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from bulk_fakes import LABELS, FakeScorer
from bulk_helpers import read_csv, read_jsonl, rejects_of, write
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from affekt.bulk import JobOptions, predict_files
from affekt.bulk.reading.chunks import ChunkReader
from affekt.bulk.reading.inputs import open_input
from affekt.bulk.reading.pieces import Chunk
from affekt.bulk.reading.selection import Selection
from affekt.bulk.writing.columns import added_names

TEXT = st.one_of(
    st.sampled_from(
        ["", " ", "a", "b", "=1+1", "-5", "it's", 'so "he" said', "two\nlines", "tab\there", "back\r\nslash\\"]
    ),
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12),
)
ROWS = st.lists(st.fixed_dictionaries({"stars": st.integers(-3, 9), "text": TEXT}), max_size=25)
OPTIONS = st.fixed_dictionaries(
    {
        "shard_rows": st.integers(1, 9),
        "shard_bytes": st.sampled_from([30, 10_000]),
        "cache": st.sampled_from([0, 3, 100]),
        "where": st.sampled_from([None, "stars > 2", "stars != 0 and not text contains a"]),
        "keep_missing": st.booleans(),
        "scores": st.sampled_from(["columns", "list", "none"]),
    }
)


class Interruption(Exception):  # noqa: N818 - stands in for a kill
    """Ends a run."""


class Interrupted(FakeScorer):
    """Ends its run at a call."""

    def __init__(self, calls: int) -> None:
        super().__init__()
        self.left = calls

    def scores(self, texts: Any) -> Any:
        if self.left == 0:
            raise Interruption
        self.left -= 1
        return super().scores(texts)


def write_input(path: Path, rows: list[dict[str, Any]]) -> None:
    if path.suffix == ".parquet":
        columns = {
            "stars": pa.array([r["stars"] for r in rows], pa.int32()),
            "text": pa.array([r["text"] for r in rows], pa.string()),
        }
        pq.write_table(pa.table(columns), path, row_group_size=4)
    elif path.name.endswith(".jsonl.gz"):
        path.write_bytes(gzip.compress("".join(json.dumps(row) + "\n" for row in rows).encode()))
    else:
        with open(path, "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, quoting=csv.QUOTE_ALL, delimiter="\t" if path.suffix == ".tsv" else ",")
            writer.writerows([["stars", "text"], *([row["stars"], row["text"]] for row in rows)])


def kept(row: dict[str, Any], where: str | None) -> bool:
    if where is None:
        return True
    if where == "stars > 2":
        return bool(row["stars"] > 2)
    return bool(row["stars"] != 0 and "a" not in row["text"])


def expected(rows: list[dict[str, Any]], options: dict[str, Any]) -> tuple[list[dict[str, Any]], list[int]]:
    """The rows that must go out, as JSON has them, and the numbers of those that must be refused."""
    out, refused = [], []
    for number, row in enumerate(rows, start=1):
        if not kept(row, options["where"]):
            continue
        missing = not row["text"].strip()
        if missing:
            refused.append(number)
            if not options["keep_missing"]:
                continue
        out.append(
            {
                **row,
                **(
                    dict.fromkeys(added_names(LABELS, options["scores"], ""))
                    if missing
                    else answer_to(row["text"], options["scores"])
                ),
            }
        )
    return out, refused


def answer_to(text: str, scores: str) -> dict[str, Any]:
    found = FakeScorer().scores([text])[0].astype(np.float64).round(6)
    order = sorted(range(3), key=lambda place: -found[place])
    emotions = [LABELS[place] for place in order if FakeScorer().scores([text])[0][place] >= 0.5]
    rest = {"columns": dict(zip(LABELS, found.tolist(), strict=True)), "list": {"scores": found.tolist()}, "none": {}}
    return {"emotions": emotions, **rest[scores]}


def as_cells(row: dict[str, Any]) -> dict[str, str]:
    """What a row of JSON looks like in a csv file whose formulas were left as they are."""
    return {name: cell(value) for name, value in row.items()}


def cell(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(map(cell, value))
    if isinstance(value, float):
        return f"{value:.6f}".rstrip("0").rstrip(".") or "0"
    return "" if value is None else str(value)


@given(
    ROWS.filter(bool),
    OPTIONS,
    st.sampled_from(["csv", "tsv", "jsonl.gz", "parquet"]),
    st.sampled_from(["jsonl", "csv"]),
    st.lists(st.integers(0, 3), max_size=4),
)
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_job_does_what_plain_python_says(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[dict[str, Any]],
    options: dict[str, Any],
    kind: str,
    out_kind: str,
    stops: list[int],
) -> None:
    folder = tmp_path_factory.mktemp("oracle")
    source, out = folder / f"in.{kind}", folder / f"out.{out_kind}"
    write_input(source, rows)
    given_options = JobOptions.of(neutralise=False, header=True, delimiter="\t" if kind == "tsv" else ",", **options)
    for calls in stops:
        try:
            predict_files(source, out, Interrupted(calls), given_options)
        except Interruption:
            continue
    summary = predict_files(source, out, FakeScorer(), given_options)
    wanted, refused = expected(rows, options)
    assert [reject["row"] for reject in rejects_of(out)] == refused
    assert (summary.rows, summary.written, summary.rejects) == (len(rows), len(wanted), len(refused))
    assert summary.filtered == sum(not kept(row, options["where"]) for row in rows)
    if out_kind == "csv":
        assert read_csv(out) == [as_cells(row) for row in wanted]
    elif kind in ("csv", "tsv"):
        assert read_jsonl(out) == [{**row, "stars": str(row["stars"])} for row in wanted]
    else:
        assert read_jsonl(out) == wanted


def shards(path: Path, **limits: int) -> list[Chunk]:
    return list(reader(path, **limits).unread({}))


def reader(path: Path, **limits: int) -> ChunkReader:
    options = JobOptions.of(header=True, delimiter=",", text="b", **limits)
    source = open_input([path], options, keep_lines=False)
    return ChunkReader(source, Selection.of(source, options, ()), options)


@given(
    st.lists(
        st.sampled_from([b"1,2\n", b'"', b",", b"\n", b"\r", b"x", b"\xff", b'"3",4\n', b'5,"six\n']), max_size=40
    ).map(b"".join),
    st.integers(1, 4),
)
@example(b'5,"six\n5,"six\n1,2\n"', 1)
@example(b'"\n"\n"\n', 2)
@settings(max_examples=250, deadline=None)
def test_a_shard_of_hostile_bytes_is_the_same_whoever_reads_it(
    tmp_path_factory: pytest.TempPathFactory, body: bytes, shard_rows: int
) -> None:
    path = write(tmp_path_factory.mktemp("hostile") / "a.csv", b"a,b\n" + body)
    whole = shards(path, shard_rows=shard_rows)
    assert sum(chunk.read for chunk in whole) == sum(len(chunk.table) + len(chunk.rejects) for chunk in whole)
    numbers = [reject.row for chunk in whole for reject in chunk.rejects]
    assert numbers == sorted(set(numbers))
    for chunk in whole:
        alone = reader(path, shard_rows=shard_rows)
        found = alone.read(chunk.index, chunk.start)
        alone.close()
        assert found is not None
        assert (found.table, found.rejects, found.end) == (chunk.table, chunk.rejects, chunk.end)
