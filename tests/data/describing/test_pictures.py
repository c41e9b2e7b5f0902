import sys

import numpy as np
import pytest

from affekt.data import Dataset
from affekt.data.describing.pictures import draw
from affekt.data.describing.stats import statistics
from affekt.errors import MissingExtraError

pytest.importorskip("matplotlib")


def drawn(folder, labels, texts=60, **changes):
    generator = np.random.default_rng(0)
    targets = (generator.random((texts, len(labels))) < 0.2).astype(np.float32)
    names = tuple("word " * (1 + n % 7) + str(n) for n in range(texts))
    dataset = Dataset(names, tuple(labels), targets, **changes)
    return draw(statistics(dataset, "words"), folder)


def test_four_pictures(tmp_path):
    paths = drawn(tmp_path / "new", [f"label {n}" for n in range(28)])
    assert [path.name for path in paths] == ["counts.png", "per_text.png", "together.png", "lengths.png"]
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in paths)
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == sorted(path.name for path in paths)


@pytest.mark.parametrize(
    "labels",
    [["joy"], ["$x^{$", "a_b", "\\frac"], ["愛", "😀"], ["a very long label name, longer than one would think of"]],
)
def test_any_label_name(tmp_path, labels):
    assert len(drawn(tmp_path, labels, name="$ a very long name of a data set, cut somewhere $")) == 4


def test_more_labels_than_fit(tmp_path):
    paths = drawn(tmp_path, [f"label {n}" for n in range(45)])
    assert all(path.stat().st_size < 3_000_000 for path in paths)


def test_text_only(tmp_path):
    assert [path.name for path in drawn(tmp_path, [])] == ["lengths.png"]


def test_one_text_and_a_label_never_seen(tmp_path):
    dataset = Dataset(("hello",), ("joy", "anger"), [[0, 0]])
    assert len(draw(statistics(dataset, "words"), tmp_path)) == 4


def test_without_matplotlib_the_extra_is_named(tmp_path, monkeypatch):
    for name in [name for name in sys.modules if name.startswith("matplotlib")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtraError, match=r"affekt\[report\]"):
        drawn(tmp_path, ["joy"])
    assert not list(tmp_path.iterdir())
