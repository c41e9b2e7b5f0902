import gzip
from pathlib import Path

import numpy as np
import pytest

from affekt.data import ReadOptions, load_dataset, read_labelled, split
from affekt.data.splitting.parts import part_path, write_parts
from affekt.errors import DataError


def halves(loaded):
    return {"train": np.arange(0, len(loaded.dataset), 2), "dev": np.arange(1, len(loaded.dataset), 2)}


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("t.csv", "t.dev.csv"),
        ("t.csv.gz", "t.dev.csv.gz"),
        ("a.b.tsv", "a.b.dev.tsv"),
        ("t.JSONL", "t.dev.JSONL"),
        ("t", "t.dev"),
    ],
)
def test_part_path(name, part):
    assert part_path(Path("somewhere", name), "dev", Path("out")) == Path("out", part)


CONTENTS = [
    ("t.csv", 'text,joy,anger\n"hi, ""you""",1,0\r\n"two\nlines",0,1\nbye,1,0\nlast,0,1'),
    ("t.tsv", "hi there\tjoy\nyou there my friend\tanger\nbye for now\tjoy\nthe last\tanger"),
    ("t.jsonl", '{"text":"hi",  "label":"joy"}\n{"label":"anger","text":"y\\u00e9"}\n{"text":"c","label":"joy"}'),
]


@pytest.mark.parametrize(("name", "content"), [*CONTENTS, ("t.csv.gz", CONTENTS[0][1])])
def test_rows_are_the_very_bytes_of_the_table(write, tmp_path, name, content):
    loaded = read_labelled(write(name, content))
    train, dev = write_parts(loaded, halves(loaded), tmp_path / "out")
    read = gzip.decompress if name.endswith(".gz") else bytes
    lines = read(train.read_bytes()) + read(dev.read_bytes())
    header = content.split("\n")[0] + "\n" if loaded.table.named and name != "t.jsonl" else ""
    assert len(lines) == len(content.encode()) + len(header) + 1
    first, second = load_dataset(train), load_dataset(dev)
    assert sorted(first.texts + second.texts) == sorted(loaded.dataset.texts)


def test_bytes_that_are_not_valid_and_byte_order_marks_survive(write, tmp_path):
    loaded = read_labelled(write("t.csv", b"\xef\xbb\xbftext,joy,anger\ncaf\xe9,1,0\nok,0,1\n"))
    train, dev = write_parts(loaded, halves(loaded), tmp_path / "out")
    assert train.read_bytes() == b"\xef\xbb\xbftext,joy,anger\ncaf\xe9,1,0\n"
    assert dev.read_bytes() == b"\xef\xbb\xbftext,joy,anger\nok,0,1\n"


def test_parquet_keeps_its_schema(tmp_path):
    pa = pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")
    table = pa.table(
        {"text": ["a b", "c", "d"], "joy": pa.array([1, 0, 1], pa.int8()), "anger": pa.array([0, 1, 0], pa.int8())}
    )
    pq.write_table(table, tmp_path / "t.parquet")
    loaded = read_labelled(tmp_path / "t.parquet")
    train, dev = write_parts(loaded, halves(loaded), tmp_path / "out")
    assert pq.read_table(train).equals(table.take([0, 2]))
    assert pq.read_table(dev).equals(table.take([1]))


def test_all_rows_of_a_long_form_text_stay_together(write, tmp_path):
    table = "id,text,label\n1,hi there,joy\n2,bye,joy\n1,hi there,anger\n3,so so,anger\n"
    loaded = read_labelled(write("t.csv", table))
    train, dev = write_parts(loaded, halves(loaded), tmp_path / "out")
    assert train.read_text() == "id,text,label\n1,hi there,joy\n1,hi there,anger\n3,so so,anger\n"
    assert dev.read_text() == "id,text,label\n2,bye,joy\n"


def test_rows_that_are_left_out_are_in_no_part(write, tmp_path):
    loaded = read_labelled(
        write("t.csv", "text,joy,anger\na b,1,0\n,1,0\nc,0,0\nd,0,1\n"), ReadOptions(unlabelled="drop")
    )
    train, dev = write_parts(loaded, halves(loaded), tmp_path / "out")
    assert train.read_text() + dev.read_text() == "text,joy,anger\na b,1,0\ntext,joy,anger\nd,0,1\n"


def test_the_label_file_goes_along(write, tmp_path):
    write("labels.txt", "anger\njoy\n")
    loaded = read_labelled(write("t.tsv", "hi there\t0,1\tx1\nbye\t1\tx2\n"))
    train, dev = write_parts(loaded, halves(loaded), tmp_path / "out")
    assert load_dataset(train).labels == load_dataset(dev).labels == ("anger", "joy")
    (tmp_path / "out" / "labels.txt").write_text("mine\n")
    write_parts(loaded, halves(loaded), tmp_path / "out", force=True)
    assert (tmp_path / "out" / "labels.txt").read_text() == "mine\n"


def test_nothing_is_overwritten_unless_forced(write, tmp_path):
    loaded = read_labelled(write("t.csv", "text,joy,anger\na b,1,0\nc,0,1\n"))
    (tmp_path / "t.dev.csv").write_text("precious")
    with pytest.raises(DataError, match="exists already"):
        write_parts(loaded, halves(loaded), tmp_path)
    assert (tmp_path / "t.dev.csv").read_text() == "precious"
    assert not (tmp_path / "t.train.csv").exists()
    write_parts(loaded, halves(loaded), tmp_path, force=True)
    assert (tmp_path / "t.dev.csv").read_text() == "text,joy,anger\nc,0,1\n"


def test_a_place_that_cannot_be_written_to(write, tmp_path):
    loaded = read_labelled(write("t.csv", "text,joy,anger\na b,1,0\nc,0,1\n"))
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(DataError, match="cannot be written to"):
        write_parts(loaded, halves(loaded), tmp_path / "file" / "below")


def test_goemotions_parts_read_back_as_the_split(data_dir, tmp_path):
    loaded = read_labelled(data_dir / "goemotions" / "dev.tsv")
    train, dev = split(loaded.dataset)
    paths = write_parts(loaded, {"train": train, "dev": dev}, tmp_path)
    assert load_dataset(paths[0]) == loaded.dataset.subset(train)
    assert load_dataset(paths[1]) == loaded.dataset.subset(dev)
