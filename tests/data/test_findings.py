import pytest

from affekt.data.findings import Finding, places, raise_errors
from affekt.data.labelling.policies import skipped
from affekt.errors import DataError


def finding(severity="error", code="unknown-labels", **changes):
    given = {"message": "Something is odd.", "hint": "Mend it.", "count": 2, "lines": (3, 8)}
    return Finding(code, severity, **given | changes)


def test_places():
    assert places((), 3) == ""
    assert places((7,), 3) == "line 7"
    assert places((7, 8, 9), 3) == "lines 7, 8, 9"
    assert places(range(1, 2001), 2) == "lines 1, 2 and 1,998 more"
    assert places((7, 8, 9), 2, "row") == "rows 7, 8 and 1 more"


def test_the_first_error_is_raised_with_place_and_hint():
    with pytest.raises(DataError, match=r"^'t.csv': Something is odd \(lines 3, 8\)\. Mend it\.$"):
        raise_errors([finding("warning", message="Less."), finding(), finding(message="Later.")], "t.csv")


def test_without_place_or_hint_the_check_command_is_named():
    with pytest.raises(DataError, match=r"^'t.csv': Something is odd. 'affekt data check' lists every problem.$"):
        raise_errors([finding(lines=(), hint="")], "t.csv")


@pytest.mark.parametrize("severity", ["warning", "note"])
def test_lesser_findings_pass(severity):
    raise_errors([finding(severity)], "t.csv")


def test_plain_values():
    assert finding().to_dict() == {
        "code": "unknown-labels",
        "severity": "error",
        "message": "Something is odd.",
        "hint": "Mend it.",
        "count": 2,
        "lines": [3, 8],
        "unit": "line",
    }


def test_skipping_turns_errors_of_rows_into_warnings():
    assert skipped(finding()).severity == "warning"
    assert skipped(finding()).message == "Something is odd. Such rows are skipped."
    for other in (finding("note"), finding(code="missing-labels"), finding(code="no-labels")):
        assert skipped(other) == other
