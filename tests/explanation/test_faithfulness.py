"""Deletion and insertion curves and agreement, on a model whose truth is known."""

from collections.abc import Sequence

import numpy as np
import pytest
from scipy.stats import spearmanr

from affekt.decision import sigmoid
from affekt.explanation.faithfulness import agreement, faithfulness
from affekt.explanation.occlusion import occlude

VALUES = {"good": 3.0, "fine": 1.5, "bad": -3.0}


def model(texts: Sequence[str]) -> np.ndarray:
    odds = np.array([sum(VALUES.get(word, 0.0) for word in text.split()) - 1.0 for text in texts])
    return sigmoid(np.stack([odds, -odds], axis=1))


def sentences(count: int) -> list[str]:
    generator = np.random.default_rng(0)
    return [" ".join(generator.choice(["good", "fine", "bad", "a", "b", "c"], 12)) for _ in range(count)]


def test_true_weights_beat_random_order() -> None:
    texts = sentences(60)
    weights = [occlude(model, text).weights[:, 0] for text in texts]
    found = faithfulness(model, texts, weights, [0] * len(texts))
    assert found.texts == 60
    assert found.deletion < found.deletion_random
    assert found.insertion > found.insertion_random
    assert found.deletion_margin[1] > 0.02
    assert found.insertion_margin[1] > 0.02
    assert found.deletion_margin[0] == pytest.approx(found.deletion_random - found.deletion, abs=1e-6)


def test_weights_of_the_other_sign_lose() -> None:
    texts = sentences(40)
    weights = [-occlude(model, text).weights[:, 0] for text in texts]
    found = faithfulness(model, texts, weights, [0] * len(texts))
    assert found.deletion_margin[2] < 0
    assert found.insertion_margin[2] < 0


def test_random_weights_do_not_beat_random_order() -> None:
    generator = np.random.default_rng(5)
    texts = sentences(60)
    found = faithfulness(model, texts, [generator.normal(size=12) for _ in texts], [1] * len(texts))
    assert found.deletion_margin[1] < 0 < found.deletion_margin[2]


def test_a_curve_by_hand() -> None:
    """One word that decides all: deleting it first leaves the empty score at every point but the first."""
    found = faithfulness(model, ["good"], [np.array([1.0])], [0])
    full, empty = float(model(["good"])[0, 0]), float(model([""])[0, 0])
    points = [round(step / 10) for step in range(11)]
    deletion = [empty if gone else full for gone in points]
    assert found.deletion == pytest.approx(float(np.trapezoid(deletion, dx=0.1)), abs=1e-6)


def test_agreement_is_spearmans_and_the_shared_strongest_word() -> None:
    generator = np.random.default_rng(2)
    first = [generator.normal(size=8).round(1) for _ in range(20)]
    second = [a + generator.normal(size=8).round(1) for a in first]
    found = agreement(first, second)
    assert found["spearman"] == pytest.approx(
        np.mean([spearmanr(a, b).statistic for a, b in zip(first, second, strict=True)])
    )
    assert found["top"] == np.mean(
        [np.abs(a).argmax() == np.abs(b).argmax() for a, b in zip(first, second, strict=True)]
    )
    assert agreement(first, first) == pytest.approx({"spearman": 1.0, "top": 1.0})


def test_agreement_leaves_single_words_out_and_survives_ties() -> None:
    found = agreement([np.array([1.0]), np.array([0.0, 0.0, 0.0])], [np.array([1.0]), np.array([1.0, 2.0, 3.0])])
    assert found["spearman"] == 0.0
