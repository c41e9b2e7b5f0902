"""Explaining a classifier's answer by occlusion, and showing it."""

import io
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from affekt.classifier import EmotionClassifier
from affekt.decision import Calibration, DecisionRule, logit, sigmoid
from affekt.errors import SettingError
from affekt.explanation import EmotionExplanation, Explanation, WordWeight, explain
from affekt.explanation.render import pieces, strength, to_html, to_page, to_terminal
from affekt.model_folder import Manifest, RuleRecord


class Fake:
    """A classifier of two labels that counts words."""

    labels = ("joy", "sadness")
    rule = DecisionRule(Calibration.identity(2), (0.5, 0.5))
    manifest = Manifest(name="fake", labels=labels, taxonomy="two", rules={"two": RuleRecord.of(labels, rule)})

    def scores(self, texts: Sequence[str], taxonomy: str | None = None) -> np.ndarray:
        assert taxonomy is None
        odds = [[3 * ("😂" in t) + 2 * ("happy" in t) - 2, 3 * ("sad" in t) - 2] for t in texts]
        return sigmoid(np.array(odds, dtype=float))


def test_decided_emotions_are_explained_highest_first() -> None:
    found = explain(Fake(), "happy 😂 but sad")
    assert [item.emotion for item in found.emotions] == ["joy", "sadness"]
    assert found.decided
    joy = {word.text: word.weight for word in found.emotions[0].words}
    assert joy["😂"] == pytest.approx(3, abs=1e-3)
    assert joy["happy"] == pytest.approx(2, abs=1e-3)
    assert joy["but"] == pytest.approx(0, abs=1e-3)
    assert found.emotions[0].strongest(1)[0].text == "😂"


def test_weights_add_up() -> None:
    for item in explain(Fake(), "so happy , never sad 😂").emotions:
        assert sum(word.weight for word in item.words) == pytest.approx(
            float(logit(item.score) - logit(item.baseline)), abs=1e-3
        )


def test_the_nearest_emotion_where_none_is_decided() -> None:
    found = explain(Fake(), "nothing here")
    assert not found.decided
    assert len(found.emotions) == 1


def test_emotions_may_be_asked_for() -> None:
    found = explain(Fake(), "happy 😂", emotions=["sadness"])
    assert [item.emotion for item in found.emotions] == ["sadness"]
    assert found.asked
    assert not found.decided
    assert "below its threshold" in to_html(found)
    assert "No emotion was decided" not in to_html(found)
    with pytest.raises(SettingError, match="no emotion 'awe'"):
        explain(Fake(), "happy", emotions=["awe"])
    with pytest.raises(SettingError, match="'nope'"):
        explain(Fake(), "happy", taxonomy="nope")


@pytest.mark.parametrize("taxonomy", [None, "ekman", "sentiment"])
def test_a_real_classifier_in_every_label_set(tiny_folder: Path, taxonomy: str | None) -> None:
    classifier = EmotionClassifier.load(tiny_folder, backend="torch")
    text = "I am 😂 not happy"
    found = explain(classifier, text, taxonomy=taxonomy)
    prediction = classifier.predict(text, taxonomy=taxonomy)[0]
    if found.decided:
        assert [item.emotion for item in found.emotions] == list(prediction.emotions)
    assert found.emotions[0].score == pytest.approx(prediction.scores[found.emotions[0].emotion], abs=1e-3)


def test_json_round_trip() -> None:
    found = explain(Fake(), "happy 😂")
    data = json.loads(json.dumps(found.to_dict()))
    assert data["emotions"][0]["words"][1]["text"] == "😂"
    assert data["text"][data["emotions"][0]["words"][1]["start"]] == "😂"
    assert data["method"] == "occlusion"


def rendered(explanation: Explanation, *, colours: bool) -> str:
    from rich.console import Console

    stream = io.StringIO()
    Console(file=stream, force_terminal=colours, color_system="truecolor" if colours else None, width=200).print(
        to_terminal(explanation)
    )
    return stream.getvalue()


def test_terminal_shows_words_and_weights() -> None:
    found = explain(Fake(), "happy 😂 \x1b[31m today")
    plain = rendered(found, colours=False)
    assert "joy" in plain
    assert "😂 +3.00" in plain
    assert "\x1b" not in plain
    assert "48;2;" in rendered(found, colours=True)


def test_terminal_says_that_nothing_was_decided() -> None:
    assert "No emotion was decided" in rendered(explain(Fake(), "table"), colours=False)


def test_html_escapes_and_marks() -> None:
    found = explain(Fake(), "happy <b>😂</b>\n& 'so'")
    html = to_html(found)
    assert "<b>😂" not in html
    assert 'title="+3.00"' in html
    assert 'class="for"' in html
    page = to_page([found])
    assert page.startswith("<!doctype html>")
    assert "http" not in page
    assert "occlusion" in page


def test_html_of_nothing_decided() -> None:
    assert "No emotion was decided" in to_html(explain(Fake(), "table"))


def test_pieces_are_the_whole_text() -> None:
    text = "  so  happy!  😂 "
    for item in explain(Fake(), text).emotions:
        assert "".join(piece for piece, _ in pieces(text, item)) == text


def test_strength_is_relative_and_faint_words_stay_plain() -> None:
    words = (WordWeight("a", 0, 1, -4.0), WordWeight("b", 2, 3, 2.0), WordWeight("c", 4, 5, 0.1))
    emotion = EmotionExplanation("joy", 0.5, 0.5, 0.1, words)
    assert [strength(word, emotion) for word in words] == [-1.0, 0.5, 0.0]
    nothing = EmotionExplanation("joy", 0.5, 0.5, 0.1, (WordWeight("a", 0, 1, 0.0),))
    assert strength(nothing.words[0], nothing) == 0.0
