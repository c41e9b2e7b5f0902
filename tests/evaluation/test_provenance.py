"""Whether a model has seen a table before is read off its folder, and said."""

from typing import Any

import numpy as np
import pytest

from affekt.data.dataset import Dataset
from affekt.evaluation.provenance import CHOSEN, FOLDED, LEARNED, provenance
from affekt.model_folder import Manifest
from models import manifest

TABLE = Dataset(("one", "two"), ("joy",), np.ones((2, 1), dtype=np.float32), name="mine")
PRINT = TABLE.fingerprint()


def model(data: dict[str, Any], fitted_on: str, slope: float = 2.0) -> Manifest:
    made = manifest()
    own = made.rules[made.taxonomy]
    record = own.model_copy(update={"fitted_on": fitted_on, "slope": (slope,) * len(own.labels)})
    return made.model_copy(update={"data": data, "rules": {**made.rules, made.taxonomy: record}})


def seen(data: dict[str, Any], fitted_on: str, slope: float = 2.0) -> tuple[bool, tuple[str, ...]]:
    made = model(data, fitted_on, slope)
    return provenance(made, made.taxonomy, TABLE)


@pytest.mark.parametrize(
    ("data", "fitted_on", "saw", "notes"),
    [
        ({}, "5 texts of 'mine'", False, ()),
        ({"dev": {"name": "mine", "sha256": "another"}}, "5 texts of 'mine'", False, ()),
        ({"dev": {"name": "mine", "sha256": PRINT}}, "2 texts of 'mine'", True, ()),
        ({"dev": {"name": "mine", "sha256": PRINT}}, "dev, 2 texts", True, ()),
        ({"dev": {"name": "mine", "sha256": PRINT}}, "", True, ()),
        ({}, f"a table with fingerprint {PRINT}", True, ()),
        ({"dev": {"name": "mine", "sha256": PRINT}}, "out-of-fold logits of the training texts", False, (CHOSEN,)),
        ({"train": {"name": "mine", "sha256": PRINT}}, "2 texts of 'dev'", True, (LEARNED,)),
        ({"train": {"name": "mine", "sha256": PRINT}}, "out-of-fold logits of the training texts", True, (LEARNED,)),
        ({"more": "a sentence"}, "2 texts of 'dev'", False, ()),
    ],
)  # fmt: skip
def test_what_is_seen(data: dict[str, Any], fitted_on: str, saw: bool, notes: tuple[str, ...]) -> None:
    assert seen(data, fitted_on) == (saw, notes)


def test_a_folded_calibration_is_said() -> None:
    made = model({}, "2 texts of 'dev'", slope=1.0)
    own = made.rules[made.taxonomy]
    folded = own.model_copy(update={"intercept": (0.0,) * len(own.labels)})
    plain = made.model_copy(update={"rules": {**made.rules, made.taxonomy: folded}})
    assert provenance(plain, made.taxonomy, TABLE).notes == (FOLDED,)
    assert provenance(plain, "no such set", TABLE).notes == ()


def test_a_set_without_a_rule_of_its_own_has_seen_what_the_folder_lists() -> None:
    made = model({"dev": {"name": "mine", "sha256": PRINT}}, "out-of-fold logits")
    assert provenance(made, "no such set", TABLE).rule_saw_texts
