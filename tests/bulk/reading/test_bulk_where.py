from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from affekt.bulk.reading.where import parse
from affekt.errors import AffektError, SettingError


def matches(condition: str, **row: Any) -> bool:
    found = parse(condition)
    assert found.columns <= row.keys()
    return found.mask({name: [value] for name, value in row.items()}, 1)[0]


@pytest.mark.parametrize(
    ("condition", "value", "expected"),
    [
        ("a = 3", "3", True),
        ("a = 3", "3.0", True),
        ("a = 3", 3, True),
        ("a = 3", "three", False),
        ("a != 3", "three", True),
        ("a >= 4", "10", True),
        ("a >= 4", "9", True),
        ("a < -1.5", "-2", True),
        ("a > 1e3", 1001, True),
        ("a = 9007199254740993", 9007199254740992, False),
        ("a = 9007199254740993", "9007199254740993", True),
        ("a > 3", None, False),
        ("a > 3", "", False),
        ("a > 3", True, False),
        ("a = '3'", "3", True),
        ("a = '3'", "3.0", False),
        ("a = en", "en", True),
        ("a = en", "EN", False),
        ("a == 'en-GB'", "en-GB", True),
        ("a <> en", "en", None),
        ("a contains love", "I love it", True),
        ("a contains 'a b'", "xa bx", True),
        ("a contains 3", "a3", True),
        ("a contains x", None, False),
        ("a = true", True, True),
        ("a = true", "TRUE", True),
        ("a = true", "1", True),
        ("a = false", "yes", False),
        ("a = null", None, True),
        ("a = null", "", True),
        ("a != null", "x", True),
        ("a != null", "", False),
        ("a = 'null'", "null", True),
        ("a >= 2024-01-01", "2024-06-30", True),
    ],
)
def test_comparisons(condition: str, value: Any, expected: bool | None) -> None:
    if expected is None:
        with pytest.raises(SettingError):
            parse(condition)
    else:
        assert matches(condition, a=value) is expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("a = 1 or b = 1 and c = 1", True),
        ("(a = 1 or b = 1) and c = 1", False),
        ("not a = 2", True),
        ("not (a = 1 or b = 1)", False),
        ("NOT a = 1 OR b = 2", True),
        ("a=1 AND b=2", True),
        ("((a=1))", True),
        ("not not a=1", True),
    ],
)
def test_and_or_not_and_parentheses(condition: str, expected: bool) -> None:
    row = {name: value for name, value in {"a": 1, "b": 2, "c": 3}.items() if name in parse(condition).columns}
    assert matches(condition, **row) is expected


def test_names_with_blanks_stand_in_quotes() -> None:
    assert parse("`the text` = 1 and \"b c\" = 2 and 'd' = 3").columns == {"the text", "b c", "d"}
    assert matches("`and` = 1", **{"and": 1})


def test_lines_may_be_broken() -> None:
    assert matches(" a\n=\n1 ", a=1)


@pytest.mark.parametrize(
    ("condition", "place"),
    [
        ("", "at its end"),
        ("a", "at its end"),
        ("a =", "at its end"),
        ("a = 1 and", "at its end"),
        ("a = 1 b = 2", "near 'b = 2'"),
        ("= 1", "near '= 1'"),
        ("a = = 1", "near '= = 1'|near '= 1'"),
        ("(a = 1", "at its end"),
        ("a = 1)", r"near '\)'"),
        ("a = 'open", "near"),
        ("a ~ 1", "near '~ 1'"),
        ("and = 1", "near 'and = 1'"),
    ],
)
def test_a_mistake_is_shown_where_it_is(condition: str, place: str) -> None:
    with pytest.raises(SettingError, match=f"cannot be understood ({place})"):
        parse(condition)


def test_null_has_no_order() -> None:
    with pytest.raises(SettingError, match="null can be compared with = and != only"):
        parse("a < null")


def test_nesting_has_an_end() -> None:
    assert matches("(" * 40 + "a = 1" + ")" * 40, a=1)
    with pytest.raises(SettingError, match="nested more than 50 deep"):
        parse("(" * 10_000)
    with pytest.raises(SettingError, match="nested more than 50 deep"):
        parse("not " * 10_000 + "a = 1")


def test_a_long_chain_is_not_nested() -> None:
    assert matches(" or ".join(f"a = {number}" for number in range(2000)), a=1999)


@pytest.mark.parametrize("hostile", ["__import__('os')", "a.__class__ = 1; b", "a = {} [0]", "lambda: 0"])
def test_nothing_is_ever_run(hostile: str) -> None:
    with pytest.raises(SettingError):
        parse(hostile)


@given(st.text(max_size=40))
def test_any_condition_is_understood_or_refused_in_a_sentence(condition: str) -> None:
    try:
        found = parse(condition)
    except AffektError:
        return
    assert len(found.mask({name: ["x"] for name in found.columns}, 1)) == 1


@given(st.lists(st.one_of(st.none(), st.integers(), st.text(max_size=4)), max_size=6), st.integers(-9, 9))
def test_not_is_the_complement(values: list[Any], number: int) -> None:
    cells = {"a": values}
    plain = parse(f"a > {number}").mask(cells, len(values))
    negated = parse(f"not a > {number}").mask(cells, len(values))
    assert [not met for met in plain] == negated
