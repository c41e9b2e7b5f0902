import csv
import gzip
import io
import json

import pytest
from fake_model import FakeModel
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from affekt.data import read_table
from affekt.errors import DataError
from affekt.export.submission import write_submission
from affekt.taxonomy import GOEMOTIONS

TEST = "id,text\n3,so much joy\n1,anger and joy\n2,nothing\n"


@pytest.fixture
def submit(tmp_path):
    def run(sample, test=TEST, model=None, out="out.csv", **options):
        (tmp_path / "test.csv").write_text(test)
        (tmp_path / "sample.csv").write_text(sample)
        done = write_submission(
            model or FakeModel(), tmp_path / "test.csv", tmp_path / "sample.csv", tmp_path / out, **options
        )
        content = (tmp_path / out).read_bytes()
        return (gzip.decompress(content) if out.endswith(".gz") else content).decode(), done

    return run


def test_one_column_per_label_in_the_samples_order(submit):
    written, done = submit("id,joy,very_sad,anger\n1,0,0,0\n2,0,0,0\n3,0,0,0\n")
    assert written == "id,joy,very_sad,anger\n1,1,0,1\n2,0,0,0\n3,1,0,0\n"
    assert done.rows == 3
    assert done.notes == ("1 of 3 texts have no label.",)


def test_scores_where_the_sample_has_scores(submit):
    written, _ = submit("id,joy,anger\n2,0.5,0.5\n1,0.5,0.5\n3,0.5,0.5\n")
    assert written == "id,joy,anger\n2,0.250000,0.250000\n1,0.750000,0.750000\n3,0.750000,0.250000\n"


def test_what_the_sample_lacks_is_said(submit):
    _, done = submit("id,joy,anger\n1,0.5,0\n2,0,0\n3,0,0\n")
    assert done.notes == ("The sample has no column for very sad.",)


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("joy", ["anger,joy", "", "joy"]),
        ("Joy; Anger", ["Anger; Joy", "", "Joy"]),
        ("0 2", ["0 1", "", "1"]),
        ('["joy"]', ['["anger", "joy"]', "[]", '["joy"]']),
        ("['joy']", ["['anger', 'joy']", "[]", "['joy']"]),
        ("[0, 2]", ["[0, 1]", "[]", "[1]"]),
    ],
)
def test_list_columns(submit, cell, expected):
    quoted = '"' + cell.replace('"', '""') + '"'
    written, _ = submit(f"id,labels\n1,{quoted}\n2,{quoted}\n3,{quoted}\n")
    rows = list(csv.reader(io.StringIO(written)))
    assert [row[1] for row in rows[1:]] == expected


def test_ids_that_start_at_one(submit):
    written, _ = submit("id,labels\n1,1 2\n2,3\n3,1\n", first_id=1)
    assert written == "id,labels\n1,1 2\n2,\n3,2\n"


def test_other_columns_are_copied_from_the_test_table(submit):
    written, _ = submit('id,text,joy,anger\n1,"x, y",0,0\n2,x,0,0\n3,x,0,0\n')
    assert written.splitlines()[1] == "1,anger and joy,1,1"


def test_id_columns_may_differ_in_case_or_have_no_name(submit):
    assert submit("ID,joy,anger\n1,0,0\n2,0,0\n3,0,0\n")[0].startswith("ID,joy,anger\n1,1,1\n")
    written, _ = submit("id,joy,anger\na1,0,0\na2,0,0\n", test="so much joy\ta2\nanger and joy\ta1\n")
    assert written == "id,joy,anger\na1,1,1\na2,1,0\n"


def test_tabs_and_compression_follow_sample_and_name(submit):
    written, _ = submit("id\tjoy\tanger\n1\t0\t0\n2\t0\t0\n3\t0\t0\n", out="out.tsv.gz")
    assert written == "id\tjoy\tanger\n1\t1\t1\n2\t0\t0\n3\t1\t0\n"


def test_a_taxonomy_answers_and_is_suggested(submit):
    sample = "id,anger,disgust,fear,joy,sadness,surprise,neutral\n1,0,0,0,0,0,0,0\n2,0,0,0,0,0,0,0\n3,0,0,0,0,0,0,0\n"
    written, done = submit(sample, model=FakeModel(GOEMOTIONS))
    assert any("--taxonomy ekman" in note for note in done.notes)
    again, done = submit(sample, model=FakeModel(GOEMOTIONS), taxonomy="ekman")
    assert again == written
    assert not any("--taxonomy" in note for note in done.notes)


@pytest.mark.parametrize(
    ("sample", "test", "sentence"),
    [
        ("id,joy,anger\n1,0,0\n2,0,0\n", TEST, "1 ids of the test table .* are not in the sample: '3'"),
        (
            "id,joy,anger\n1,0,0\n2,0,0\n3,0,0\n4,0,0\n5,0,0\n",
            TEST,
            "2 ids of the sample .* not in the test table: '4', '5'",
        ),
        ("id,joy,anger\n1,0,0\n1,0,0\n3,0,0\n", TEST, "has the id '1' 2 times"),
        ("id,joy,anger\n1,0,0\n", "id,text\n1,a b\n1,c d\n", "has the id '1' 2 times"),
        ("id,joy,anger\n1,0,0\n", "text,words\nhi there,joy\n", "has no column 'id' like the sample's"),
        ("id,joy,trust\n1,0,0\n2,0,0\n3,0,0\n", TEST, "'trust' of the sample"),
        ("id,joy,anger\n1,0\n", TEST, "the first has 2 cells, the header has 3"),
        ("id,joy,anger\n1,0\n2,0,0\n3,0,0\n", TEST, "does not fit"),
    ],
)
def test_every_mismatch_is_one_sentence_and_writes_nothing(submit, tmp_path, sample, test, sentence):
    (tmp_path / "out.csv").write_text("precious")
    with pytest.raises(DataError, match=sentence) as caught:
        submit(sample, test)
    assert "\n" not in str(caught.value)
    assert (tmp_path / "out.csv").read_text() == "precious"


def test_inputs_are_not_overwritten(submit, tmp_path):
    for out in ("test.csv", "sample.csv"):
        with pytest.raises(DataError, match="is one of the files to be read"):
            submit("id,joy,anger\n1,0,0\n2,0,0\n3,0,0\n", out=out)
    assert (tmp_path / "test.csv").read_text() == TEST


def test_the_output_must_be_a_file(submit, tmp_path):
    model = FakeModel()
    (tmp_path / "folder").mkdir()
    with pytest.raises(DataError, match="is a folder"):
        submit("id,joy,anger\n1,0,0\n2,0,0\n3,0,0\n", out="folder", model=model)
    assert not model.texts


def test_the_sample_must_be_a_text_table(tmp_path):
    (tmp_path / "test.csv").write_text(TEST)
    (tmp_path / "sample.jsonl").write_text(json.dumps({"id": 1, "joy": 0}))
    with pytest.raises(DataError, match="is not a csv or tsv file"):
        write_submission(FakeModel(), tmp_path / "test.csv", tmp_path / "sample.jsonl", tmp_path / "out.csv")


def test_each_text_gets_its_own_answer(submit):
    model = FakeModel()
    submit("id,joy,anger\n2,0,0\n3,0,0\n1,0,0\n", model=model)
    assert model.texts == ["nothing", "so much joy", "anger and joy"]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    ids=st.lists(
        st.text("abc123-_ ,\"'é", min_size=1).map(str.strip).filter(bool), min_size=1, max_size=8, unique=True
    ),
    seed=st.randoms(use_true_random=False),
)
def test_columns_ids_and_order_are_the_samples(tmp_path, ids, seed):
    def write(path, header, rows):
        buffer = io.StringIO(newline="")
        csv.writer(buffer).writerows([header, *rows])
        path.write_text(buffer.getvalue(), encoding="utf-8", newline="")

    shuffled = seed.sample(ids, len(ids))
    write(tmp_path / "test.csv", ["id", "text"], [[i, f"text {n} joy"] for n, i in enumerate(ids)])
    write(tmp_path / "sample.csv", ["id", "anger", "joy"], [[i, 0, 0] for i in shuffled])
    write_submission(FakeModel(), tmp_path / "test.csv", tmp_path / "sample.csv", tmp_path / "out.csv")
    sample, out = read_table(tmp_path / "sample.csv"), read_table(tmp_path / "out.csv")
    assert out.columns == sample.columns
    assert list(out.column("id")) == list(sample.column("id"))
    assert set(out.column("joy")) == {"1"}
