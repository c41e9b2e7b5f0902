"""A run is resumed as what it was, and otherwise told what differs."""

import json
from dataclasses import replace

import pytest
import torch

from affekt.errors import CheckpointError
from affekt.training.checkpoints import fingerprint
from affekt.training.checkpoints.fingerprint import Fingerprint, check_same, code_digest, tensors_digest

RECIPE = {"lr": 2e-5, "loss": "focal", "betas": (0.9, 0.999)}


def weights() -> dict[str, torch.Tensor]:
    return {"a": torch.arange(6.0).reshape(2, 3), "b": torch.ones(1, dtype=torch.bfloat16)}


def of() -> Fingerprint:
    return Fingerprint.of(["train digest", "dev digest"], RECIPE, tensors_digest(weights()))


def test_the_same_run_resumes() -> None:
    saved = Fingerprint.from_json(json.loads(json.dumps(of().to_json())))
    assert check_same(saved, of()) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"data": "other"}, "the data changed"),
        ({"encoder": "other"}, "encoder's weights changed"),
        ({"code": "other"}, "training code changed"),
        ({"recipe": {**RECIPE, "betas": [0.9, 0.999], "lr": 1e-5}}, "'lr' was 2e-05 and is 1e-05"),
        ({"recipe": {"lr": 2e-5, "betas": [0.9, 0.999]}}, "'loss' was 'focal' and is None"),
        ({"libraries": {"torch": "0.1"}}, "version of 'torch'"),
    ],
)
def test_what_differs_is_said_and_may_be_allowed(change: dict[str, object], said: str) -> None:
    now = replace(of(), **change)  # type: ignore[arg-type]
    with pytest.raises(CheckpointError, match=said) as caught:
        check_same(of(), now)
    assert "--allow-changes" in caught.value.hint
    differences = check_same(of(), now, allow_changes=True)
    assert any(said in difference for difference in differences)


def test_an_incomplete_record_is_said() -> None:
    with pytest.raises(CheckpointError, match="encoder"):
        Fingerprint.from_json({name: value for name, value in of().to_json().items() if name != "encoder"})


def test_order_of_data_and_of_tensors() -> None:
    assert Fingerprint.of(["dev digest", "train digest"], RECIPE, tensors_digest(weights())).data != of().data
    assert tensors_digest(dict(reversed(weights().items()))) == tensors_digest(weights())


@pytest.mark.parametrize("how", ["value", "shape", "dtype", "name", "negative zero"])
def test_every_change_of_a_tensor_shows(how: str) -> None:
    other = weights()
    if how == "value":
        other["a"][1, 2] = 5.0000005
    elif how == "shape":
        other["a"] = other["a"].reshape(3, 2)
    elif how == "dtype":
        other["a"] = other["a"].view(torch.int32)
    elif how == "name":
        other["c"] = other.pop("a")
    else:
        other["a"][0, 0] = -0.0
    assert tensors_digest(other) != tensors_digest(weights())


def test_the_code_digest_covers_this_file() -> None:
    before = code_digest()
    assert before == code_digest()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fingerprint.affekt, "__version__", "0.0.0")
        assert code_digest() != before
