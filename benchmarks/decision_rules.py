"""Which way of choosing thresholds generalises: every method on logits that some model gave.

    python benchmarks/decision_rules.py dev.npz
    python benchmarks/decision_rules.py out_of_fold.npz --draws 8 --texts 5426

The file holds ``logits`` and ``truth``, (texts, labels) each, of texts that the model did not learn from. By default
every method is cross-fitted on all of them. With ``--draws``, rules are fitted on samples of ``--texts`` texts each and
measured on all the others: the figure that a user would see, with a standard error, where there are enough texts (the
out-of-fold logits of a training set, say).
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np

from affekt.evaluation.metrics import expected_calibration_error
from affekt.tuning import CALIBRATION_METHODS, THRESHOLD_METHODS, compare_methods, fit_calibration, fit_thresholds
from affekt.tuning.arrays import macro_f1
from affekt.tuning.thresholds import best_cuts


def cross_fitted(logits: np.ndarray, truth: np.ndarray, repeats: int) -> list[dict[str, object]]:
    """Cross-fit every method on the same texts."""
    began = time.perf_counter()
    rows = compare_methods(logits, truth, repeats=repeats)
    print(f"{'method':22} {'cross-fitted':>12} {'spread':>7} {'same texts':>10} {'flattery':>8}")
    for row in rows:
        print(f"{row.method:22} {row.cross_fitted:12.4f} {row.spread:7.4f} {row.same_texts:10.4f} {row.flattery:8.4f}")
    print(f"{time.perf_counter() - began:.1f} s")
    return [row._asdict() for row in rows]


def drawn(logits: np.ndarray, truth: np.ndarray, draws: int, texts: int, seed: int) -> list[dict[str, object]]:
    """Fit on samples that do not overlap, measure on all other texts."""
    order = np.random.default_rng(seed).permutation(len(truth))
    figures: dict[str, list[float]] = {name: [] for name in (*THRESHOLD_METHODS, "oracle")}
    for draw in range(min(draws, len(truth) // texts)):
        own = order[draw * texts : (draw + 1) * texts]
        rest = np.setdiff1d(order, own)
        calibration = fit_calibration(logits[own], truth[own])
        scores, held = calibration.apply(logits[own]), calibration.apply(logits[rest]).astype(np.float64)
        for name in THRESHOLD_METHODS:
            figures[name].append(macro_f1(truth[rest], held >= fit_thresholds(scores, truth[own], name, seed=seed)))
        figures["oracle"].append(float(best_cuts(held, truth[rest].astype(float))[1].mean()))
    base = np.array(figures["per_label"])
    rows: list[dict[str, object]] = []
    print(f"{'method':12} {'macro-F1':>8} {'over per_label':>14} {'s.e.':>7}")
    for name, values in sorted(figures.items(), key=lambda item: -np.mean(item[1])):
        gain = np.array(values) - base
        error = float(gain.std(ddof=1) / np.sqrt(len(gain))) if len(gain) > 1 else float("nan")
        rows.append({"method": name, "macro_f1": float(np.mean(values)), "gain": float(gain.mean()), "error": error})
        print(f"{name:12} {np.mean(values):8.4f} {gain.mean():+14.4f} {error:7.4f}")
    return rows


def calibrations(logits: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """Calibration error of every method, fitted on one half of the texts and measured on the other, over labels."""
    half = np.random.default_rng(0).permutation(len(truth)) % 2 == 0
    found = {
        name: float(
            expected_calibration_error(
                truth[~half], fit_calibration(logits[half], truth[half], name).apply(logits[~half])
            ).mean()
        )
        for name in CALIBRATION_METHODS
    }
    print("calibration error: " + ", ".join(f"{name} {value:.4f}" for name, value in found.items()))
    return found


def main() -> None:
    """Read the arguments, print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path, help=".npz with logits and truth")
    parser.add_argument("--draws", type=int, default=0, help="fit on this many samples, measure on the rest")
    parser.add_argument("--texts", type=int, default=5426, help="texts of a sample")
    parser.add_argument("--repeats", type=int, default=5, help="partitions into folds")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="also write figures here")
    options = parser.parse_args()
    data = np.load(options.file)
    logits, truth = data["logits"].astype(np.float64), data["truth"].astype(bool)
    print(f"{options.file.name}: {len(truth):,} texts, {truth.shape[1]} labels")
    rows = (
        drawn(logits, truth, options.draws, options.texts, options.seed)
        if options.draws
        else cross_fitted(logits, truth, options.repeats)
    )
    result = {"rows": rows, "calibration_error": calibrations(logits, truth)}
    if options.json:
        options.json.write_text(json.dumps(result, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
