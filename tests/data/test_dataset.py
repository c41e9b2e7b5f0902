import numpy as np
import pytest

from affekt.data import Dataset
from affekt.errors import DataError

NAN = float("nan")


def make(targets=((1, 0), (0, NAN), (0.25, 1)), **changes):
    given = {"texts": ["a", "b", "c"], "labels": ["joy", "anger"], "targets": targets, "ids": ["1", "2", "3"]}
    return Dataset(**given | changes)


def test_sequences_become_tuples_and_targets_a_read_only_float32_array():
    source = np.zeros((3, 2))
    dataset = make(targets=source)
    source[0, 0] = 1
    assert dataset.texts == ("a", "b", "c")
    assert dataset.targets.dtype == np.float32
    assert dataset.targets[0, 0] == 0
    with pytest.raises(ValueError, match="read-only"):
        dataset.targets[0, 0] = 1


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"targets": [[1, 0]]}, "shape"),
        ({"targets": [[1, 0], [2, 0], [0, 0]]}, "outside"),
        ({"targets": [[1, 0], [-0.1, 0], [0, 0]]}, "outside"),
        ({"ids": ["1"]}, "1 ids for 3 texts"),
        ({"labels": ["joy", "joy"]}, "repeated label"),
        ({"labels": ["joy", ""]}, "empty or repeated"),
    ],
)
def test_what_does_not_fit_is_refused(changes, sentence):
    with pytest.raises(DataError, match=sentence):
        make(**changes)


def test_unknown_targets_are_neither_positive_nor_known():
    dataset = make()
    np.testing.assert_array_equal(dataset.positives, [[True, False], [False, False], [False, True]])
    np.testing.assert_array_equal(dataset.known, [[True, True], [True, False], [True, True]])


def test_fully_labelled_rows_are_those_without_unknown_targets():
    data = Dataset(("a", "b", "c"), ("x", "y"), [[1, np.nan], [0, 1], [1, 0]])
    assert data.fully_labelled() == data.subset([1, 2])


def test_subset_keeps_order_and_ids():
    part = make().subset([2, 0])
    assert part.texts == ("c", "a")
    assert part.ids == ("3", "1")
    np.testing.assert_array_equal(part.targets, np.array([[0.25, 1], [1, 0]], dtype=np.float32))
    assert len(make().subset(np.array([], dtype=int))) == 0


def test_with_labels_reorders_and_names_what_is_missing():
    dataset = make().with_labels(["anger"])
    assert dataset.labels == ("anger",)
    np.testing.assert_array_equal(dataset.targets[:, 0], np.array([0, NAN, 1], dtype=np.float32))
    with pytest.raises(DataError, match="labels fear, grief") as caught:
        make().with_labels(["joy", "fear", "grief"])
    assert "joy, anger" in caught.value.hint


def test_equality_counts_unknown_as_equal_and_ignores_the_name():
    assert make() == make(name="other")
    assert hash(make()) == hash(make(name="other"))
    assert make() != make(ids=None)
    assert make() != make(targets=np.zeros((3, 2)))
    assert make() != "a dataset"


def test_fingerprint_follows_content_only():
    first = make().fingerprint()
    assert first == make(ids=None, name="other").fingerprint()
    assert len(first) == 64
    others = [make(texts=["ab", "", "c"]), make(labels=["joy", "fear"]), make(targets=np.zeros((3, 2)))]
    assert len({first, *(other.fingerprint() for other in others)}) == 4


def test_fingerprint_does_not_confuse_where_one_text_ends():
    targets = np.zeros((2, 1))
    assert Dataset(("ab", "c"), ("x",), targets).fingerprint() != Dataset(("a", "bc"), ("x",), targets).fingerprint()


def test_fingerprint_takes_negative_zero_and_lone_surrogates():
    zeros = np.zeros((1, 1), dtype=np.float32)
    plain = Dataset(("\ud800",), ("x",), zeros)
    assert plain.fingerprint() == Dataset(("\ud800",), ("x",), -zeros).fingerprint()
