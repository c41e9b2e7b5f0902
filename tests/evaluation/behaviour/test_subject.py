"""A classifier as the subject of tests, in each of its label sets."""

from pathlib import Path

import numpy as np
import pytest

from affekt.classifier import EmotionClassifier
from affekt.errors import SettingError
from affekt.evaluation.behaviour import Subject
from affekt.taxonomy import GOEMOTIONS, TAXONOMIES
from models import model_folder

pytest.importorskip("transformers")


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> EmotionClassifier:
    folder: Path = model_folder(tmp_path_factory.mktemp("m") / "tiny", GOEMOTIONS, "goemotions")
    return EmotionClassifier.load(folder, backend="torch")


@pytest.mark.parametrize("name", [None, "ekman", "sentiment", "core14"])
def test_scores_and_decisions_are_the_classifiers(classifier: EmotionClassifier, name: str | None) -> None:
    subject = Subject.of(classifier, name)
    texts = ["i love this day", "so sad", "hate"]
    scores = subject.scores(texts)
    decided = subject.decide(scores)
    for prediction, row, chosen in zip(classifier.predict(texts, taxonomy=name), scores, decided, strict=True):
        assert row == pytest.approx(list(prediction.scores.values()), abs=1e-6)
        assert {subject.labels[i] for i in np.flatnonzero(chosen)} == set(prediction.emotions)


def test_members_of_a_label_set(classifier: EmotionClassifier) -> None:
    assert Subject.of(classifier).members["joy"] == {"joy"}
    ekman = Subject.of(classifier, "ekman")
    assert ekman.members["fear"] == {"fear", "nervousness"}
    assert ekman.labels == TAXONOMIES["ekman"].labels
    assert [ekman.labels[i] for i in ekman.touching(["remorse", "love"])] == ["joy", "sadness"]
    sentiment = Subject.of(classifier, "sentiment")
    assert [sentiment.labels[i] for i in sentiment.touching(["positive"])] == ["positive"]


def test_a_label_set_that_does_not_exist(classifier: EmotionClassifier) -> None:
    with pytest.raises(SettingError, match="'plutchik'"):
        Subject.of(classifier, "plutchik")
