"""The gate: what counts as the same answer, and what is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from affekt.decision import DecisionRule
from affekt.errors import ParityError
from affekt.export.parity import MOST_DIFFERENCE, MOST_FLIPPED, MOST_LOST, Parity, compare, require_float, require_int8

RULE = DecisionRule.default(3)
LOGITS = np.array([[2.0, -2.0, 0.5], [-1.0, 1.0, -0.5], [3.0, -3.0, -0.1]], dtype=np.float32)
TRUTH = (LOGITS > 0).astype(np.float32)


def test_the_same_logits_are_the_same_answers() -> None:
    assert compare(LOGITS, LOGITS.copy(), TRUTH, RULE) == Parity(0.0, 0.0, 1.0, 1.0)


def test_differences_and_flips_are_counted() -> None:
    other = LOGITS.copy()
    other[2, 2] = 0.1
    found = compare(other, LOGITS, TRUTH, RULE)
    assert found.difference == pytest.approx(0.2)
    assert found.flipped == pytest.approx(1 / 9)
    assert found.macro_f1 < found.reference_macro_f1 == 1.0


def test_unknown_gold_labels_count_for_neither() -> None:
    truth = TRUTH.copy()
    truth[2, 2] = np.nan
    other = LOGITS.copy()
    other[2, 2] = 9.0
    found = compare(other, LOGITS, truth, RULE)
    assert found.macro_f1 == found.reference_macro_f1 == 1.0
    assert found.flipped == pytest.approx(1 / 9)


@given(st.floats(0, 2e-4))
def test_the_float_graph_must_be_within_its_limit(difference: float) -> None:
    parity = Parity(difference, 0.0, 0.5, 0.5)
    if difference <= MOST_DIFFERENCE:
        require_float(parity)
    else:
        with pytest.raises(ParityError, match="float32 graph's logits differ"):
            require_float(parity)


def test_logits_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(ParityError), np.errstate(invalid="ignore"):
        require_float(compare(np.full_like(LOGITS, np.nan), LOGITS, TRUTH, RULE))


@given(st.floats(0, 0.03), st.floats(-0.02, 0.02))
def test_the_int8_graph_must_be_within_both_limits(flipped: float, lost: float) -> None:
    parity = Parity(0.1, flipped, 0.5 - lost, 0.5)
    if flipped <= MOST_FLIPPED and abs(parity.macro_f1 - 0.5) <= MOST_LOST:
        require_int8(parity)
    else:
        with pytest.raises(ParityError, match="Nothing was written"):
            require_int8(parity)
