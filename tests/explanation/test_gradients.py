"""Integrated gradients: complete, in the right words, in every label set."""

from pathlib import Path

import numpy as np
import pytest

from affekt.classifier import EmotionClassifier
from affekt.errors import BackendError, ModelFolderError, SettingError
from affekt.explanation.explanation import Explanation
from affekt.models import SHIPPED
from models import model_folder

pytest.importorskip("torch")

from affekt.explanation.gradients import TOLERANCE, GradientExplainer


@pytest.fixture(scope="module")
def explainer(tiny_folder: Path) -> GradientExplainer:
    return GradientExplainer(tiny_folder)


def odds(score: float) -> float:
    return float(np.log(score / (1 - score)))


TEXTS = ["I am not very happy!", "sadly I hate it . . . today", "love", "you you you am angry about it", "xyz 😂 happy"]


@pytest.mark.parametrize("taxonomy", [None, "ekman"])
@pytest.mark.parametrize("text", TEXTS)
def test_the_weights_lead_from_the_baseline_to_the_score(
    explainer: GradientExplainer, text: str, taxonomy: str | None
) -> None:
    found = explainer.explain(text, taxonomy=taxonomy)
    assert found.method == "gradients"
    assert found.unexplained <= TOLERANCE
    for emotion in found.emotions:
        change = odds(emotion.score) - odds(emotion.baseline)
        total = sum(word.weight for word in emotion.words)
        assert total == pytest.approx(change, rel=0.011, abs=2e-3)


@pytest.mark.parametrize("taxonomy", [None, "ekman"])
def test_the_scores_are_the_classifiers(explainer: GradientExplainer, tiny_folder: Path, taxonomy: str | None) -> None:
    classifier = EmotionClassifier.load(tiny_folder, backend="torch")
    for text in TEXTS:
        prediction = classifier.predict(text, taxonomy=taxonomy)[0]
        found = explainer.explain(text, taxonomy=taxonomy)
        if found.decided:
            assert [item.emotion for item in found.emotions] == list(prediction.emotions)
        else:
            assert not prediction.emotions
        for item in found.emotions:
            assert item.score == pytest.approx(prediction.scores[item.emotion], abs=1e-4)


def test_words_stand_where_they_stand_in_the_original(explainer: GradientExplainer) -> None:
    text = "  I am   sadly happy!"
    found = explainer.explain(text)
    for word in found.emotions[0].words:
        assert text[word.start : word.end] == word.text
    assert [word.text for word in found.emotions[0].words] == ["I", "am", "sadly", "happy", "!"]


def test_the_first_order_case_is_exact(explainer: GradientExplainer) -> None:
    """A one-word text: all of the change belongs to that word."""
    found = explainer.explain("happy", emotions=["joy"])
    (word,) = found.emotions[0].words
    change = odds(found.emotions[0].score) - odds(found.emotions[0].baseline)
    assert word.weight == pytest.approx(change, rel=0.011, abs=2e-3)


def test_a_long_text_says_that_its_end_was_left_out(explainer: GradientExplainer) -> None:
    found = explainer.explain("i am happy today . " * 20)
    assert found.truncated
    assert found.emotions[0].words[-1].weight == 0
    assert not explainer.explain("i am happy").truncated


def test_asked_for_emotions_come_highest_score_first(explainer: GradientExplainer) -> None:
    found = explainer.explain("i am happy", emotions=["joy", "fear", "anger"])
    assert {item.emotion for item in found.emotions} == {"joy", "fear", "anger"}
    scores = [item.score for item in found.emotions]
    assert scores == sorted(scores, reverse=True)


def test_mistakes_are_named(explainer: GradientExplainer, tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="no emotion 'hunger'"):
        explainer.explain("x", emotions=["hunger"])
    with pytest.raises(SettingError, match="'nonsense'"):
        explainer.explain("x", taxonomy="nonsense")
    with pytest.raises(ModelFolderError):
        GradientExplainer(tmp_path)


def test_an_empty_text_has_no_words(explainer: GradientExplainer) -> None:
    found = explainer.explain("")
    assert isinstance(found, Explanation)
    assert found.emotions[0].words == ()


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ("bert", {}),
        ("roberta", {"pad_token_id": 1, "max_position_embeddings": 66}),
        ("mpnet", {"pad_token_id": 1, "max_position_embeddings": 66}),
        ("electra", {}),
        ("distilbert", {"dim": 32, "n_layers": 2, "n_heads": 2, "hidden_dim": 48}),
        ("modernbert", {}),
    ],
)
def test_every_architecture_is_explained_completely(kind: str, settings: dict[str, int], tmp_path: Path) -> None:
    folder = model_folder(tmp_path / kind, kind=kind, **settings)
    explainer = GradientExplainer(folder)
    classifier = EmotionClassifier.load(folder, backend="torch")
    for text in ("i love this day", "so sad, 😂 but ok"):
        found = explainer.explain(text, emotions=["joy", "anger"])
        assert found.unexplained <= TOLERANCE
        scores = classifier.predict(text)[0].scores
        for item in found.emotions:
            assert item.score == pytest.approx(scores[item.emotion], abs=1e-4)


def test_a_folder_without_pytorch_weights_is_named_with_a_way_out() -> None:
    with pytest.raises(BackendError, match="no PyTorch weights") as caught:
        GradientExplainer(SHIPPED)
    assert "occlusion" in str(caught.value.hint)
