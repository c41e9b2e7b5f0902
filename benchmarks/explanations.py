"""How fast explanations are, and whether they are true to the model: deletion, insertion, completeness, agreement.

python benchmarks/explanations.py --model FOLDER --data dev.tsv [--texts 500] [--no-gradients]
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np

from affekt.answering import View
from affekt.classifier import EmotionClassifier
from affekt.data import load_dataset
from affekt.explanation import explain
from affekt.explanation.faithfulness import agreement, faithfulness
from affekt.explanation.occlusion import BUDGET, occlude
from affekt.explanation.words import split_words

TWENTY_WORDS = "I was so happy to see my old friends again but I am still a bit sad about leaving them"


def latency(classifier: EmotionClassifier, repeats: int = 40) -> dict[str, float]:
    """Milliseconds for a text of twenty words: median and 95th percentile."""
    assert len(split_words(TWENTY_WORDS)) == 20
    explain(classifier, TWENTY_WORDS)
    taken = []
    for _ in range(repeats):
        start = time.perf_counter()
        explain(classifier, TWENTY_WORDS)
        taken.append(1000 * (time.perf_counter() - start))
    return {"median_ms": float(np.median(taken)), "p95_ms": float(np.quantile(taken, 0.95)), "best_ms": min(taken)}


def main() -> None:
    """Measure and print as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--texts", type=int, default=500)
    parser.add_argument("--budget", type=int, default=BUDGET)
    parser.add_argument("--backend", default="auto")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--no-gradients", dest="gradients", action="store_false")
    asked = parser.parse_args()
    classifier = EmotionClassifier.load(asked.model, backend=asked.backend, threads=asked.threads)
    found: dict[str, object] = {"backend": classifier.backend.name, "latency": latency(classifier)}
    rng = np.random.default_rng(0)
    texts = [text for text in load_dataset(asked.data).texts if 3 <= len(split_words(text)) <= 60]
    texts = [texts[i] for i in rng.choice(len(texts), min(asked.texts, len(texts)), replace=False)]
    labels = _labels(classifier, texts)
    start = time.perf_counter()
    occluded = [occlude(classifier.scores, text, budget=asked.budget).weights for text in texts]
    found["occlusion_ms_per_text"] = 1000 * (time.perf_counter() - start) / len(texts)
    by_occlusion = [weights[:, label] for weights, label in zip(occluded, labels, strict=True)]
    found["occlusion"] = faithfulness(classifier.scores, texts, by_occlusion, labels).to_dict()
    if asked.gradients:
        found |= _gradients(classifier, texts, labels, by_occlusion)
    print(json.dumps(found, indent=2))


def _labels(classifier: EmotionClassifier, texts: list[str]) -> list[int]:
    """Per text, the label that stands highest above its threshold: what an explanation would be asked about."""
    rule = View.of(classifier.manifest).rule
    return (classifier.scores(texts) / np.maximum(np.array(rule.thresholds), 1e-6)).argmax(axis=1).tolist()


def _gradients(
    classifier: EmotionClassifier, texts: list[str], labels: list[int], other: list[np.ndarray]
) -> dict[str, object]:
    from affekt.explanation.gradients import GradientExplainer

    explainer = GradientExplainer(classifier.folder)
    names = classifier.labels
    start = time.perf_counter()
    made = [explainer.explain(text, emotions=[names[label]]) for text, label in zip(texts, labels, strict=True)]
    taken = 1000 * (time.perf_counter() - start) / len(texts)
    weights = [np.array([word.weight for word in item.emotions[0].words]) for item in made]
    gaps = np.array([item.unexplained for item in made])
    return {
        "gradients_ms_per_text": taken,
        "gradients": faithfulness(classifier.scores, texts, weights, labels).to_dict(),
        "completeness": {
            "worst": float(gaps.max()),
            "mean": float(gaps.mean()),
            "within_1_percent": float((gaps <= 0.01).mean()),
        },
        "agreement": agreement(other, weights),
    }


if __name__ == "__main__":
    main()
