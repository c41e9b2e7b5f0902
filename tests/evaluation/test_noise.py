"""Label noise: finds what was spoilt on purpose, and leaves what is merely rare alone."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from affekt.errors import DataError, SettingError
from affekt.evaluation.noise import label_noise, label_weights, suspect_rows


@pytest.fixture(scope="module")
def spoilt() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Scores of a good model; given labels of which some were dropped and some added: scores, given, dropped, added."""
    rng = np.random.default_rng(0)
    true = rng.random((2000, 4)) < (0.4, 0.2, 0.1, 0.05)
    scores = np.clip(np.where(true, 0.9, 0.03) + 0.05 * rng.standard_normal(true.shape), 0.001, 0.999)
    dropped, added = true & (rng.random(true.shape) < 0.1), ~true & (rng.random(true.shape) < 0.02)
    return scores, (true & ~dropped) | added, dropped, added


def test_counts_what_was_spoilt(spoilt: tuple[np.ndarray, ...]) -> None:
    scores, given_labels, dropped, added = spoilt
    found = label_noise(scores, given_labels)
    assert found.given.tolist() == given_labels.sum(axis=0).tolist()
    np.testing.assert_allclose(found.likely_missing, dropped.sum(axis=0), rtol=0.7)
    assert (found.likely_wrong <= added.sum(axis=0)).all()
    assert found.likely_wrong.sum() >= 0.4 * added.sum()
    assert (found.wrong_rate <= 1.0).all()


def test_suspects_are_the_spoilt_rows(spoilt: tuple[np.ndarray, ...]) -> None:
    scores, given_labels, dropped, added = spoilt
    bad = (dropped | added).any(axis=1)
    found = suspect_rows(scores, given_labels, n=100)
    assert np.mean([bad[suspect.row] for suspect in found]) > 0.98
    assert [s.suspicion for s in found] == sorted((s.suspicion for s in found), reverse=True)


def test_suspects_name_the_labels() -> None:
    truth = np.repeat([[1, 0], [0, 1]], 20, axis=0).astype(bool)
    scores = np.where(truth, 0.9, 0.1)
    scores[0] = (0.05, 0.97)
    (first, *rest) = suspect_rows(scores, truth)
    assert (first.row, first.wrong, first.missing) == (0, (0,), (1,))
    assert first.suspicion == pytest.approx(0.97)
    assert rest == []


def test_clean_labels_have_no_suspects() -> None:
    rng = np.random.default_rng(1)
    truth = rng.random((300, 3)) < 0.3
    scores = np.where(truth, 0.9, 0.1)
    assert suspect_rows(scores, truth) == []
    assert label_noise(scores, truth).likely_wrong.sum() == 0
    assert (label_weights(scores, truth) == 1.0).all()


def test_weights_fall_on_suspects_only_and_not_below_the_floor(spoilt: tuple[np.ndarray, ...]) -> None:
    scores, given_labels, dropped, added = spoilt
    weights = label_weights(scores, given_labels, floor=0.25)
    assert weights.dtype == np.float32
    assert weights.min() == np.float32(0.25)
    assert (dropped | added)[weights < 1.0].mean() > 0.95


def test_floor_of_one_changes_nothing(spoilt: tuple[np.ndarray, ...]) -> None:
    assert (label_weights(*spoilt[:2], floor=1.0) == 1.0).all()


def test_a_label_that_the_model_does_not_know_accuses_nobody() -> None:
    """Where texts with the label score no higher than those without, scores say nothing about its noise."""
    truth = np.arange(40)[:, None] % 2 == 0
    found = label_noise(np.where(truth, 0.4, 0.6), truth)
    assert (found.likely_wrong, found.likely_missing) == (0, 0)


@given(
    scores=hnp.arrays(np.float64, (20, 3), elements=st.floats(0, 1)),
    truth=hnp.arrays(np.bool_, (20, 3)),
    floor=st.floats(0, 1),
)
@settings(max_examples=50, deadline=None)
def test_any_scores_and_labels_are_no_trouble(scores: np.ndarray, truth: np.ndarray, floor: float) -> None:
    found = label_noise(scores, truth)
    assert (found.likely_wrong <= found.given).all()
    assert (found.likely_missing <= 20 - found.given).all()
    for suspect in suspect_rows(scores, truth, n=5):
        assert all(truth[suspect.row, label] for label in suspect.wrong)
        assert not any(truth[suspect.row, label] for label in suspect.missing)
        assert suspect.wrong or suspect.missing
    weights = label_weights(scores, truth, floor)
    assert ((weights >= np.float32(floor)) & (weights <= 1.0)).all()


def test_mistakes_are_sentences() -> None:
    with pytest.raises(SettingError, match="floor must lie in"):
        label_weights([[0.5]], [[1]], floor=1.5)
    with pytest.raises(DataError, match="unknown labels"):
        label_noise([[0.5]], [[np.nan]])
