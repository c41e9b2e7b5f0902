import pytest

from affekt.data.reading.headers import canonical, is_header


@pytest.mark.parametrize(
    ("first", "rows", "expected"),
    [
        (["text", "joy", "anger"], [["hi there", "1", "0"]], True),
        (["Comment Text", "a", "b"], [["hi", "x", "y"]], True),
        (["text", "joy", "joy"], [["hi", "1", "0"]], True),
        (["My favourite food", "27", "eebbqej"], [["Now if he does", "27", "ed00q6i"]], False),
        (["!", "1, 4, 7"], [["... And", "8, 1"]], False),
        (["words", "joy", "anger"], [["hi there", "1", "0"], ["bye", "0", "1"]], True),
        (["words", "0", "1", "2"], [["hi", "1", "0", "0"], ["ho", "0", "0", "1"]], True),
        (["hi", "0", "1", "2"], [["ho", "3", "7", "2"]], False),
        (["", "joy"], [["0", "1"], ["1", "0"]], True),
        (["phrase", "feels"], [["a rather longer sentence than the header", "joy"]] * 3, True),
        (["hello you", "joy"], [["hello me", "anger"]], False),
        (["hello"], [["how are you"]], False),
        (["text"], [["how are you"]], True),
        (["text", "labels"], [], True),
    ],
)
def test_is_header(first, rows, expected):
    assert is_header(first, rows) is expected


def test_canonical_names():
    assert canonical(" Comment-Text ") == "comment_text"
    assert canonical("Unnamed: 0") == "unnamed: 0"
