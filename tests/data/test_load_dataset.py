import logging

import numpy as np
import pytest

from affekt.data import ReadOptions, load_dataset, read_labelled
from affekt.errors import AffektError, DataError, SettingError

FLAGS = "id,text,joy,anger\n1,hi there,1,0\n2,bye,0,0\n3,so so,0,1\n"


def test_columns(write):
    dataset = load_dataset(write("moods.csv.gz", FLAGS))
    assert dataset.name == "moods"
    assert dataset.labels == ("joy", "anger")
    assert dataset.ids == ("1", "2", "3")
    np.testing.assert_array_equal(dataset.targets, [[1, 0], [0, 0], [0, 1]])


@pytest.mark.parametrize(
    "table",
    [
        'text,labels\nhi there,"joy,anger"\nbye,\nso so,anger\n',
        'text,labels\nhi there,joy|anger\nbye,""\nso so,anger\n',
        'text,labels\nhi there,"[""joy"", ""anger""]"\nbye,[]\nso so,"[""anger""]"\n',
        "text,labels\nhi there,\"['joy', 'anger']\"\nbye,[]\nso so,['anger']\n",
        'text,labels\nhi there,"0,1"\nbye,\nso so,0\n',
        "text,labels\nhi there,[0 1]\nbye,[]\nso so,[0]\n",
    ],
)
def test_every_list_column_gives_the_same(write, table):
    write("labels.txt", "anger\njoy\n")
    dataset = load_dataset(write("t.csv", table))
    assert dataset.labels == ("anger", "joy")
    np.testing.assert_array_equal(dataset.targets, [[1, 1], [0, 0], [1, 0]])


def test_names_from_the_cells_are_sorted(write):
    assert load_dataset(write("t.csv", "text,label\na b,joy\nc d,anger\n")).labels == ("anger", "joy")


def test_long_form_joins_rows_of_one_text(write):
    table = "id,text,label\nx,hi there,joy\ny,bye,anger\nx,hi there,anger\nz,so so,\n"
    dataset = load_dataset(write("t.csv", table))
    assert dataset.texts == ("hi there", "bye", "so so")
    assert dataset.ids == ("x", "y", "z")
    np.testing.assert_array_equal(dataset.targets, [[1, 1], [1, 0], [0, 0]])


def test_an_index_column_without_a_name_holds_the_ids(write):
    assert load_dataset(write("t.csv", ",text,joy,anger\n0,a b,1,0\n1,c,0,1\n")).ids == ("0", "1")
    assert load_dataset(write("u.csv", ",text,label\n0,a b,joy\n0,a b,anger\n1,c,joy\n")).ids == ("0", "1")


def test_columns_left_over_from_a_spreadsheet_are_not_used(write):
    dataset = load_dataset(write("t.csv", "text,joy,anger,,\na b,1,0,,\nc,0,1,,\n"))
    assert dataset.labels == ("joy", "anger")


def test_ids_from_one(write):
    path = write("t.tsv", "!\t1, 3\nhello you\t2\n")
    dataset = load_dataset(path, label_names=["anger", "fear", "joy"], first_id=1)
    np.testing.assert_array_equal(dataset.targets, [[1, 0, 1], [0, 1, 0]])
    with pytest.raises(DataError, match="whose ids are 0 to 2: '3'") as caught:
        load_dataset(path, label_names=["anger", "fear", "joy"])
    assert "--first-id 1" in caught.value.hint


@pytest.mark.parametrize(
    ("policy", "labels", "targets"),
    [
        ("keep", ("joy", "anger"), [[1, 0], [0, 0], [0, 1]]),
        ("drop", ("joy", "anger"), [[1, 0], [0, 1]]),
        ("neutral", ("joy", "anger", "neutral"), [[1, 0, 0], [0, 0, 1], [0, 1, 0]]),
    ],
)
def test_texts_without_labels(write, policy, labels, targets):
    dataset = load_dataset(write("t.csv", FLAGS), unlabelled=policy)
    assert dataset.labels == labels
    np.testing.assert_array_equal(dataset.targets, targets)


def test_a_neutral_column_that_exists_is_used(write):
    dataset = load_dataset(write("t.csv", "text,joy,neutral\na b,1,0\nc,0,0\n"), unlabelled="neutral")
    np.testing.assert_array_equal(dataset.targets, [[1, 0], [0, 1]])


@pytest.mark.parametrize(("missing", "value"), [("unknown", np.nan), ("zero", 0)])
def test_empty_cells_of_flag_columns(write, caplog, missing, value):
    path = write("t.csv", "text,joy,anger\na b,1,\nc,,\nd,0,1\n")
    with caplog.at_level(logging.WARNING, "affekt.data"):
        dataset = load_dataset(path, missing=missing)
    np.testing.assert_array_equal(dataset.targets, np.array([[1, value], [value, value], [0, 1]], dtype=np.float32))
    assert "3 cells of label columns are empty" in caplog.text
    with pytest.raises(DataError, match=r"3 cells of label columns are empty: not allowed \(lines 2, 3\)"):
        load_dataset(path, missing="error")


def test_unknown_targets_are_not_the_lack_of_a_label(write):
    path = write("t.csv", "text,joy,anger\na b,1,0\nc,,\nd,0,1\n")
    assert len(load_dataset(path, unlabelled="drop")) == 3


def test_blank_texts_are_left_out_and_said(write, caplog):
    path = write("t.csv", "text,joy,anger\na b,1,0\n  ,0,1\n,1,1\n")
    with caplog.at_level(logging.WARNING, "affekt.data"):
        assert load_dataset(path).texts == ("a b",)
    assert "missing or blank" in caplog.text
    assert "(lines 3, 4)" in caplog.text


def test_soft_scores(write):
    dataset = load_dataset(write("t.csv", "text,joy,anger\na b,0.75,0.1\nc d,0.2,0.9\n"))
    np.testing.assert_allclose(dataset.targets, [[0.75, 0.1], [0.2, 0.9]], rtol=1e-6)


BAD_ROWS = [
    ("t.csv", "text,joy,anger\nfine,1,0\n" + "ok,0,1\n" * 19 + "bad,7,0\n", "'joy' holds '7'", "line 22"),
    ("t.csv", "text,joy,anger\nfine,1,0\nbad, one,1,0\n", "1 row does not fit", "line 3"),
    ("t.jsonl", '{"text": "fine", "label": "joy"}\n{"text"\n', "not a JSON object", "line 2"),
    (
        "t.jsonl",
        '{"text": "fine", "label": "joy"}\n{"text": "a", "label": {"joy": 1}}\n',
        "no list of labels",
        "line 2",
    ),
    ("t.csv", f"text,joy,anger\nfine,1,0\n{'x' * 1_000_001},0,1\n", "1,000,001 characters", "line 3"),
]


@pytest.mark.parametrize(("name", "content", "what", "where"), BAD_ROWS)
def test_bad_rows_stop_or_are_skipped(write, caplog, name, content, what, where):
    path = write(name, content)
    with pytest.raises(DataError, match=what) as caught:
        load_dataset(path)
    assert where in str(caught.value)
    with caplog.at_level(logging.WARNING, "affekt.data"):
        assert load_dataset(path, bad_rows="skip").texts[0] == "fine"
    assert "Such rows are skipped." in caplog.text


def test_unknown_labels_name_the_label_and_the_line(write):
    path = write("t.csv", "text,labels\na b,joy\nc d,jooy\ne f,anger\ng h,jooy\n")
    with pytest.raises(DataError, match=r"Not among the 2 label names of the given names: 'jooy' \(lines 3, 5\)"):
        load_dataset(path, label_names=["anger", "joy"])
    assert len(load_dataset(path, label_names=["anger", "joy"], bad_rows="skip")) == 2


def test_texts_taken_for_labels(write):
    rows = "".join(f"some text,another text {n}\n" for n in range(2001))
    with pytest.raises(DataError, match="Column 'labels' holds 2,001 different labels; 2,000 is the most"):
        load_dataset(write("t.csv", f"text,labels\n{rows}"))


def test_repeated_labels_count_once(write, caplog):
    with caplog.at_level(logging.WARNING, "affekt.data"):
        dataset = load_dataset(write("t.csv", "text,labels\na b,joy|joy\nc d,anger\n"))
    np.testing.assert_array_equal(dataset.targets, [[0, 1], [1, 0]])
    assert "repeated within a row, and count once: 'joy'. (line 2)" in caplog.text


def test_long_form_tells_of_repeats_and_differing_texts(write):
    table = "id,text,label\n1,hi there,joy\n1,hi there,joy\n2,bye,joy\n2,good bye,anger\n"
    loaded = read_labelled(write("t.csv", table), ReadOptions(layout="long"))
    assert {(f.code, f.lines) for f in loaded.findings} == {("repeated-labels", (3,)), ("differing-texts", (5,))}


def test_no_labels_is_said_with_the_columns(write):
    with pytest.raises(DataError, match="has no column of labels") as caught:
        load_dataset(write("t.csv", "id,text\n1,hi there\n2,bye\n"))
    assert "id, text" in caught.value.hint


def test_wrong_options_are_refused_before_reading():
    with pytest.raises(SettingError, match="layout must be one of"):
        load_dataset("nowhere.csv", layout="wide")


def test_rows_lead_to_texts_and_back(write):
    table = "text,joy,anger\na b,1,0\n,1,0\nc d,0,0\ne f,0,1\n"
    loaded = read_labelled(write("t.csv", table), ReadOptions(unlabelled="drop"))
    assert loaded.text_of.tolist() == [0, -1, -1, 1]
    assert loaded.lines.tolist() == [2, 5]
    assert loaded.usable


def test_surrogates_become_replacement_characters(write):
    lines = '{"text": "a \\ud800 b", "label": "joy"}\n{"text": "c", "label": "anger"}\n'
    assert load_dataset(write("t.jsonl", lines)).texts[0] == "a � b"


@pytest.mark.parametrize(
    "content",
    [b"", b"\n\n", bytes(200), b"text,joy\n", b"PK\x03\x04" + bytes(99), b'text,joy\n"a,1\n', b"1,2\n3,4\n"],
)
def test_hopeless_files_are_one_sentence(write, content):
    with pytest.raises(AffektError) as caught:
        load_dataset(write("t.csv", content))
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize(("name", "texts", "labels"), [("train", 43_410, 51_103), ("dev", 5_426, 6_380)])
def test_goemotions(data_dir, name, texts, labels):
    dataset = load_dataset(data_dir / "goemotions" / f"{name}.tsv")
    assert len(dataset) == len(set(dataset.ids)) == texts
    assert dataset.targets.sum() == labels
    assert dataset.labels == tuple((data_dir / "goemotions" / "labels.txt").read_text().split())


def test_auxiliary_corpora(data_dir):
    names = "anger,anticipation,disgust,fear,joy,sadness,surprise,trust"
    subtitles = load_dataset(data_dir / "aux" / "xed_en.tsv", label_names=names, first_id=1)
    assert len(subtitles) == 17_528
    assert subtitles.texts[1] == "!"
    np.testing.assert_array_equal(subtitles.targets[1], [1, 0, 0, 1, 0, 0, 1, 0])
    posts = load_dataset(data_dir / "aux" / "brighter_eng_train.csv")
    assert (len(posts), posts.labels) == (2_764, ("anger", "fear", "joy", "sadness", "surprise"))
