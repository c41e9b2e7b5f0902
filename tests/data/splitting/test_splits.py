import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affekt.data import Dataset, kfold, load_dataset, split
from affekt.data.duplicates import text_groups
from affekt.data.splitting.splits import named_parts
from affekt.data.splitting.stratify import stratify
from affekt.errors import DataError, SettingError


def random_dataset(texts=2000, labels=12, seed=0, copies=0):
    generator = np.random.default_rng(seed)
    targets = generator.random((texts, labels)) < np.geomspace(0.4, 0.01, labels)
    names = [f"text {number if number >= copies else number // 3}" for number in range(texts)]
    return Dataset(tuple(names), tuple(f"l{number}" for number in range(labels)), targets.astype(np.float32))


@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 15)), min_size=2, max_size=60),
    st.floats(0.02, 0.98),
    st.integers(0, 3),
)
@settings(max_examples=60, deadline=None)
def test_every_text_is_on_exactly_one_side_and_copies_together(rows, fraction, seed):
    texts = tuple(f"text number {number}" + "!" * (bits % 2) for number, bits in rows)
    targets = np.array([[bits >> place & 1 for place in range(4)] for _, bits in rows], dtype=np.float32)
    dataset = Dataset(texts, ("a", "b", "c", "d"), targets)
    groups = text_groups(texts)
    if len(np.unique(groups)) < 2:
        with pytest.raises(DataError, match="1 different texts"):
            split(dataset, fraction, seed)
        return
    train, dev = split(dataset, fraction, seed)
    assert sorted([*train, *dev]) == list(range(len(rows)))
    assert len(train)
    assert len(dev)
    assert not set(groups[train]) & set(groups[dev])


@pytest.mark.parametrize("copies", [0, 600])
def test_labels_get_their_share(copies):
    dataset = random_dataset(copies=copies)
    train, dev = split(dataset, 0.1)
    assert len(dev) == pytest.approx(200, abs=12)
    counts = dataset.positives.sum(axis=0)
    np.testing.assert_allclose(dataset.positives[dev].sum(axis=0), 0.1 * counts, atol=1.01)
    assert len(train) + len(dev) == 2000


def test_rare_labels_are_on_both_sides():
    dataset = random_dataset(300, 8)
    rare = np.zeros((300, 1), dtype=np.float32)
    rare[:2] = 1
    dataset = Dataset(dataset.texts, (*dataset.labels, "rare"), np.hstack([dataset.targets, rare]))
    train, dev = split(dataset, 0.5)
    assert dataset.targets[train, -1].sum() == dataset.targets[dev, -1].sum() == 1


def test_frequent_combinations_get_their_share():
    generator = np.random.default_rng(1)
    combination = generator.integers(0, 4, 1000)
    dataset = Dataset(
        tuple(f"text {n}" for n in range(1000)), ("a", "b"), np.stack([combination & 1, combination >> 1], axis=1)
    )
    _, dev = split(dataset, 0.1)
    expected = 0.1 * np.bincount(combination)
    np.testing.assert_allclose(np.bincount(combination[dev], minlength=4), expected, atol=1.01)


def test_folds_cover_everything_once():
    dataset = random_dataset(500)
    folds = kfold(dataset, 5)
    assert sorted(index for _, dev in folds for index in dev) == list(range(500))
    for train, dev in folds:
        assert sorted([*train, *dev]) == list(range(500))
        assert len(dev) == pytest.approx(100, abs=10)


def test_the_seed_decides():
    dataset = random_dataset(300)
    same = [split(dataset, seed=3)[1].tolist() for _ in range(2)]
    assert same[0] == same[1]
    assert same[0] != split(dataset, seed=4)[1].tolist()


def test_rows_without_labels_and_unknown_targets_are_spread_too():
    targets = np.zeros((100, 1), dtype=np.float32)
    targets[:40] = np.nan
    targets[90:] = 1
    dataset = Dataset(tuple(f"text {n}" for n in range(100)), ("joy",), targets)
    _, dev = split(dataset, 0.2)
    assert len(dev) == 20
    assert dataset.positives[dev].sum() == 2


def test_a_dataset_without_labels_can_be_split():
    dataset = Dataset(("a", "b", "c", "d"), (), np.zeros((4, 0)))
    train, dev = split(dataset, 0.25)
    assert (len(train), len(dev)) == (3, 1)


@pytest.mark.parametrize("fraction", [0, 1, -0.1, 1.5, float("nan")])
def test_fractions_out_of_range(fraction):
    with pytest.raises(SettingError, match="share of dev must be between 0 and 1"):
        split(random_dataset(10), fraction)


def test_too_many_folds():
    with pytest.raises(SettingError, match="must be 2 folds or more"):
        kfold(random_dataset(10), 1)
    with pytest.raises(DataError, match="has 10 different texts, too few for 11 parts"):
        kfold(random_dataset(10), 11)
    assert all(len(dev) == 1 for _, dev in kfold(random_dataset(10), 10))


def test_named_parts():
    assert list(named_parts(random_dataset(50), 0.1, None, 0)) == ["train", "dev"]
    assert list(named_parts(random_dataset(50), 0.1, 2, 0)) == ["fold1.train", "fold1.dev", "fold2.train", "fold2.dev"]


def test_shares_need_not_be_equal():
    dataset = random_dataset(1000)
    folds = stratify(dataset.positives, np.arange(1000), [0.6, 0.3, 0.1], 0)
    np.testing.assert_allclose(np.bincount(folds), [600, 300, 100], atol=20)


def _unevenness(positives, dev, fraction):
    """Mean distance of the frequent label combinations' dev shares from ``fraction``."""
    combination = np.unique(positives, axis=0, return_inverse=True)[1].reshape(-1)
    counts = np.bincount(combination)
    shares = np.bincount(combination[dev], minlength=len(counts)) / counts
    return np.abs(shares - fraction)[counts >= 10].mean()


def test_goemotions_is_split_more_evenly_than_by_the_library(data_dir):
    stratifiers = pytest.importorskip("iterstrat.ml_stratifiers")
    dataset = load_dataset(data_dir / "goemotions" / "dev.tsv")
    positives = dataset.positives
    train, dev = split(dataset, 0.1)
    reference = stratifiers.MultilabelStratifiedShuffleSplit(1, test_size=0.1, random_state=0)
    _, other = next(reference.split(positives, positives))
    assert _unevenness(positives, dev, 0.1) < 0.5 * _unevenness(positives, other, 0.1)
    np.testing.assert_allclose(positives[dev].sum(axis=0), 0.1 * positives.sum(axis=0), atol=1.01)
    groups = text_groups(dataset.texts)
    assert not set(groups[train]) & set(groups[dev])
