"""What a dataset looks like in numbers: imbalance, labels per text, labels that come together, lengths."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from affekt.data.dataset import Dataset
from affekt.data.describing.lengths import text_lengths
from affekt.errors import DataError

PERCENTILES = (50, 90, 95, 99, 100)
_TOP = 20


@dataclass(frozen=True)
class Pair:
    """Two labels that come together.

    Attributes:
        labels: their names.
        count: texts that have both.
        lift: how many times as often as if they were independent.
    """

    labels: tuple[str, str]
    count: int
    lift: float


@dataclass(frozen=True)
class Statistics:
    """A dataset in numbers.

    Attributes:
        name: of the dataset.
        texts: how many.
        labels: names.
        counts: (labels,) texts that have each label.
        unknown: (labels,) texts for which each label is unknown.
        per_text: labels per text -> texts.
        combinations: different sets of labels, and how many texts the most frequent have.
        together: (labels, labels) texts that have both; the diagonal repeats ``counts``.
        lengths: (texts,) length of each text.
        unit: ``words`` or ``tokens``.
    """

    name: str
    texts: int
    labels: tuple[str, ...]
    counts: npt.NDArray[np.int64]
    unknown: npt.NDArray[np.int64]
    per_text: dict[int, int]
    combinations: list[tuple[tuple[str, ...], int]]
    together: npt.NDArray[np.int64]
    lengths: npt.NDArray[np.int64]
    unit: str

    @property
    def shares(self) -> npt.NDArray[np.float64]:
        """(labels,) share of the texts, among those where the label is known, that have each label."""
        return self.counts / np.maximum(self.texts - self.unknown, 1)

    @property
    def cardinality(self) -> float:
        """Labels per text, on average."""
        return float(self.counts.sum() / self.texts)

    @property
    def imbalance(self) -> npt.NDArray[np.float64]:
        """(labels,) how many times rarer than the most frequent label each is; inf for labels never seen.

        Charte et al. (2015), "Addressing imbalance in multilabel classification", call it IRLbl.
        """
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(self.counts > 0, self.counts.max(initial=0) / self.counts, np.inf)

    @property
    def mean_imbalance(self) -> float:
        """The mean of :attr:`imbalance` over the labels that are seen (MeanIR)."""
        seen = self.imbalance[np.isfinite(self.imbalance)]
        return float(seen.mean()) if len(seen) else float("nan")

    def order(self) -> list[int]:
        """Label positions, most frequent first."""
        return [int(i) for i in np.argsort(-self.counts, kind="stable")]

    def sentences(self) -> list[str]:
        """The rest of the story for people: everything but the table of labels."""
        parts = [f"{number}: {texts:,} ({texts / self.texts:.1%})" for number, texts in self.per_text.items()]
        lengths = ", ".join(f"{p} % up to {length}" for p, length in self.percentiles().items())
        story = [f"Length in {self.unit}: mean {self.lengths.mean():.1f}; {lengths}."]
        if not self.labels:
            return story
        pairs = [f"{' + '.join(pair.labels)} {pair.count:,} ({pair.lift:.1f} x chance)" for pair in self.pairs(8)]
        unknown = int(self.unknown.sum())
        return [
            f"Labels per text: mean {self.cardinality:.2f}; {', '.join(parts)}.",
            f"Different label combinations: {len(self.combinations):,}.",
            f"Mean imbalance ratio: {self.mean_imbalance:.1f}.",
            f"Together most often: {', '.join(pairs) or 'never'}.",
            *([f"Unknown targets: {unknown:,}."] if unknown else []),
            *story,
        ]

    def percentiles(self) -> dict[int, int]:
        """Percentile -> length that this share of the texts stays within."""
        return {p: int(np.percentile(self.lengths, p, method="inverted_cdf")) for p in PERCENTILES}

    def pairs(self, top: int = _TOP) -> list[Pair]:
        """The pairs of labels that come together most often."""
        rows, columns = np.triu_indices(len(self.labels), 1)
        counts = self.together[rows, columns]
        best = np.argsort(-counts, kind="stable")[:top]
        chance = self.counts[rows] * self.counts[columns] / max(self.texts, 1)
        return [
            Pair(
                (self.labels[rows[i]], self.labels[columns[i]]), int(counts[i]), round(float(counts[i] / chance[i]), 3)
            )
            for i in best.tolist()
            if counts[i]
        ]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        ratios = [round(float(ratio), 3) if np.isfinite(ratio) else None for ratio in self.imbalance]
        columns = zip(self.labels, self.counts, self.shares, ratios, self.unknown, strict=True)
        return {
            "name": self.name,
            "texts": self.texts,
            "labels": [
                {
                    "label": label,
                    "count": int(n),
                    "share": round(float(share), 6),
                    "imbalance": ratio,
                    "unknown": int(u),
                }
                for label, n, share, ratio, u in columns
            ],
            "cardinality": round(self.cardinality, 6),
            "mean_imbalance": round(self.mean_imbalance, 3) if np.isfinite(self.mean_imbalance) else None,
            "per_text": {str(number): texts for number, texts in self.per_text.items()},
            "combinations": [{"labels": list(labels), "count": n} for labels, n in self.combinations[:_TOP]],
            "different_combinations": len(self.combinations),
            "pairs": [{"labels": list(pair.labels), "count": pair.count, "lift": pair.lift} for pair in self.pairs()],
            "together": self.together.tolist(),
            "lengths": {
                "unit": self.unit,
                "mean": round(float(self.lengths.mean()), 2),
                "percentiles": {str(p): length for p, length in self.percentiles().items()},
            },
        }


def statistics(dataset: Dataset, tokenizer: str | Path | None = None) -> Statistics:
    """A dataset in numbers; a label counts where its target is at least 0.5.

    Args:
        dataset: at least one text; labels may be missing.
        tokenizer: what lengths are counted in; see ``text_lengths``.

    Raises:
        DataError: if there are no texts, or no such tokenizer.
    """
    if not len(dataset):
        raise DataError(f"'{dataset.name}' has no texts.")
    positives = dataset.positives
    numbers = positives.astype(np.int64)
    sets = Counter(tuple(np.flatnonzero(row).tolist()) for row in positives)
    named = [(tuple(dataset.labels[i] for i in combination), count) for combination, count in sets.most_common()]
    per_text = np.bincount(numbers.sum(axis=1))
    lengths, unit = text_lengths(dataset.texts, tokenizer)
    return Statistics(
        name=dataset.name,
        texts=len(dataset),
        labels=dataset.labels,
        counts=numbers.sum(axis=0),
        unknown=(~dataset.known).sum(axis=0),
        per_text={number: int(texts) for number, texts in enumerate(per_text.tolist()) if texts},
        combinations=named,
        together=(positives.T.astype(np.float64) @ positives).round().astype(np.int64),
        lengths=lengths,
        unit=unit,
    )
