"""Label sets: complete, and combined as probabilities are."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from affekt.errors import SettingError
from affekt.taxonomy import GOEMOTIONS, TAXONOMIES, Taxonomy, get_taxonomy, identity, taxonomies_for

SCORES = hnp.arrays(np.float32, (6, 28), elements=st.floats(0, 1, width=32))
NAMES = list(TAXONOMIES)


def test_sizes_and_names() -> None:
    assert {name: len(found.labels) for name, found in TAXONOMIES.items()} == {
        "goemotions": 28, "core14": 14, "ekman": 7, "sentiment": 4,
    }  # fmt: skip
    assert all(name == found.name for name, found in TAXONOMIES.items())


def test_order_is_the_data_sets_own(data_dir) -> None:
    assert tuple((data_dir / "goemotions" / "labels.txt").read_text(encoding="utf-8").split()) == GOEMOTIONS


@pytest.mark.parametrize("name", ["ekman", "sentiment"])
def test_coarse_sets_share_out_every_emotion_once(name: str) -> None:
    members = list(itertools.chain.from_iterable(TAXONOMIES[name].members.values()))
    assert sorted(members) == sorted(GOEMOTIONS)


def test_ekman_is_demszkys() -> None:
    ekman = TAXONOMIES["ekman"].members
    assert ekman["fear"] == ("fear", "nervousness")
    assert ekman["disgust"] == ("disgust",)
    assert set(ekman["sadness"]) == {"sadness", "disappointment", "embarrassment", "grief", "remorse"}
    assert set(ekman["surprise"]) == {"surprise", "realization", "confusion", "curiosity"}


def test_sentiment_is_made_of_ekman() -> None:
    ekman, sentiment = TAXONOMIES["ekman"].members, TAXONOMIES["sentiment"].members
    assert sentiment["positive"] == ekman["joy"]
    assert set(sentiment["negative"]) == {m for part in ("anger", "disgust", "fear", "sadness") for m in ekman[part]}


@given(scores=SCORES, name=st.sampled_from(NAMES))
def test_combined_scores_are_probabilities_above_each_member(scores: np.ndarray, name: str) -> None:
    taxonomy = TAXONOMIES[name]
    combined = taxonomy.combine(scores, GOEMOTIONS)
    assert combined.shape == (6, len(taxonomy.labels))
    assert combined.dtype == np.float32
    assert ((combined >= 0) & (combined <= 1)).all()
    for column, members in enumerate(taxonomy.members.values()):
        own = scores[:, [GOEMOTIONS.index(member) for member in members]]
        assert (combined[:, column] >= own.max(axis=1) - 1e-5).all()
        assert (combined[:, column] <= own.sum(axis=1) + 1e-5).all()


def test_combining_by_hand() -> None:
    taxonomy = Taxonomy("two", {"both": ("a", "b"), "one": ("c",)})
    np.testing.assert_allclose(taxonomy.combine([[0.5, 0.2, 0.9]], ["a", "b", "c"]), [[0.6, 0.9]], rtol=1e-6)


def test_tiny_scores_do_not_vanish() -> None:
    taxonomy = Taxonomy("two", {"both": ("a", "b")})
    np.testing.assert_allclose(taxonomy.combine([[1e-9, 1e-9]], ["a", "b"]), [[2e-9]], rtol=1e-5)


@given(truth=hnp.arrays(np.bool_, (5, 28)), name=st.sampled_from(NAMES))
def test_truth_combines_like_certain_scores(truth: np.ndarray, name: str) -> None:
    taxonomy = TAXONOMIES[name]
    combined = taxonomy.combine(truth.astype(float), GOEMOTIONS)
    np.testing.assert_array_equal(combined > 0.5, taxonomy.combine_truth(truth, GOEMOTIONS))


def test_columns_are_found_by_name() -> None:
    scores = np.random.default_rng(0).random((4, 28))
    turned = TAXONOMIES["ekman"].combine(scores[:, ::-1], GOEMOTIONS[::-1])
    np.testing.assert_allclose(turned, TAXONOMIES["ekman"].combine(scores, GOEMOTIONS), rtol=1e-6)


def test_missing_members_are_named() -> None:
    with pytest.raises(SettingError, match=r"'ekman' needs labels.*anger, annoyance"):
        TAXONOMIES["ekman"].combine(np.zeros((1, 2)), ["joy", "fear"])


def test_only_sets_that_can_be_formed() -> None:
    assert list(taxonomies_for(GOEMOTIONS)) == NAMES
    assert list(taxonomies_for(TAXONOMIES["core14"].labels)) == ["core14"]
    assert taxonomies_for(["spam", "ham"]) == {}


def test_identity_is_each_label_itself() -> None:
    assert identity("mine", ["x", "y"]).labels == ("x", "y")
    np.testing.assert_allclose(identity("mine", ["x", "y"]).combine([[0.25, 0.5]], ["x", "y"]), [[0.25, 0.5]])


def test_unknown_set_lists_the_known() -> None:
    assert get_taxonomy("ekman") is TAXONOMIES["ekman"]
    with pytest.raises(SettingError, match=r"no label set 'plutchik'.*goemotions, core14"):
        get_taxonomy("plutchik")
