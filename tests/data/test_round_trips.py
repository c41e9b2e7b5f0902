"""A dataset written in any layout and format reads back as itself."""

import csv
import gzip
import io
import json
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from affekt.data import Dataset, load_dataset

NAMES = ("anger", "fear", "joy", "very sad")
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=20).filter(str.strip)
ROUGH = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]) | st.sampled_from('\n\r\t",;|'), max_size=15
)
FAST = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def datasets(draw, texts=TEXT, unique=False, least=0):
    """Datasets over all of ``NAMES``, each label used at least once, words in every text."""
    rows = draw(st.lists(texts, min_size=5, max_size=12, unique=unique))
    sets = draw(st.lists(st.sets(st.integers(0, 3), min_size=least), min_size=len(rows), max_size=len(rows)))
    targets = np.zeros((len(rows), 4), dtype=np.float32)
    for row, chosen in enumerate(sets):
        targets[row, list(chosen)] = 1
    targets[:4] = np.maximum(targets[:4], np.eye(4))
    ids = tuple(f"row-{number}" for number in range(len(rows)))
    return Dataset(tuple(f"word {text}" for text in rows), NAMES, targets, ids)


def names_of(dataset, row):
    return [name for name, target in zip(NAMES, dataset.targets[row], strict=True) if target]


def records(dataset, layout, join="|"):
    """Header and rows of a table in the given layout."""
    if layout == "columns":
        header = ["id", "text", *NAMES]
        rows = [[i, t, *map(int, y)] for i, t, y in zip(dataset.ids, dataset.texts, dataset.targets, strict=True)]
        return header, rows
    header = ["id", "text", "labels"]
    keyed = list(zip(dataset.ids, dataset.texts, strict=True))
    if layout == "long":
        return header, [[i, t, name] for n, (i, t) in enumerate(keyed) for name in names_of(dataset, n) or [""]]
    cells = [names_of(dataset, row) for row in range(len(dataset))]
    if layout == "json":
        return header, [[*key, json.dumps(cell)] for key, cell in zip(keyed, cells, strict=True)]
    if layout == "ids":
        cells = [[str(NAMES.index(name) + 1) for name in cell] for cell in cells]
    return header, [[*key, join.join(cell)] for key, cell in zip(keyed, cells, strict=True)]


def write_delimited(path, header, rows, delimiter):
    buffer = io.StringIO(newline="")
    csv.writer(buffer, delimiter=delimiter).writerows([header, *rows])
    content = buffer.getvalue().encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


def write_json(path, header, rows):
    lines = [json.dumps(dict(zip(header, row, strict=True))) for row in rows]
    path.write_text("\n".join(lines), encoding="utf-8")


@FAST
@given(
    dataset=datasets(ROUGH),
    layout=st.sampled_from(["columns", "json", "joined", "ids", "long"]),
    name=st.sampled_from(["t.csv", "t.tsv", "t.csv.gz", "t.txt"]),
    delimiter=st.sampled_from(",\t;|"),
    join=st.sampled_from([",", ";", "|", ", "]),
)
def test_delimited(dataset, layout, name, delimiter, join):
    header, rows = records(dataset, layout, join)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        write_delimited(path, header, rows, delimiter)
        given = {} if layout == "columns" else {"label_names": NAMES, "first_id": 1, "labels": "labels"}
        chosen = "long" if layout == "long" else "auto" if layout == "columns" else "list"
        assert load_dataset(path, layout=chosen, **given) == dataset


@FAST
@given(dataset=datasets(), layout=st.sampled_from(["columns", "joined", "json"]))
def test_detected_without_any_option(dataset, layout):
    header, rows = records(dataset, layout)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "t.csv")
        write_delimited(path, header, rows, ",")
        assert load_dataset(path) == dataset


@FAST
@given(dataset=datasets(unique=True, least=2))
def test_long_form_is_detected(dataset):
    header, rows = records(dataset, "long")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "t.csv")
        write_delimited(path, header, rows, ",")
        assert load_dataset(path) == dataset


@FAST
@given(dataset=datasets(st.text(max_size=15)), layout=st.sampled_from(["columns", "joined"]))
def test_json_lines(dataset, layout):
    header, rows = records(dataset, layout)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "t.jsonl")
        write_json(path, header, rows)
        loaded = load_dataset(path)
    assert loaded.ids == dataset.ids
    np.testing.assert_array_equal(loaded.targets, dataset.targets)


@FAST
@given(dataset=datasets(), lists=st.booleans())
def test_parquet(dataset, lists):
    pa = pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")
    columns = {"id": dataset.ids, "text": dataset.texts}
    if lists:
        columns["labels"] = [names_of(dataset, row) for row in range(len(dataset))]
    else:
        columns |= {name: dataset.targets[:, column] for column, name in enumerate(NAMES)}
    with tempfile.TemporaryDirectory() as folder:
        pq.write_table(pa.table(columns), Path(folder, "t.parquet"))
        assert load_dataset(Path(folder, "t.parquet")) == dataset


@FAST
@given(
    scores=st.lists(st.tuples(st.floats(0, 1, width=32), st.none() | st.floats(0, 1, width=32)), min_size=2, max_size=9)
)
def test_scores_and_unknowns(scores):
    targets = np.array([[a, np.nan if b is None else b] for a, b in scores], dtype=np.float32)
    rows = [[f"word {n}", *("" if np.isnan(y) else repr(float(y)) for y in row)] for n, row in enumerate(targets)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "t.csv")
        write_delimited(path, ["text", "joy", "anger"], rows, ",")
        dataset = load_dataset(path, labels=["joy", "anger"])
    np.testing.assert_array_equal(dataset.targets, targets)
