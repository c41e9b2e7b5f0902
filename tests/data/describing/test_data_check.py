import json

import pytest

from affekt.data import Finding, ReadOptions, load_dataset
from affekt.data.describing.check import CHECKS, check
from affekt.errors import DataError


def found(report):
    return {finding.code: finding for finding in report.findings}


def test_a_clean_table_has_no_findings(write):
    report = check(write("t.csv", "text,joy,anger\nhi there,1,0\nbye,0,1\n"))
    assert report.findings == ()
    assert report.usable
    assert (report.rows, report.texts, report.labels) == (2, 2, ("joy", "anger"))
    assert report.layout.startswith("Layout 'columns'")


def test_exact_and_similar_duplicates_and_how_many_disagree(write):
    table = "text,joy,anger\nthanks,1,0\nthanks,1,0\nThanks!,0,1\nbye,0,1\nbye,1,1\nBye.,0,1\nfine,1,0\nFINE,1,0\n"
    findings = found(check(write("t.csv", table)))
    assert findings["exact-duplicates"].lines == (3, 6)
    assert findings["exact-duplicates"].count == 2
    assert findings["disagreeing-exact"].lines == (5, 6)
    assert "1 of 2" in findings["disagreeing-exact"].message
    assert findings["similar-duplicates"].lines == (4, 7, 9)
    assert findings["disagreeing-similar"].lines == (2, 3, 4, 5, 6, 7)
    assert "2 of 3" in findings["disagreeing-similar"].message


def test_unknown_targets_disagree_with_known_ones_only_where_they_differ(write):
    findings = found(check(write("t.csv", "text,joy,anger\na b,1,\na b,1,\nc,0,1\n")))
    assert "exact-duplicates" in findings
    assert "disagreeing-exact" not in findings


def test_labels_never_seen_and_names_that_look_alike(write):
    findings = found(check(write("t.csv", "text,joy,Joy,anger\na b,1,0,0\nc,0,1,0\n")))
    assert "anger" in findings["unseen-labels"].message
    assert "'joy', 'Joy'" in findings["similar-labels"].message


def test_ids_that_come_back(write):
    findings = found(check(write("t.csv", "id,text,joy,anger\n1,a b,1,0\n2,c,0,1\n1,d,0,1\n")))
    assert findings["repeated-ids"].lines == (4,)


def test_everything_reading_finds_is_in_the_report(write):
    table = b"text,labels\nfine,joy|joy\n,joy\ncaf\xe9,anger\nodd,jooy\nnone,\nra,gg,ed\n"
    report = check(write("t.csv", table), ReadOptions(label_names=["joy", "anger", "fear"]))
    assert {code: finding.lines for code, finding in found(report).items()} == {
        "ragged-rows": (7,),
        "unknown-labels": (5,),
        "undecodable-bytes": (4,),
        "repeated-labels": (2,),
        "blank-texts": (3,),
        "unseen-labels": (),
        "unlabelled-texts": (6,),
    }
    assert not report.usable
    severities = [finding.severity for finding in report.findings]
    assert severities == sorted(severities, key=["error", "warning", "note"].index)


@pytest.mark.parametrize(
    ("table", "options"),
    [
        ("text,joy,anger\nhi there,1,0\nbye,0,1\n", {}),
        ("text,joy,anger\nhi there,1,0\nbye, you,0,1\n", {}),
        ("text,joy,anger\nhi there,1,0\nbye, you,0,1\n", {"bad_rows": "skip"}),
        ("text,label\nhi there,joy\nbye,fear\n", {"label_names": ["joy"]}),
        ("text,joy,anger\nhi there,1,\nbye,0,1\n", {"missing": "error"}),
        ("text,joy,anger\n,1,0\n ,0,1\n", {}),
        ("id,text\n1,hi there\n2,bye\n", {}),
    ],
)
def test_usable_means_that_loading_works(write, table, options):
    given = ReadOptions(**options)
    path = write("t.csv", table)
    if check(path, given).usable:
        assert len(load_dataset(path, options=given))
    else:
        with pytest.raises(DataError):
            load_dataset(path, options=given)


def test_a_table_without_labels_is_not_usable_for_training(write):
    assert "no-labels" in found(check(write("t.csv", "id,text\n1,hi there\n2,bye\n")))


EMOTIONS = "anger anticipation disgust fear joy love optimism pessimism sadness surprise trust".split()


def test_a_test_table_whose_labels_are_all_none_has_no_labels(write):
    nothing = "\t".join(["NONE"] * len(EMOTIONS))
    rows = "".join(f"2018-En-{n}\tThis is tweet number {n} of them\t{nothing}\n" for n in range(20))
    path = write("test.tsv", "ID\tTweet\t" + "\t".join(EMOTIONS) + "\n" + rows)
    for options in (ReadOptions(), ReadOptions(label_names=",".join(EMOTIONS)), ReadOptions(labels=EMOTIONS)):
        report = check(path, options)
        assert (report.texts, report.labels, report.usable) == (20, (), False)
        finding = found(report)["no-labels"]
        assert finding.message == "The table has no labels: its 11 columns of labels hold nothing but 'NONE'."
        assert "'affekt predict' or 'affekt submit'" in finding.hint
        assert report.layout.startswith("Layout 'none': texts in column 'Tweet', no labels in their 11 columns (anger")
        with pytest.raises(DataError, match=r"test.tsv' has no labels: its 11 .* nothing but 'NONE'\. Answer it"):
            load_dataset(path, options=options)


@pytest.mark.parametrize("layout", ["columns", "list", "long"])
def test_none_throughout_is_no_label_in_a_layout_that_is_named(write, layout):
    path = write("t.csv", "text,joy,anger\nhi there,NONE,NONE\nbye,NONE,\n")
    with pytest.raises(DataError, match="has no labels: its 2 columns of labels hold nothing but 'NONE'"):
        check(path, ReadOptions(layout=layout))


def test_a_column_of_labels_that_names_none_is_named(write):
    path = write("t.csv", "text,label,lang\nhi there,n/a,en\nbye,N/A,de\nwell,,en\n")
    assert found(check(path))["no-labels"].message == "The table has no labels: column 'label' holds nothing but 'n/a'."
    blank = write("u.csv", "text,label,lang\nhi there,,en\nbye,,de\n")
    assert found(check(blank))["no-labels"].message == "The table has no labels: column 'label' names none."


def test_none_is_a_label_where_it_is_named_as_one_or_others_stand_beside_it(write):
    path = write("t.csv", "text,label\nhi there,none\nbye,none\n")
    assert check(path, ReadOptions(label_names="none,joy")).labels == ("none", "joy")
    assert check(write("u.csv", "text,label\nhi there,none\nbye,joy\n")).labels == ("joy", "none")


def test_a_column_without_a_word_does_not_hide_the_labels(write):
    path = write("t.csv", "text,place,mood\n" + "hi there,n/a,joy\nbye now,n/a,anger\n" * 5)
    assert check(path).labels == ("anger", "joy")


def test_an_empty_column_of_labels_does_not_hide_another(write):
    path = write("t.csv", "text,label,emotion\n" + "hi there,n/a,joy\nbye now,n/a,anger\n" * 5)
    assert check(path).labels == ("anger", "joy")


def test_an_empty_column_is_not_taken_for_one_of_labels(write):
    message = found(check(write("t.csv", "text,place\nhi there,n/a\nbye now,n/a\n")))["no-labels"]
    assert "has no column of labels" in message.message
    assert "--labels" in message.hint
    both = found(check(write("u.csv", "text,label,place\nhi there,none,n/a\nbye now,none,n/a\n")))["no-labels"]
    assert both.message == "The table has no labels: column 'label' holds nothing but 'none'."


def test_further_checks_are_passed_along(write):
    def deep(loaded):
        return [Finding("deep", "note", f"{len(loaded.dataset)} texts were looked at.")]

    report = check(write("t.csv", "text,joy,anger\nhi there,1,0\nbye,0,1\n"), checks=(*CHECKS, deep))
    assert [finding.code for finding in report.findings] == ["deep"]


def test_the_report_is_json(write):
    report = check(write("t.csv", "text,joy,anger\nhi there,1,0\nhi there,0,1\n,1,0\n"))
    again = json.loads(json.dumps(report.to_dict()))
    assert again["usable"] is True
    assert {"code", "severity", "message", "hint", "count", "lines", "unit"} == set(again["findings"][0])


def test_places_are_shortened():
    assert Finding("x", "note", "m", lines=tuple(range(1, 10))).where(3) == "lines 1, 2, 3 and 6 more"
    assert Finding("x", "note", "m", lines=(4,)).where() == "line 4"
    assert Finding("x", "note", "m").where() == ""


def test_goemotions(data_dir):
    report = check(data_dir / "goemotions" / "dev.tsv")
    assert report.usable
    findings = found(report)
    assert findings["exact-duplicates"].count < findings["similar-duplicates"].count + 100
    assert report.texts == 5_426
