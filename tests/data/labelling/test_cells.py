import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from affekt.data.labelling.cells import SEPARATORS, as_flag, as_labels, as_text, cell_keys, is_blank, is_id


@pytest.mark.parametrize("value", [None, float("nan"), "", "  \t\n"])
def test_blank(value):
    assert is_blank(value)
    assert as_text(value).strip() == ""


@pytest.mark.parametrize("value", ["a", 0, 0.0, False, [], "0"])
def test_not_blank(value):
    assert not is_blank(value)


@pytest.mark.parametrize(
    ("value", "text"), [("a b", "a b"), (3, "3"), (2.5, "2.5"), (["a"], '["a"]'), (b"caf\xe9", "caf�"), ("\ud800", "�")]
)
def test_as_text(value, text):
    assert as_text(value) == text


@pytest.mark.parametrize(
    ("value", "flag"),
    [
        ("1", 1), ("0", 0), (" 1.0 ", 1), ("0.25", 0.25), ("TRUE", 1), ("False", 0), ("yes", 1), (1, 1), (True, 1),
        (0.5, 0.5), ("1e-3", 0.001),
    ],
)  # fmt: skip
def test_flags(value, flag):
    assert as_flag(value) == flag


@pytest.mark.parametrize("value", ["", "nan", "NA", "null", "None", None, float("nan"), " "])
def test_missing_flags(value):
    assert math.isnan(as_flag(value))


@pytest.mark.parametrize("value", ["2", "-1", "joy", "9" * 5000, 2, -0.1, 10**400, float("inf"), [1], {"a": 1}, b"1"])
def test_what_is_no_flag(value):
    assert as_flag(value) is None


@pytest.mark.parametrize(
    ("value", "labels"),
    [
        ("joy", ("joy",)),
        ("joy,anger", ("joy", "anger")),
        ("joy; anger |fear", ("joy", "anger", "fear")),
        ("very happy, sad", ("very happy", "sad")),
        ("1, 4, 7", ("1", "4", "7")),
        ("3 10", ("3", "10")),
        ('["joy", "anger"]', ("joy", "anger")),
        ("['joy', 'anger']", ("joy", "anger")),
        ("['joy' 'anger']", ("joy", "anger")),
        ("[ 3 10]", ("3", "10")),
        ("[27]", ("27",)),
        ("[3.0, 1]", ("3", "1")),
        ("(1, 2)", ("1", "2")),
        ("{'joy'}", ("joy",)),
        ("[]", ()),
        ("", ()),
        (None, ()),
        (",joy,,", ("joy",)),
        ("joy,joy", ("joy", "joy")),
        (["joy", None, " anger "], ("joy", "anger")),
        ([1, 2.0], ("1", "2")),
        (5, ("5",)),
        (5.0, ("5",)),
        ("5.0", ("5",)),
    ],
)
def test_labels(value, labels):
    assert as_labels(value, SEPARATORS) == labels


@pytest.mark.parametrize("value", [{"joy": 1}, [["joy"]], [{"name": "joy"}], '{"joy": 1}', "[[1], [2]]", True])
def test_what_is_no_list_of_labels(value):
    assert as_labels(value, SEPARATORS) is None


def test_a_label_may_hold_what_does_not_separate():
    assert as_labels("joy, or so|anger", "|") == ("joy, or so", "anger")
    assert as_labels("joy, or so", "") == ("joy, or so",)


@given(st.text(max_size=40) | st.integers() | st.floats() | st.lists(st.none() | st.text(max_size=5), max_size=4))
def test_any_cell_gives_tokens_or_none(value):
    labels = as_labels(value, SEPARATORS)
    assert labels is None or all(isinstance(label, str) for label in labels)
    flag = as_flag(value)
    assert flag is None or math.isnan(flag) or 0 <= flag <= 1
    as_text(value).encode("utf-8")


def test_deeply_nested_brackets_do_not_break():
    cell = "[" * 100_000 + "]" * 100_000
    assert as_labels(cell, SEPARATORS) == (cell[1:-1],)


def test_cell_keys_can_be_looked_up():
    assert cell_keys(["a", 1, None]) == ["a", 1, None]
    assert cell_keys([["a"], ["a"], "b"]) == ["['a']", "['a']", "b"]


def test_ids_are_ascii_digits():
    assert is_id("12")
    assert not any(is_id(token) for token in ("", "-1", "1.5", "²", "٣", "a"))
