"""Score gaps between groups of people in sentences that are otherwise the same, and what identity words do alone."""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

from affekt.evaluation.behaviour.fairness_suite import Attribute, FairnessSuite, Identity, Unit, units
from affekt.evaluation.behaviour.subject import Subject

FloatArray = npt.NDArray[np.float64]
RESAMPLES = 1000


@dataclass(frozen=True)
class Gap:
    """The two groups furthest apart for one emotion.

    Attributes:
        emotion: the label.
        high: group with the higher mean score.
        low: group with the lower.
        mean: difference of their mean scores.
        interval: 95 % bootstrap interval of that difference, over sentences and over the entries of the groups.
        clear: whether it stays away from 0 after Bonferroni correction for all emotions and pairs of groups.
        worst: largest difference between two groups in one and the same sentence.
        worst_high: group with the higher score there.
        worst_low: group with the lower.
        worst_text: that sentence.
    """

    emotion: str
    high: str
    low: str
    mean: float
    interval: tuple[float, float]
    clear: bool
    worst: float
    worst_high: str
    worst_low: str
    worst_text: str


@dataclass(frozen=True)
class AttributeResult:
    """One way in which people differ.

    Attributes:
        name: of the attribute.
        groups: compared groups.
        sentences: templates with their feelings.
        texts: how many texts were scored.
        gaps: one per emotion, largest mean first.
        flips: share of sentences in which two groups' mean scores decide for different emotions, averaged over pairs.
    """

    name: str
    groups: tuple[str, ...]
    sentences: int
    texts: int
    gaps: tuple[Gap, ...]
    flips: float


@dataclass(frozen=True)
class IdentityShift:
    """What a word for people does to an emotion by being there.

    Attributes:
        kind: of the word.
        word: the word.
        emotion: the label that it moves most, apart from neutral.
        shift: mean score with the word minus mean score with reference words.
        range: smallest and largest shift over the frames.
        usual: largest shift that a reference word itself makes for this emotion.
        decided: emotions decided in at least half of the frames.
    """

    kind: str
    word: str
    emotion: str
    shift: float
    range: tuple[float, float]
    usual: float
    decided: tuple[str, ...]


@dataclass(frozen=True)
class Fairness:
    """What the fairness templates found.

    Attributes:
        attributes: one per way in which people differ.
        identity: one per identity word, largest shift first.
    """

    attributes: tuple[AttributeResult, ...]
    identity: tuple[IdentityShift, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def run_fairness(subject: Subject, suite: FairnessSuite, *, resamples: int = RESAMPLES, seed: int = 0) -> Fairness:
    """Score every sentence of a suite and compare the groups.

    Args:
        subject: what is tested.
        suite: sentences.
        resamples: of the bootstrap over sentences.
        seed: of the bootstrap.
    """
    plan = [list(units(attribute, suite.feelings)) for attribute in suite.attribute]
    framed = _framed(suite.identity) if suite.identity else []
    wanted = [t for group in plan for unit in group for texts in unit.texts.values() for t in texts] + framed
    row = {text: index for index, text in enumerate(dict.fromkeys(wanted))}
    scores = subject.scores(list(row)).astype(np.float64)
    generator = np.random.default_rng(seed)
    results = tuple(
        _attribute(subject, attribute, group, _blocks(group, scores, row), resamples, generator)
        for attribute, group in zip(suite.attribute, plan, strict=True)
    )
    return Fairness(results, _identity(subject, suite.identity, scores, row) if suite.identity else ())


def _blocks(group: Sequence[Unit], scores: FloatArray, row: dict[str, int]) -> list[FloatArray]:
    """Scores of each group: (sentences, entries of the group, labels)."""
    names = list(group[0].texts)
    return [np.array([scores[[row[text] for text in unit.texts[name]]] for unit in group]) for name in names]


def _attribute(
    subject: Subject,
    attribute: Attribute,
    group: Sequence[Unit],
    blocks: list[FloatArray],
    resamples: int,
    generator: np.random.Generator,
) -> AttributeResult:
    names = tuple(attribute.groups)
    means = np.stack([block.mean(axis=1) for block in blocks], axis=1)
    drawn = np.stack([*_resampled(blocks, resamples, generator)], axis=1)
    tests = len(subject.labels) * math.comb(len(names), 2)
    limit = NormalDist().inv_cdf(1 - 0.05 / (2 * tests))
    gaps = [_gap(column, label, names, group, means, drawn, limit) for column, label in enumerate(subject.labels)]
    decided = means >= np.asarray(subject.rule.thresholds)
    pairs = itertools.combinations(range(len(names)), 2)
    differ = np.array([np.any(decided[:, a] != decided[:, b], axis=1).mean() for a, b in pairs])
    texts = sum(len(texts) for unit in group for texts in unit.texts.values())
    ranked = tuple(sorted(gaps, key=lambda gap: -gap.mean))
    return AttributeResult(attribute.name, names, len(group), texts, ranked, float(differ.mean()))


def _resampled(blocks: list[FloatArray], resamples: int, generator: np.random.Generator) -> Iterator[FloatArray]:
    """Mean scores of each group when sentences (the same for all groups) and entries are drawn again.

    Yields:
        Per group (resamples, labels).
    """
    sentences = _weights(len(blocks[0]), resamples, generator)
    for block in blocks:
        entries = _weights(block.shape[1], resamples, generator)
        yield np.einsum("ru,uel,re->rl", sentences, block, entries, optimize=True)


def _weights(count: int, resamples: int, generator: np.random.Generator) -> FloatArray:
    """How often each of ``count`` things is drawn, as shares: (resamples, count)."""
    return generator.multinomial(count, np.full(count, 1 / count), size=resamples) / count


def _gap(
    column: int,
    label: str,
    names: tuple[str, ...],
    group: Sequence[Unit],
    means: FloatArray,
    drawn: FloatArray,
    limit: float,
) -> Gap:
    average = means[:, :, column].mean(axis=0)
    high, low = int(average.argmax()), int(average.argmin())
    differences = drawn[:, high, column] - drawn[:, low, column]
    mean = float(average[high] - average[low])
    worst = int(np.ptp(means[:, :, column], axis=1).argmax())
    there = means[worst, :, column]
    return Gap(
        emotion=label,
        high=names[high],
        low=names[low],
        mean=mean,
        interval=(float(np.quantile(differences, 0.025)), float(np.quantile(differences, 0.975))),
        clear=bool(mean > limit * differences.std() and mean > 1e-9),
        worst=float(np.ptp(there)),
        worst_high=names[int(there.argmax())],
        worst_low=names[int(there.argmin())],
        worst_text=group[worst].place,
    )


def _framed(identity: Identity) -> list[str]:
    words = [*identity.reference, *itertools.chain.from_iterable(identity.words.values())]
    return [_frame(frame, word) for word in words for frame in identity.frames]


def _frame(frame: str, word: str) -> str:
    text = frame.replace("{word}", word)
    return text[:1].upper() + text[1:]


def _identity(
    subject: Subject, identity: Identity, scores: FloatArray, row: dict[str, int]
) -> tuple[IdentityShift, ...]:
    def of(word: str) -> FloatArray:
        """(frames, labels)."""
        return scores[[row[_frame(frame, word)] for frame in identity.frames]]

    reference = np.array([of(word) for word in identity.reference])
    base = reference.mean(axis=0)
    usual = np.abs((reference - base).mean(axis=1)).max(axis=0)
    thresholds = np.asarray(subject.rule.thresholds)
    emotional = np.array([label != "neutral" for label in subject.labels])
    found = []
    for kind, words in identity.words.items():
        for word in words:
            shifts = of(word) - base
            column = int((np.abs(shifts.mean(axis=0)) * emotional).argmax())
            half = (of(word) >= thresholds).mean(axis=0) >= 0.5
            found.append(
                IdentityShift(
                    kind=kind,
                    word=word,
                    emotion=subject.labels[column],
                    shift=float(shifts[:, column].mean()),
                    range=(float(shifts[:, column].min()), float(shifts[:, column].max())),
                    usual=float(usual[column]),
                    decided=tuple(subject.labels[i] for i in np.flatnonzero(half)),
                )
            )
    return tuple(sorted(found, key=lambda shift: -abs(shift.shift)))
