import pytest

from affekt.data import ReadOptions, detect_layout, read_table
from affekt.errors import DataError, SettingError


def found(path, **options):
    given = ReadOptions(**options)
    return detect_layout(read_table(path, given), given)


def test_one_column_per_label(write):
    layout = found(write("t.csv", "id,text,joy,anger,author\n7,hi there,1,0,me\n8,bye,0,1,you\n"))
    assert (layout.kind, layout.text, layout.row_id, layout.labels) == ("columns", "text", "id", ("joy", "anger"))
    assert layout.unused == ("author",)
    assert layout.sentence() == (
        "Layout 'columns': texts in column 'text', 2 0/1 columns (joy, anger), row ids in 'id'. Not used: author."
    )


def test_numbers_win_over_true_and_false(write):
    layout = found(write("t.csv", "text,unclear,joy,anger\nhi there,True,1,0\nbye,False,0,1\n"))
    assert layout.labels == ("joy", "anger")
    assert found(write("u.csv", "text,joy,anger\nhi,true,false\nbye,false,true\n")).labels == ("joy", "anger")


def test_a_column_that_is_mostly_flags_is_one_and_a_rating_is_not(write):
    rows = "".join("hi,1,0,4\n" for _ in range(20))
    layout = found(write("t.csv", f"text,joy,anger,stars\n{rows}bye,x,1,5\n"))
    assert layout.labels == ("joy", "anger")


@pytest.mark.parametrize(
    ("cells", "separators"), [(("joy,anger", "joy"), ","), (("joy;anger", "joy"), ";"), (("joy|anger", "joy"), "|")]
)
def test_names_in_a_list_column(write, cells, separators):
    layout = found(write("t.csv", f'text,emotions\nhi there,"{cells[0]}"\nbye now,"{cells[1]}"\n'))
    assert (layout.kind, layout.labels, layout.separators, layout.ids) == ("list", ("emotions",), separators, False)


def test_ids_with_a_label_file_beside(write):
    write("labels.txt", "anger\njoy\n")
    layout = found(write("t.tsv", "hi there\t0,1\teebbqej\nbye now\t1\ted00q6i\n"))
    assert (layout.kind, layout.text, layout.labels, layout.row_id) == ("list", "column1", ("column2",), "column3")
    assert layout.ids
    assert layout.names.names == ("anger", "joy")
    assert "label ids joined by ',' in 'column2' (named by 'labels.txt')" in layout.sentence()


def test_ids_that_nothing_names_ask_for_names(write):
    with pytest.raises(DataError, match="holds label ids and nothing names them") as caught:
        found(write("t.tsv", "hi there\t1, 4\nbye now\t8\n"))
    assert "--first-id 1" in caught.value.hint


def test_a_label_file_about_something_else_is_ignored(write):
    write("labels.txt", "spam\nham\n")
    layout = found(write("t.csv", "text,label\nhi there,joy\nbye now,anger\n"))
    assert layout.names is None


def test_long_form_by_text_and_by_id(write):
    by_text = write("t.csv", "text,label\nhi there,joy\nhi there,anger\nbye,joy\n")
    assert found(by_text).kind == "long"
    by_id = write("u.csv", "id,text,label\n1,hi there,joy\n1,hi there,anger\n2,hi there,joy\n")
    assert (found(by_id).kind, found(by_id).row_id) == ("long", "id")
    assert "label names, one per row, in 'label'" in found(by_text).sentence()


def test_repeated_texts_with_the_same_label_are_duplicates_not_long_form(write):
    path = write("t.csv", "text,label\nhi there,joy\nhi there,joy\nbye,anger\n")
    assert found(path).kind == "list"
    assert found(path, layout="long").kind == "long"


def test_a_list_is_never_long_form(write):
    path = write("t.csv", "text,label\nhi there,joy\nhi there,anger|joy\nbye,joy\n")
    assert found(path).kind == "list"


def test_known_names_choose_their_columns(write):
    path = write("t.csv", "text,joy,anger,spam\nhi there,1,0,1\nbye,0,1,0\n")
    assert found(path, label_names="joy,anger").labels == ("joy", "anger")


def test_everything_can_be_overruled(write):
    path = write("t.csv", "a,b,c,d\nhi there you,so long a sentence,1,0\nbye,and another,0,1\n")
    layout = found(path, text="1", labels="d,c", row_id="b")
    assert (layout.text, layout.labels, layout.row_id) == ("a", ("d", "c"), "b")
    assert found(path, layout="none").kind == "none"
    assert found(path, labels=["c"]).kind == "columns"


def test_a_column_whose_name_has_a_comma(write):
    path = write("t.csv", 'text,"joy, fun",anger\nhi there,1,0\nbye,0,1\n')
    assert found(path, labels="joy, fun").labels == ("joy, fun",)


def test_labels_in_a_column_of_any_name(write):
    path = write("t.csv", "phrase,mood\nso long a sentence as this,joy\nanother sentence,anger\n")
    assert found(path).labels == ("mood",)


def test_text_only(write):
    layout = found(write("t.csv", "id,body\na1,hello there\na2,how are you\n"))
    assert (layout.kind, layout.text, layout.row_id) == ("none", "body", "id")
    assert layout.sentence() == "Layout 'none': texts in column 'body', no labels, row ids in 'id'."


def test_flag_columns_need_not_be_strings(write):
    lines = '{"text": "a b", "joy": 1, "anger": false}\n{"text": "c", "joy": 0, "anger": true}\n'
    assert found(write("t.jsonl", lines)).kind == "columns"


@pytest.mark.parametrize(
    ("options", "error", "sentence"),
    [
        ({"text": "nope"}, DataError, "has no column 'nope'"),
        ({"labels": "joy,nope"}, DataError, "has no column 'nope'"),
        ({"row_id": "nope"}, DataError, "has no column 'nope'"),
        ({"text": "joy", "labels": "joy"}, SettingError, "both the texts and the labels"),
        ({"labels": "joy,anger", "layout": "list"}, SettingError, "needs one column of labels, but 2"),
        ({"label_names": "nowhere.txt"}, DataError, "There is no file"),
    ],
)
def test_contradictions(write, options, error, sentence):
    with pytest.raises(error, match=sentence):
        found(write("t.csv", "text,joy,anger\nhi there,1,0\nbye,0,1\n"), **options)


def test_a_layout_that_is_asked_for_must_be_there(write):
    with pytest.raises(DataError, match="has no column of labels"):
        found(write("t.csv", "text\nhi there\n"), layout="list")


def test_numbers_alone_are_no_texts(write):
    with pytest.raises(DataError, match="has no column of texts"):
        found(write("t.csv", "a,b\n1,2\n3,4\n"), header=True)


@pytest.mark.parametrize(
    ("name", "kind", "text", "labels"),
    [
        ("goemotions/train.tsv", "list", "column1", 1),
        ("goemotions/dev.tsv", "list", "column1", 1),
        ("aux/brighter_eng_train.csv", "columns", "text", 5),
        ("aux/brighter_eng_dev.csv", "columns", "text", 5),
        ("throughput/reddit_10k.csv.gz", "none", "body", 0),
    ],
)
def test_real_tables(data_dir, name, kind, text, labels):
    layout = found(data_dir / name)
    assert (layout.kind, layout.text, len(layout.labels)) == (kind, text, labels)
