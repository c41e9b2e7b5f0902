"""Quick out-of-fold scores: sensible, calibrated, and blind to the text's own label."""

import numpy as np
import pytest

pytest.importorskip("sklearn")

from affekt.evaluation.metrics import average_precision, expected_calibration_error
from affekt.evaluation.noise import suspect_rows
from affekt.evaluation.outoffold import quick_scores


def data(texts: int = 400, seed: int = 0) -> tuple[list[str], np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = rng.random((texts, 2)) < [0.4, 0.15]
    words = [
        " ".join([*["yay"] * joy, *["sob"] * grief, *(f"w{n}" for n in rng.integers(0, 50, 6))])
        for joy, grief in truth.tolist()
    ]
    return words, truth


def test_scores_know_the_words_of_a_label() -> None:
    texts, truth = data()
    scores = quick_scores(texts, truth)
    assert scores.shape == truth.shape
    assert scores.dtype == np.float32
    assert ((scores >= 0) & (scores <= 1)).all()
    assert (average_precision(truth, scores) > 0.95).all()
    assert (expected_calibration_error(truth, scores) < 0.1).all()


def test_a_text_has_no_say_in_its_own_score() -> None:
    """A word that occurs once predicts nothing: random labels cannot be learned by heart."""
    rng = np.random.default_rng(1)
    truth = rng.random((300, 1)) < 0.5
    scores = quick_scores([f"unique{i}" for i in range(300)], truth)
    assert abs(np.corrcoef(scores[:, 0], truth[:, 0])[0, 1]) < 0.25


def test_wrong_labels_are_found() -> None:
    texts, truth = data()
    flipped = truth.copy()
    flipped[:8, 0] = ~flipped[:8, 0]
    found = {suspect.row for suspect in suspect_rows(quick_scores(texts, flipped), flipped, 12)}
    assert len(found & set(range(8))) >= 6


def test_the_same_seed_gives_the_same_scores() -> None:
    texts, truth = data(80)
    assert np.array_equal(quick_scores(texts, truth, seed=3), quick_scores(texts, truth, seed=3))
