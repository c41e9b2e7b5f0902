"""Nothing that a stranger wrote reaches a terminal as anything but text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from affekt import rendering
from affekt.data.findings import Finding
from affekt.errors import DataError
from affekt.prediction import Prediction
from affekt.printable import printable

NASTY = "a\x1b[31mb\nc\rd\x07e\u202ef\x85g"


@given(st.text())
def test_one_line_of_the_same_length_without_controls(text: str) -> None:
    shown = printable(text)
    assert len(shown) == len(text)
    assert shown.replace("\u200d", "").isprintable()
    assert printable(shown) == shown


def test_letters_and_joined_emoji_stay() -> None:
    assert printable("naïve 日本 👩‍👧 ok") == "naïve 日本 👩‍👧 ok"


def test_errors_are_one_line_whatever_they_quote() -> None:
    error = DataError(f"There is no column '{NASTY}'.", hint="Look.")
    assert str(error) == "There is no column 'a [31mb c d e f g'. Look."


def test_findings_are_one_line_whatever_they_quote() -> None:
    assert Finding("code", "note", NASTY).message == "a [31mb c d e f g"


def test_the_table_of_predictions_shows_texts_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    rendering.write_table([Prediction(NASTY, ("joy",), {"joy": 0.9})])
    shown = capsys.readouterr().out
    assert "a [31mb c d e f g" in shown
    assert "\x1b[31m" not in shown
