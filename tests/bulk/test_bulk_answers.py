import numpy as np
import pytest
from bulk_fakes import LABELS, FakeScorer
from hypothesis import given
from hypothesis import strategies as st

from affekt.bulk.answers import answer
from affekt.bulk.recall import Recall

TEXTS = st.lists(st.one_of(st.none(), st.sampled_from(["a", "b", "c", "dd"]), st.text(max_size=3)), max_size=20)


@given(TEXTS)
def test_every_row_gets_the_scores_of_its_own_text(texts: list[str | None]) -> None:
    answers = answer(FakeScorer(), texts)
    for row, text in enumerate(texts):
        expected = FakeScorer().scores([text])[0] if text is not None else np.zeros(len(LABELS))
        assert answers.scores[row].tolist() == expected.tolist()
        assert answers.decisions[row].tolist() == (expected >= 0.5).tolist()


@given(TEXTS)
def test_every_distinct_text_is_scored_once(texts: list[str | None]) -> None:
    scorer = FakeScorer()
    answers = answer(scorer, texts)
    distinct = list(dict.fromkeys(text for text in texts if text is not None))
    assert scorer.calls == ([distinct] if distinct else [])
    assert answers.scored == len(distinct)
    assert answers.saved == len(texts) - texts.count(None) - len(distinct)
    assert len(answers.generation.keys) == len(distinct)


@given(TEXTS, TEXTS)
def test_what_is_remembered_is_not_scored_again(first: list[str | None], second: list[str | None]) -> None:
    scorer, recall = FakeScorer(noise=0.5), Recall(1000)
    earlier = answer(scorer, first, recall)
    before = len(scorer.calls)
    recall.add(earlier.generation)
    later = answer(scorer, second, recall)
    new = list(dict.fromkeys(text for text in second if text is not None and text not in first))
    assert scorer.calls[before:] == ([new] if new else [])
    assert later.scored == len(new)
    for row, text in enumerate(second):
        if text is not None and text in first:
            assert later.scores[row].tobytes() == earlier.scores[first.index(text)].tobytes()


def test_rows_without_text_are_told_apart_from_rows_without_label() -> None:
    scorer = FakeScorer()
    texts = [None, *(f"text {number}" for number in range(60))]
    answers = answer(scorer, texts)
    assert answers.missing is not None
    assert answers.missing.tolist() == [text is None for text in texts]
    assert answers.without() == int((~answers.decisions[1:].any(axis=1)).sum()) > 0
    assert answers.counts().tolist() == answers.decisions.sum(axis=0).tolist()


def test_no_texts_at_all_do_not_trouble_the_model() -> None:
    scorer = FakeScorer()
    assert answer(scorer, []).scores.shape == (0, 3)
    assert answer(scorer, [None, None]).scored == 0
    assert scorer.calls == []


@pytest.mark.parametrize("text", ["\ud800", "a\0b", "é", "\N{GRINNING FACE}"])
def test_any_text_has_a_digest_of_its_own(text: str) -> None:
    from affekt.bulk.recall import digest

    assert len(digest(text)) == 16
    assert digest(text) != digest(text + " ")
