"""Whether rates and distributions differ by more than chance: tests, intervals and distances; numpy only."""

import math
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

Z = NormalDist().inv_cdf(0.975)
"""Half the width of a 95 % interval, in standard errors."""


def two_proportions(first: FloatArray, second: FloatArray, old: int, new: int) -> FloatArray:
    """Two-sided p-values of the difference of two rates, with the pooled variance."""
    pooled = (first * old + second * new) / (old + new)
    null = np.sqrt(pooled * (1 - pooled) * (1 / old + 1 / new))
    return _two_sided(np.divide(second - first, null, out=np.zeros_like(null), where=null > 0))


def newcombe(first: FloatArray, second: FloatArray, old: int, new: int) -> tuple[FloatArray, FloatArray]:
    """95 % interval of the second minus the first rate, from Wilson's intervals (Newcombe 1998, method 10)."""
    (low_first, high_first), (low_second, high_second) = wilson(first, old), wilson(second, new)
    difference = second - first
    below = np.sqrt((second - low_second) ** 2 + (high_first - first) ** 2)
    above = np.sqrt((high_second - second) ** 2 + (first - low_first) ** 2)
    return difference - below, difference + above


def wilson(rate: FloatArray, texts: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    """95 % interval of rates seen in so many texts (Wilson 1927); it holds for rare labels, where Wald's does not."""
    texts = np.asarray(texts, dtype=np.float64)
    middle = rate + Z**2 / (2 * texts)
    half = Z * np.sqrt(rate * (1 - rate) / texts + Z**2 / (4 * texts**2))
    scale = 1 + Z**2 / texts
    return (middle - half) / scale, (middle + half) / scale


def mcnemar(
    first: npt.NDArray[np.bool_], second: npt.NDArray[np.bool_]
) -> tuple[tuple[FloatArray, FloatArray], FloatArray]:
    """Interval and p-value for the same texts: only those whose decision changed say anything (McNemar 1947)."""
    gained = (second & ~first).sum(axis=0).astype(np.float64)
    lost = (first & ~second).sum(axis=0).astype(np.float64)
    moved = gained + lost
    z = np.divide(gained - lost, np.sqrt(moved), out=np.zeros_like(moved), where=moved > 0)
    difference = (gained - lost) / len(first)
    half = Z * np.sqrt(np.maximum(moved - (gained - lost) ** 2 / len(first), 0)) / len(first)
    return (difference - half, difference + half), _two_sided(z)


def _two_sided(z: FloatArray) -> FloatArray:
    return np.array([math.erfc(abs(value) / math.sqrt(2)) for value in z])


def holm(p: FloatArray) -> FloatArray:
    """Holm's step-down correction; NaN stays NaN."""
    found = np.full(len(p), math.nan)
    valid = np.flatnonzero(~np.isnan(p))
    order = valid[np.argsort(p[valid], kind="stable")]
    scaled = p[order] * np.arange(len(order), 0, -1)
    found[order] = np.minimum(np.maximum.accumulate(scaled), 1.0)
    return found


def kolmogorov_smirnov(first: npt.NDArray[Any], second: npt.NDArray[Any]) -> tuple[float, float]:
    """Distance between two sorted samples' distribution functions, and its p-value.

    The p-value is Kolmogorov's limit with Stephens' (1970) correction for finite samples.
    """
    values = np.concatenate([first, second])
    low = np.searchsorted(first, values, side="right") / len(first)
    high = np.searchsorted(second, values, side="right") / len(second)
    distance = float(np.abs(low - high).max())
    root = math.sqrt(len(first) * len(second) / (len(first) + len(second)))
    scaled = (root + 0.12 + 0.11 / root) * distance
    if scaled < 0.2:
        return distance, 1.0
    terms = np.arange(1, 101)
    p = 2 * float((np.where(terms % 2 == 1, 1.0, -1.0) * np.exp(-2 * terms**2 * scaled**2)).sum())
    return distance, min(max(p, 0.0), 1.0)


def stability_index(first: npt.NDArray[Any], second: npt.NDArray[Any], bins: int = 10) -> float:
    """Population stability index over quantiles of the first sample: sum of (q - p) * log(q / p)."""
    edges = np.unique(np.quantile(first, np.arange(1, bins) / bins))
    p, q = (_shares(np.searchsorted(edges, sample, side="right"), len(edges) + 1) for sample in (first, second))
    return float(((q - p) * np.log(q / p)).sum())


def _shares(index: npt.NDArray[np.int_], bins: int) -> FloatArray:
    """Share of each bin, with half a text added so that no bin is empty."""
    counts = np.bincount(index, minlength=bins) + 0.5
    shares: FloatArray = counts / counts.sum()
    return shares
