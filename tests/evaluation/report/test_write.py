"""A classifier's report: the right texts beside the right numbers, explained in the right label set."""

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("matplotlib")
pytest.importorskip("transformers")

from affekt.classifier import EmotionClassifier
from affekt.data import Dataset
from affekt.errors import DataError
from affekt.evaluation import Resampling, evaluate
from affekt.evaluation.report import report_on
from affekt.taxonomy import GOEMOTIONS
from models import model_folder

QUICK = Resampling(resamples=20, folds=2, repeats=1)


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> EmotionClassifier:
    return EmotionClassifier.load(model_folder(tmp_path_factory.mktemp("m") / "tiny"), backend="torch")


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    rng = np.random.default_rng(0)
    targets = (rng.random((60, 28)) < 0.08).astype(np.float32)
    targets[::3] = 0
    verbs = ("love", "hate", "like")
    return Dataset(tuple(f"i {verbs[i % 3]} this day {i}" for i in range(60)), GOEMOTIONS, targets, None, "sixty")


@pytest.mark.parametrize("taxonomy", [None, "ekman"])
@pytest.mark.parametrize("labelled_only", [False, True])
def test_texts_and_numbers_belong_together(
    classifier: EmotionClassifier, dataset: Dataset, tmp_path: Path, taxonomy: str | None, labelled_only: bool
) -> None:
    found = evaluate(classifier, dataset, taxonomy=taxonomy, labelled_only=labelled_only, resampling=QUICK)
    page = report_on(classifier, dataset, found, tmp_path).read_text(encoding="utf-8")
    assert f"{len(found.truth)} texts" in page
    if labelled_only:
        assert len(found.truth) < len(dataset)
        unlabelled = [text for text, row in zip(dataset.texts, dataset.positives, strict=True) if not row.any()]
        assert not [text for text in unlabelled if f"<blockquote>{text}</blockquote>" in page]
    assert "Which words made it so" in page
    numbers = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert numbers["evaluation"]["texts"] == len(found.truth)
    assert numbers["evaluation"]["label_set"] == (taxonomy or "goemotions")


def test_another_data_set_is_refused(classifier: EmotionClassifier, dataset: Dataset, tmp_path: Path) -> None:
    found = evaluate(classifier, dataset, resampling=QUICK)
    with pytest.raises(DataError, match="texts for an evaluation of 60"):
        report_on(classifier, dataset.subset(range(10)), found, tmp_path)
