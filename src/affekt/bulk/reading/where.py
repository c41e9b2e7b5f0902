"""``--where``: which rows to keep, in a small language that can do nothing but compare.

``stars >= 4 and (lang = en or lang = 'en-GB') and not body contains "[deleted]"``

A comparison is a column, an operator (``= == != < <= > >= contains``) and a value. A number is compared as a number:
cells that are not numbers do not match. ``null`` finds missing cells, ``true`` and ``false`` find truth values;
anything else is compared as text. Names and values with blanks or signs stand in quotes, columns also in backticks.
"""

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from affekt.errors import SettingError

Cells = Mapping[str, Sequence[Any]]
Test = Callable[[Cells, int], bool]

_TOKEN = re.compile(
    r"""\s*(?:(?P<quoted>'[^']*'|"[^"]*"|`[^`]*`)|(?P<sign><=|>=|==|!=|=|<|>|\(|\))|(?P<word>[^\s()<>=!'"`]+))"""
)
_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq, "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le,
    ">": operator.gt, ">=": operator.ge, "contains": lambda cell, value: str(value) in str(cell),
}  # fmt: skip
_NESTING = 50
_SHOWN = 40


@dataclass(frozen=True)
class _Token:
    text: str
    quoted: bool
    place: int

    def is_word(self, *words: str) -> bool:
        return not self.quoted and self.text.lower() in words


@dataclass(frozen=True)
class Filter:
    """A parsed condition.

    Attributes:
        columns: the columns that it looks at.
        test: whether row ``i`` of the cells meets it.
    """

    columns: frozenset[str]
    test: Test

    def mask(self, cells: Cells, rows: int) -> list[bool]:
        """Which of ``rows`` rows meet the condition; ``cells`` has every column of ``columns``."""
        test = self.test
        return [test(cells, row) for row in range(rows)]


def parse(condition: str) -> Filter:
    """The filter that a condition describes.

    Raises:
        SettingError: showing where it cannot be understood.
    """
    return _Parser(condition).whole()


class _Parser:
    def __init__(self, condition: str) -> None:
        self._condition = condition
        self._tokens = self._split()
        self._next = 0
        self._depth = 0
        self._columns: set[str] = set()

    def _split(self) -> list[_Token]:
        tokens, place = [], 0
        text = self._condition.rstrip()
        while place < len(text):
            found = _TOKEN.match(text, place)
            if not found:
                raise self._error(place)
            quoted = found["quoted"] is not None
            token = found["quoted"][1:-1] if quoted else found["sign"] or found["word"]
            tokens.append(_Token(token, quoted, found.start(found.lastgroup or 0)))
            place = found.end()
        return tokens

    def _error(self, place: int | None = None) -> SettingError:
        if place is None:
            place = self._tokens[self._next].place if self._next < len(self._tokens) else len(self._condition)
        here = f"near '{self._condition[place : place + _SHOWN]}'" if place < len(self._condition) else "at its end"
        return SettingError(
            f"The condition cannot be understood {here}.",
            hint="Write: column = value, joined by and, or, not; for instance: stars >= 4 and lang = 'en'.",
        )

    def _peek(self, *words: str) -> bool:
        return self._next < len(self._tokens) and self._tokens[self._next].is_word(*words)

    def _take(self) -> _Token:
        if self._next >= len(self._tokens):
            raise self._error()
        self._next += 1
        return self._tokens[self._next - 1]

    def whole(self) -> Filter:
        test = self._any()
        if self._next < len(self._tokens):
            raise self._error()
        return Filter(frozenset(self._columns), test)

    def _any(self) -> Test:
        tests = [self._all()]
        while self._peek("or"):
            self._take()
            tests.append(self._all())
        return tests[0] if len(tests) == 1 else lambda cells, row: any(test(cells, row) for test in tests)

    def _all(self) -> Test:
        tests = [self._single()]
        while self._peek("and"):
            self._take()
            tests.append(self._single())
        return tests[0] if len(tests) == 1 else lambda cells, row: all(test(cells, row) for test in tests)

    def _single(self) -> Test:
        self._depth += 1
        if self._depth > _NESTING:
            raise SettingError(f"The condition is nested more than {_NESTING} deep.")
        try:
            if self._peek("not"):
                self._take()
                inner = self._single()
                return lambda cells, row: not inner(cells, row)
            if self._peek("("):
                return self._group()
            return self._comparison()
        finally:
            self._depth -= 1

    def _group(self) -> Test:
        self._take()
        inner = self._any()
        if not self._peek(")"):
            raise self._error()
        self._take()
        return inner

    def _comparison(self) -> Test:
        column = self._take()
        if column.is_word(*_COMPARE, "(", ")", "and", "or"):
            self._next -= 1
            raise self._error()
        if not self._peek(*_COMPARE):
            raise self._error()
        sign = self._take().text.lower()
        if self._peek(*_COMPARE, "(", ")"):
            raise self._error()
        self._columns.add(column.text)
        return _comparison(column.text, sign, self._take())


def _comparison(column: str, sign: str, token: _Token) -> Test:
    compare = _COMPARE[sign]
    differs = sign == "!="
    if token.is_word("null"):
        if sign not in ("=", "==", "!="):
            raise SettingError(f"null can be compared with = and != only, not with {sign}.")
        return lambda cells, row: _missing(cells[column][row]) is not differs
    read, value = _reading(sign, token)

    def test(cells: Cells, row: int) -> bool:
        cell = read(cells[column][row])
        return differs if cell is None else bool(compare(cell, value))

    return test


def _reading(sign: str, token: _Token) -> tuple[Callable[[Any], Any], Any]:
    """How cells are read to be compared with the value, and the value."""
    if token.quoted or sign == "contains":
        return _as_text, token.text
    if token.is_word("true", "false"):
        return _as_truth, token.text.lower() == "true"
    number = _as_number(token.text)
    return (_as_text, token.text) if number is None else (_as_number, number)


def _missing(cell: Any) -> bool:
    return cell is None or cell == ""


def _as_text(cell: Any) -> str | None:
    return None if cell is None else str(cell)


def _as_truth(cell: Any) -> bool | None:
    words = {"true": True, "false": False, "1": True, "0": False}
    return words.get(str(cell).strip().lower())


def _as_number(cell: Any) -> float | int | None:
    if isinstance(cell, bool) or cell is None:
        return None
    if isinstance(cell, int):
        return cell
    try:
        text = str(cell)
        return int(text) if text.lstrip("+-").isdecimal() and len(text) < 300 else float(text)
    except ValueError:
        return None
