import pytest
from typer.testing import CliRunner

import affekt
from affekt.cli.submit import app
from affekt.errors import DataError
from affekt.prediction import Prediction


class Loud:
    labels = ("anger", "joy")

    def predict(self, texts, *, taxonomy=None):
        assert taxonomy is None
        return [Prediction(text, ("joy",), {"anger": 0.1, "joy": 0.9}) for text in texts]


@pytest.fixture
def run(tmp_path, monkeypatch):
    loaded = []
    monkeypatch.setattr(affekt, "load", lambda path=None: loaded.append(path) or Loud())
    (tmp_path / "test.csv").write_text("id,text\n1,hi there\n2,bye\n")

    def submit(sample, *options):
        (tmp_path / "sample.csv").write_text(sample)
        files = {name: str(tmp_path / f"{name}.csv") for name in ("test", "sample", "out")}
        arguments = [part for name, path in files.items() for part in (f"--{name}", path)]
        result = CliRunner().invoke(app, [*arguments, *options])
        if result.exit_code and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result, tmp_path / "out.csv", loaded

    return submit


def test_submit_says_which_labels_the_sample_leaves_out(run):
    result, _, _ = run("id,joy\n2,0\n1,0\n")
    assert result.exit_code == 0
    assert "no column for anger" in result.output


def test_submit_writes_and_says_what(run):
    result, out, loaded = run("id,joy,anger\n2,0,0\n1,0,0\n", "--model", "runs/a")
    assert result.exit_code == 0
    assert out.read_text() == "id,joy,anger\n2,1,0\n1,1,0\n"
    assert "One column per label (2)" in result.output
    assert "2 rows" in result.output
    assert loaded == ["runs/a"]


def test_the_shipped_model_is_the_default(run):
    assert run("id,joy,anger\n2,0,0\n1,0,0\n")[2] == [None]


def test_options_reach_the_writer(run):
    _, out, _ = run("id,joy,anger\n2,0,0\n1,0,0\n", "--values", "scores", "--text", "text", "--id", "id")
    assert out.read_text().splitlines()[1] == "2,0.900000,0.100000"


def test_a_mismatch_is_an_error_and_writes_nothing(run, tmp_path):
    with pytest.raises(DataError, match="not in the test table"):
        run("id,joy,anger\n7,0,0\n")
    assert not (tmp_path / "out.csv").exists()


def test_a_missing_option_is_a_usage_error(tmp_path):
    result = CliRunner().invoke(app, ["--test", str(tmp_path / "test.csv")])
    assert result.exit_code == 2
