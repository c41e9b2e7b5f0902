"""Whether suggested texts teach more than random ones: labels are revealed in rounds, a small model learns each time.

    python benchmarks/active_learning.py --train train.tsv --dev dev.tsv [--rounds 5] [--count 200] [--seeds 3]

The model is ridge regression on words (scikit-learn), so that the simulation takes minutes on a laptop and needs
no download. Mean average precision and macro-F1 on the held-back dev texts, per round, for both ways of choosing.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import Ridge

from affekt.data import Dataset, load_dataset
from affekt.evaluation.metrics import average_precision, macro_f1, mean_defined
from affekt.selection import suggest
from affekt.tuning.folds import stratified_folds
from affekt.tuning.rules import fit_rule

STEEPNESS = 10.0


class World:
    """Texts as features, a pool whose labels are hidden, and dev texts to be measured on."""

    def __init__(self, train: Dataset, dev: Dataset) -> None:
        words = TfidfVectorizer(ngram_range=(1, 2), min_df=3, sublinear_tf=True, max_features=60_000)
        self.train, self.dev = train, dev
        self.x, self.y = words.fit_transform(train.texts).astype(np.float32), train.positives
        self.x_dev, self.y_dev = words.transform(dev.texts).astype(np.float32), dev.positives

    def learn(self, rows: np.ndarray) -> tuple[Ridge, object]:
        """A model of the labelled rows, and a decision rule fitted across folds of them."""
        fold = stratified_folds(self.y[rows], 3, 0)
        held_out = np.empty((len(rows), self.y.shape[1]))
        for k in range(3):
            held_out[fold == k] = _logits(
                _fit(self.x[rows[fold != k]], self.y[rows[fold != k]]), self.x[rows[fold == k]]
            )
        return _fit(self.x[rows], self.y[rows]), fit_rule(held_out, self.y[rows])

    def measure(self, model: Ridge, rule: object) -> tuple[float, float]:
        """Mean average precision and macro-F1 on dev."""
        logits = _logits(model, self.x_dev)
        return mean_defined(average_precision(self.y_dev, logits)), macro_f1(self.y_dev, rule.decide(logits))


def _fit(x: sparse.csr_matrix, y: np.ndarray) -> Ridge:
    return Ridge(alpha=1.0, solver="sparse_cg", tol=1e-3).fit(x, y.astype(np.float32))


def _logits(model: Ridge, x: sparse.csr_matrix) -> np.ndarray:
    return STEEPNESS * (model.predict(x) - 0.5)


def run(world: World, how: str, seed: int, asked: argparse.Namespace) -> list[tuple[float, float]]:
    """Figures after 0, 1, ... rounds."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(world.y))
    rows, pool = order[: asked.start], order[asked.start : asked.start + asked.pool]
    figures = []
    for step in range(asked.rounds + 1):
        model, rule = world.learn(rows)
        figures.append(world.measure(model, rule))
        rest = pool[~np.isin(pool, rows)]
        if step == asked.rounds:
            break
        if how == "random":
            chosen = rng.choice(rest, asked.count, replace=False)
        else:
            scores = rule.calibration.apply(_logits(model, world.x[rest]))
            texts = [world.train.texts[i] for i in rest]
            found = suggest(texts, scores, world.train.labels, rule.thresholds, asked.count)
            chosen = rest[[item.index for item in found]]
        rows = np.concatenate([rows, chosen])
    return figures


def main() -> None:
    """Simulate and print as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--train", type=Path, required=True)
    parser.add_argument("--dev", type=Path, required=True)
    parser.add_argument("--start", type=int, default=1000)
    parser.add_argument("--pool", type=int, default=20_000)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first-seed", type=int, default=0)
    asked = parser.parse_args()
    world = World(load_dataset(asked.train), load_dataset(asked.dev))
    every, seeds = {}, range(asked.first_seed, asked.first_seed + asked.seeds)
    for how in ("random", "suggested"):
        every[how] = figures = np.array([run(world, how, seed, asked) for seed in seeds])
        line = {"how": how, "labelled": [asked.start + asked.count * r for r in range(asked.rounds + 1)]}
        for place, name in enumerate(("mean_average_precision", "macro_f1")):
            line[name] = figures[:, :, place].mean(axis=0).round(4).tolist()
            line[f"{name}_spread"] = figures[:, :, place].std(axis=0, ddof=1).round(4).tolist()
        print(json.dumps(line), flush=True)
    gains = every["suggested"] - every["random"]
    error = gains.std(axis=0, ddof=1) / len(gains) ** 0.5
    for place, name in enumerate(("mean_average_precision", "macro_f1")):
        print(json.dumps({"gain": name, "mean": gains[:, :, place].mean(axis=0).round(4).tolist(),
                          "standard_error": error[:, place].round(4).tolist()}))  # fmt: skip


if __name__ == "__main__":
    main()
