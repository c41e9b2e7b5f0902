"""Shares of a score among words, from scores of texts with words left out (Kernel SHAP, Lundberg & Lee 2017); numpy."""

import numpy as np
import numpy.typing as npt

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]


def coalitions(words: int, budget: int, seed: int = 0) -> tuple[BoolArray, FloatArray]:
    """Which words each variant keeps, and how much each variant counts.

    Every word alone and every word left out come first: they hold most of the Shapley kernel. What the budget leaves
    goes to random sets of the other sizes, each with its complement (which cancels much of the noise).

    Args:
        words: how many there are, at least 2.
        budget: how many variants may be scored; at least ``2 * words`` are made.
        seed: of the random sets.

    Returns:
        (variants, words) bool, and (variants,) weights that sum to 1.
    """
    single = np.eye(words, dtype=bool)
    exact = np.concatenate([~single, single])
    sizes = np.arange(2, words - 1)
    pairs = max(0, budget - 2 * words) // 2
    if not pairs or not sizes.size:
        return exact, np.full(len(exact), 1.0 / len(exact))
    kernel = (words - 1) / (sizes * (words - sizes))
    sampled = _random_sets(words, sizes, kernel, pairs, np.random.default_rng(seed))
    inner = kernel.sum() / (kernel.sum() + 2.0)
    weights = np.concatenate([np.full(len(exact), (1 - inner) / len(exact)), np.full(2 * pairs, inner / (2 * pairs))])
    return np.concatenate([exact, sampled, ~sampled]), weights


def _random_sets(
    words: int, sizes: npt.NDArray[np.int_], kernel: FloatArray, count: int, generator: np.random.Generator
) -> BoolArray:
    drawn = generator.choice(sizes, size=count, p=kernel / kernel.sum())
    order = generator.random((count, words)).argsort(axis=1).argsort(axis=1)
    kept: BoolArray = order < drawn[:, None]
    return kept


def shares(kept: BoolArray, weights: FloatArray, values: FloatArray, full: FloatArray, empty: FloatArray) -> FloatArray:
    """The weighted least-squares shares that add up exactly to ``full - empty``.

    Args:
        kept: (variants, words) which words each variant keeps.
        weights: (variants,) how much each counts.
        values: (variants, labels) what the model says of each variant.
        full: (labels,) what it says of the whole text.
        empty: (labels,) what it says of no words.

    Returns:
        (words, labels) shares.
    """
    total = full - empty
    design = kept.astype(np.float64)
    scaled = design * weights[:, None]
    normal = scaled.T @ design + 1e-9 * np.eye(design.shape[1])
    free = np.linalg.solve(normal, scaled.T @ (values - empty))
    ones = np.linalg.solve(normal, np.ones(design.shape[1]))
    excess = (free.sum(axis=0) - total) / ones.sum()
    found: FloatArray = free - ones[:, None] * excess
    return found
