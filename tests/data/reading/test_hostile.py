"""Whatever the file, reading ends in a report or in one sentence."""

import gzip
import json
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from affekt.data import Dataset, ReadOptions, kfold, load_dataset, split
from affekt.data.describing.check import check
from affekt.data.describing.stats import statistics
from affekt.errors import AffektError

MANY = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
NAMES = st.sampled_from(["t.csv", "t.tsv", "t.txt", "t.jsonl", "t.parquet", "t.csv.gz", "t"])
CELL = st.sampled_from(
    ["0", "1", "", "joy", "anger,joy", "text", "id", "label", "hi there, you", '"', "'x'", "[1, 2]", "[]", "2", "0.5",
     "9" * 400, "é😀", "\0", "\ufeff", "true", "nan", "{}", "a\nb", "\ud800"]
)  # fmt: skip
LINES = st.lists(st.lists(CELL, min_size=1, max_size=4).map(tuple), min_size=1, max_size=8)
OPTIONS = st.builds(
    ReadOptions,
    text=st.sampled_from([None, "1", "text"]),
    labels=st.sampled_from([None, "2", "label", "1,2"]),
    layout=st.sampled_from(["auto", "columns", "list", "long", "none"]),
    label_names=st.sampled_from([None, ["joy", "anger"], "joy,anger"]),
    header=st.sampled_from([None, True, False]),
    unlabelled=st.sampled_from(["keep", "drop", "neutral"]),
    missing=st.sampled_from(["unknown", "zero", "error"]),
    bad_rows=st.sampled_from(["error", "skip"]),
)


def survives(name, content, options):
    """Read by every door; the report and the loader agree."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
        report, refusal = attempt(check, path, options)
        dataset, objection = attempt(lambda: load_dataset(path, options=options))
        assert "\n" not in refusal + objection
        if report is None:
            assert dataset is None
        elif dataset is None:
            assert not report.usable or options.layout == "none"
        else:
            assert report.usable
            assert len(dataset) == report.texts <= report.rows
            statistics(dataset, "words")


def attempt(call, *arguments):
    """The result and no sentence, or no result and the sentence of the error."""
    try:
        return call(*arguments), ""
    except AffektError as error:
        return None, str(error)


@MANY
@given(NAMES, st.binary(max_size=300), OPTIONS)
def test_any_bytes(name, content, options):
    survives(name, content, options)


@MANY
@given(NAMES, LINES, st.sampled_from(",\t;|"), st.sampled_from(["\n", "\r\n", "\r"]), OPTIONS)
def test_any_table(name, lines, delimiter, end, options):
    survives(name, end.join(delimiter.join(line) for line in lines).encode("utf-8", "surrogatepass"), options)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["joy", "a b", ""]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=5,
)


@MANY
@given(
    st.lists(st.dictionaries(st.sampled_from(["text", "label", "joy", "id"]), JSON, max_size=4), min_size=1), OPTIONS
)
def test_any_objects(objects, options):
    survives("t.jsonl", "\n".join(map(json.dumps, objects)).encode(), options)


@pytest.mark.parametrize("unit", ['"', ",", "\t", "[", "{", "\n", "\r", "a,", '","', "joy,", "1 ", "\\", "'"])
def test_long_runs_of_anything_take_little_time(unit):
    survives("t.csv", ("text,label\n" + unit * 200_000).encode(), ReadOptions())
    survives("t.tsv", (unit * 200_000 + "\nx\ty\n").encode(), ReadOptions())


def test_very_uneven_sets_can_be_split():
    texts = ["the same text"] * 900 + [f"text {n}" for n in range(100)]
    targets = np.zeros((1000, 2), dtype=np.float32)
    targets[:900, 0] = 1
    targets[950, 1] = 1
    dataset = Dataset(tuple(texts), ("common", "rare"), targets)
    for parts in (split(dataset), *kfold(dataset, 3)):
        train, dev = parts
        assert len(train)
        assert len(dev)
        assert sorted([*train, *dev]) == list(range(1000))
