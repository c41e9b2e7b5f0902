"""Pools: texts are new, stay in the fold of their source, and no kind of change invents words or loses its text."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from affekt.errors import SettingError
from affekt.training.distilling.unlabelled import ANY_FOLD, CHANGES, Pool, make_pool

TEXTS = [f"word{i} is here. It stays for a while! Does number{i} go on" for i in range(40)]
FOLDS = np.arange(40) % 4


def test_texts_stay_in_the_fold_of_all_their_sources() -> None:
    pool = make_pool(TEXTS, FOLDS, derived=3.0, others=["from elsewhere"], seed=1)
    assert len(pool) > 60
    marks = {f"word{i}": fold for i, fold in enumerate(FOLDS)} | {f"number{i}": fold for i, fold in enumerate(FOLDS)}
    for text, fold in zip(pool.texts, pool.folds, strict=True):
        found = {marks[word.strip(".")] for word in text.split() if word.strip(".") in marks}
        assert found <= {fold}
    assert pool.folds[pool.texts.index("from elsewhere")] == ANY_FOLD


def test_pools_hold_no_training_text_and_nothing_twice() -> None:
    pool = make_pool(TEXTS, FOLDS, derived=4.0, others=[TEXTS[0], "new", "new", ""], seed=0)
    assert len(set(pool.texts)) == len(pool)
    assert not set(pool.texts) & {*TEXTS, ""}


def test_a_seed_decides_and_nothing_is_made_unless_asked() -> None:
    first, again, other = (make_pool(TEXTS, FOLDS, derived=1.0, seed=seed) for seed in (0, 0, 1))
    assert first.texts == again.texts
    assert first.texts != other.texts
    assert len(make_pool(TEXTS, FOLDS)) == 0
    with pytest.raises(SettingError, match="cannot be -1 derived texts"):
        make_pool(TEXTS, FOLDS, derived=-1.0)


def test_each_teacher_scores_its_fold_and_texts_of_none() -> None:
    pool = Pool(("a", "b", "c"), np.array([0, 1, ANY_FOLD]))
    assert pool.scored_by(0).tolist() == [0, 2]
    assert pool.scored_by(1).tolist() == [1, 2]
    assert pool.scored_by(5).tolist() == [2]
    with pytest.raises(SettingError, match="2 texts has folds of shape"):
        Pool(("a", "b"), np.zeros(1, dtype=np.intp))


@pytest.mark.parametrize("name", CHANGES)
@given(text=st.text(max_size=60), partner=st.text(max_size=60), seed=st.integers(0, 2**32 - 1))
def test_changes_take_any_text(name: str, text: str, partner: str, seed: int) -> None:
    made = CHANGES[name](text, partner, np.random.default_rng(seed))
    assert len(made) <= 2 * (len(text) + len(partner)) + 1
    if name in ("cut", "drop"):
        assert set(made.split()) <= set(text.split())


def test_misspelling_keeps_short_words_and_ends() -> None:
    words = ("remarkable " * 200).strip()
    made = CHANGES["misspell"](f"{words} a be see", "", np.random.default_rng(0)).split()
    assert made[-3:] == ["a", "be", "see"]
    changed = [word for word in made if word not in ("remarkable", "a", "be", "see")]
    assert 20 < len(changed) < 70
    assert all(word[0] == "r" and abs(len(word) - 10) <= 1 for word in changed)
