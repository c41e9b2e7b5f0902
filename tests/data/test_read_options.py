import pytest

from affekt.data import ReadOptions
from affekt.errors import SettingError


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("layout", "wide"), ("unlabelled", "maybe"), ("missing", "nan"), ("bad_rows", "ignore"), ("delimiter", ""),
        ("delimiter", ";;"), ("delimiter", '"'), ("delimiter", "\n"), ("separator", ""), ("first_id", -1),
    ],
)  # fmt: skip
def test_values_outside_what_is_allowed(setting, value):
    with pytest.raises(SettingError, match=setting):
        ReadOptions(**{setting: value})


def test_the_sentence_names_what_is_allowed_and_what_was_given():
    with pytest.raises(SettingError, match=r"keep, drop, neutral, but it is 'maybe'"):
        ReadOptions(unlabelled="maybe")
