"""``import affekt``: the names that it promises, found when they are used."""

import dataclasses
import pickle

import pytest

import affekt
from affekt.prediction import Prediction


def test_every_promised_name_is_there() -> None:
    for name in affekt.__all__:
        assert getattr(affekt, name) is not None


def test_a_prediction_is_a_value() -> None:
    prediction = Prediction("love", ("joy",), {"joy": 0.75})
    assert prediction == Prediction("love", ("joy",), {"joy": 0.75}, windowed=False)
    assert prediction.to_dict() == {"text": "love", "emotions": ["joy"], "scores": {"joy": 0.75}, "windowed": False}
    assert pickle.loads(pickle.dumps(prediction)) == prediction  # noqa: S301
    with pytest.raises(dataclasses.FrozenInstanceError):
        prediction.text = "hate"  # type: ignore[misc]
