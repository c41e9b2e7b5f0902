import pytest

from affekt.data import read_table
from affekt.errors import DataError
from affekt.export.samples import read_form

LABELS = ("anger", "joy", "very sad")


@pytest.fixture
def form(tmp_path):
    def read(content, test_columns=("id", "text"), **options):
        path = tmp_path / "sample.csv"
        path.write_text(content)
        return read_form(read_table(path), LABELS, test_columns, **options)

    return read


def test_one_column_per_label_in_any_spelling(form):
    found = form("id,Joy,ANGER,very_sad\n1,0,0,0\n")
    assert found.row_id == "id"
    assert found.columns == {"Joy": "joy", "ANGER": "anger", "very_sad": "very sad"}
    assert found.sentence() == "One column per label (3), cells hold 0 or 1; ids in 'id'."


@pytest.mark.parametrize(
    ("cell", "values", "no_yes"),
    [
        ("0", "decisions", ("0", "1")),
        ("1", "decisions", ("0", "1")),
        ("0.0", "decisions", ("0.0", "1.0")),
        ("False", "decisions", ("False", "True")),
        ("true", "decisions", ("false", "true")),
        ("0.5", "scores", ("0", "1")),
        ("", "decisions", ("0", "1")),
    ],
)
def test_cells_say_what_is_wanted(form, cell, values, no_yes):
    found = form(f"id,joy,anger\n1,{cell},{cell}\n")
    assert (found.values, found.no_yes) == (values, no_yes)
    assert form(f"id,joy,anger\n1,{cell},{cell}\n", values="scores").values == "scores"


@pytest.mark.parametrize(
    ("cells", "join", "ids"),
    [
        (["joy", "anger"], ",", False),
        (['"joy,anger"', "joy"], ",", False),
        (['"joy, anger"', "joy"], ", ", False),
        (["joy;very sad", "joy"], ";", False),
        (["joy|anger", ""], "|", False),
        (["0 2", "1"], " ", True),
        (['"0,2"', "1"], ",", True),
        (["1", "0"], ",", True),
        (['"[""joy"", ""anger""]"', "[]"], "json", False),
        (["\"['joy', 'anger']\"", "[]"], "python", False),
        (['"[0, 2]"', "[1]"], "json", True),
        (["", ""], ",", False),
        (["Very Sad", "joy"], ",", False),
    ],
)
def test_list_columns(form, cells, join, ids):
    rows = "".join(f"{number},{cell}\n" for number, cell in enumerate(cells))
    found = form(f"id,labels\n{rows}")
    assert (found.list_column, found.join, found.ids) == ("labels", join, ids)


def test_the_samples_spelling_is_kept(form):
    assert form("id,labels\n1,Joy;Very Sad\n").spelling == {"joy": "Joy", "very sad": "Very Sad"}


def test_a_separator_can_be_given(form):
    assert form("id,labels\n1,joy\n", separator=" / ").join == " / "


def test_columns_of_the_test_table_are_copied(form):
    assert form("id,text,joy,anger\n1,hi,0,0\n").copied == ("text",)
    assert form("id,text,labels\n1,hi,joy\n").copied == ("text",)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("id,joy,anger,trust\n1,0,0,0\n", "'trust' of the sample .* is neither a label"),
        ("id,labels\n1,trust\n", "holds 'trust', no label of the model"),
        ("id\n1\n", "has no column for labels"),
        ("id,first,second\n1,joy,anger\n", "No column of the sample .* first, second"),
    ],
)
def test_samples_that_do_not_fit(form, content, sentence):
    with pytest.raises(DataError, match=sentence):
        form(content)


def test_the_id_column(form):
    assert form("labels,text_id\njoy,1\n").row_id == "text_id"
    assert form("key_id,labels\n7,joy\n").row_id == "key_id"
    assert form("name,labels\n7,joy\n").row_id == "name"
    assert form("id,number,joy\n1,2,0\n", row_id="number", test_columns=("id",)).row_id == "number"
