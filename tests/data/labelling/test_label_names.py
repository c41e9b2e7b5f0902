import json

import pytest

from affekt.data.labelling.label_names import find_label_names, read_label_names
from affekt.errors import DataError


def test_names_in_place():
    names = read_label_names(["anger", "joy"])
    assert names.names == ("anger", "joy")
    assert [names.position(token) for token in ("joy", "0", "1", "01", "2", "fear")] == [1, 0, 1, 1, None, None]


def test_names_joined_by_commas_and_ids_from_one():
    names = read_label_names("anger, joy", first_id=1)
    assert [names.position(token) for token in ("0", "1", "2")] == [None, 0, 1]


def test_a_name_of_digits_is_a_name_first():
    assert read_label_names(["7", "0"]).position("0") == 1


@pytest.mark.parametrize(
    "content",
    [
        "anger\njoy\n",
        "\ufeffanger\r\n\r\n joy \r\n",
        "0 anger\n1 joy",
        "1: joy\n0: anger\n",
        "0\tanger\n1\tjoy\n",
        "0,anger\n1,joy\n",
        '["anger", "joy"]',
        '{"1": "joy", "0": "anger"}',
        json.dumps({"model_type": "bert", "id2label": {"0": "anger", "1": "joy"}}),
    ],
)
def test_files(write, content):
    path = write("names.txt", content)
    names = read_label_names(path)
    assert names.names == ("anger", "joy")
    assert names.position("1") == 1
    assert names.source == "'names.txt'"
    assert names.file == path


def test_a_numbered_file_says_where_ids_start(write):
    names = read_label_names(str(write("names.txt", "1 anger\n2 very happy\n9 joy\n")))
    assert names.names == ("anger", "very happy", "joy")
    assert [names.position(token) for token in ("0", "1", "9")] == [None, 0, 2]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("joy\njoy\n", "'joy' stands twice"),
        ("0 joy\n1 joy\n", "'joy' stands twice"),
        ('{"a": "joy"}', "holds no label names"),
        ("[1, 2]", "holds no label names"),
        ("{", "is not valid JSON"),
        ("[" * 100_000, "is not valid JSON"),
        ("[]", "a name is empty"),
        (bytes(300), "binary"),
    ],
)
def test_unusable_files(write, content, sentence):
    with pytest.raises(DataError, match=sentence):
        read_label_names(write("names.txt", content))


@pytest.mark.parametrize("names", [["joy", "joy"], ["joy", " "], [], "joy,,anger"])
def test_unusable_names(names):
    with pytest.raises(DataError, match="cannot be used"):
        read_label_names(names)


def test_a_missing_file_is_said_to_be_missing():
    with pytest.raises(DataError, match="There is no file"):
        read_label_names("nowhere.txt")


def test_a_file_beside_the_table_is_found(write, tmp_path):
    assert find_label_names(tmp_path) is None
    write("emotions.txt", "anger\njoy\n")
    assert find_label_names(tmp_path).names == ("anger", "joy")
    write("labels.txt", "fear\n")
    assert find_label_names(tmp_path).names == ("fear",)
