import pytest
from hypothesis import given
from hypothesis import strategies as st

from affekt.data.duplicates import group_numbers, normalised, text_groups


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Thank you!", "thank  you"),
        ("Don’t", "don't"),
        ("STRASSE", "straße"),
        ("ｆｕｌｌ　ｗｉｄｔｈ", "full width"),
        ("wait... what?!", "Wait, what"),
    ],
)
def test_alike(first, second):
    assert normalised(first) == normalised(second)


@pytest.mark.parametrize(
    ("first", "second"), [("great 😀", "great 😢"), ("!", "?"), ("3 cats", "4 cats"), ("", "."), ("naive", "naïve")]
)
def test_not_alike(first, second):
    assert normalised(first) != normalised(second)


@given(st.text())
def test_white_space_is_single_spaces(text):
    assert normalised(text) == " ".join(normalised(text).split())


@given(st.text(st.characters(codec="ascii")))
def test_normalising_twice_changes_nothing(text):
    assert normalised(normalised(text)) == normalised(text)
    assert bool(normalised(text)) == bool(text.strip())


def test_group_numbers_follow_first_appearance():
    assert group_numbers(["b", "a", "b"]).tolist() == [0, 1, 0]
    assert text_groups(["Hi!", "bye", "hi"]).tolist() == [0, 1, 0]
