import json
from pathlib import Path

import pytest

from affekt.data.reading.jsonlines import parse
from affekt.errors import DataError

HERE = Path("table.jsonl")


def test_columns_in_order_of_appearance_and_none_where_missing():
    records = parse('{"text": "a", "n": 1}\n\n{"more": [1], "text": "b"}\n', HERE)
    assert records.columns == ("text", "n", "more")
    assert records.cells == (["a", "b"], [1, None], [None, [1]])
    assert records.numbers == [0, 2]


def test_texts_may_hold_any_line_separator():
    line = json.dumps({"text": "a\u2028b\x85c\r"}, ensure_ascii=False)
    assert parse(f"{line}\r\n{line}", HERE).cells == (["a\u2028b\x85c\r"] * 2,)


@pytest.mark.parametrize("bad", ['{"text":', "[1, 2]", "7", "[" * 100_000, '{"n": ' + "9" * 5000 + "}", "NaN"])
def test_lines_that_are_not_objects_become_one_finding(bad):
    records = parse(f'{{"text": "a"}}\n{bad}\n{bad}\n', HERE)
    (finding,) = records.findings
    assert (finding.code, finding.severity, finding.lines) == ("broken-json", "error", (2, 3))
    assert records.cells == (["a"],)


def test_an_array_is_refused_with_a_way_out():
    with pytest.raises(DataError, match="no line is a JSON object") as caught:
        parse('[{"text": "a"}]', HERE)
    assert "jq" in caught.value.hint
