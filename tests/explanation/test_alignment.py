"""Where cleaning and tokenizing put the words of a text."""

import itertools
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from affekt.explanation.alignment import gather, locate
from affekt.explanation.words import split_words


def spans_as_text(text: str, cleaned: str, clean) -> list[str]:
    return [cleaned[start:end] for start, end in locate(split_words(text), cleaned, clean)]


def demoji(text: str) -> str:
    return " ".join(re.sub("😂", " :face_with_tears_of_joy: ", text).split())


def test_locate_follows_an_emoji_into_its_words() -> None:
    text = "haha😂😂 yes"
    assert spans_as_text(text, demoji(text), demoji) == [
        "haha",
        ":face_with_tears_of_joy:",
        ":face_with_tears_of_joy:",
        "yes",
    ]


def test_locate_gives_removed_words_an_empty_place() -> None:
    def clean(text: str) -> str:
        return " ".join(re.sub(r"https?://\S+", "", text).split())

    text = "look https://x.y/z at this"
    assert spans_as_text(text, clean(text), clean) == ["look", "", "at", "this"]


def test_what_only_company_changes_goes_to_the_lost_word() -> None:
    def clean(text: str) -> str:
        return text.replace("two words", "PAIR")

    text = "say two words now"
    assert spans_as_text(text, clean(text), clean) == ["say", " PAIR ", "", "now"]


def test_unclaimed_characters_stretch_the_word_before() -> None:
    def clean(text: str) -> str:
        return text.replace("a b", "a EXTRA b")

    text = "a b"
    assert spans_as_text(text, clean(text), clean) == ["a EXTRA ", "b"]


@given(st.text(alphabet="ab 😂!", max_size=40))
def test_every_character_that_is_left_belongs_to_one_word(text: str) -> None:
    cleaned = demoji(text)
    spans = locate(split_words(text), cleaned, demoji)
    covered = [False] * len(cleaned)
    for start, end in spans:
        for index in range(start, end):
            assert not covered[index]
            covered[index] = True
    assert all(done or character == " " for done, character in zip(covered, cleaned, strict=True))


def test_gather_sums_pieces_into_words() -> None:
    tokens = np.array([[9.0], [1.0], [2.0], [4.0], [9.0]])
    offsets = [(0, 0), (0, 2), (2, 5), (6, 9), (0, 0)]
    assert gather(tokens, offsets, [(0, 5), (6, 9)]).tolist() == [[3.0], [4.0]]


def test_a_token_over_two_words_goes_to_the_larger_part() -> None:
    assert gather(np.array([[1.0]]), [(1, 6)], [(0, 2), (2, 6)]).tolist() == [[0.0], [1.0]]


def test_a_token_between_words_goes_to_the_next_and_past_the_end_to_the_last() -> None:
    found = gather(np.array([[1.0], [5.0]]), [(2, 3), (20, 22)], [(0, 2), (3, 6)])
    assert found.tolist() == [[0.0], [6.0]]


def test_words_that_cleaning_removed_get_nothing() -> None:
    found = gather(np.array([[1.0], [2.0]]), [(0, 3), (4, 6)], [(0, 3), (3, 3), (4, 6)])
    assert found.tolist() == [[1.0], [0.0], [2.0]]


@given(st.lists(st.integers(1, 4), min_size=1, max_size=12), st.integers(0, 2**32 - 1))
def test_nothing_is_lost(lengths: list[int], seed: int) -> None:
    edges = np.concatenate([[0], np.cumsum(lengths)])
    offsets = [(int(a), int(b)) for a, b in itertools.pairwise(edges)]
    values = np.random.default_rng(seed).normal(size=(len(offsets), 3))
    spans = [(0, int(edges[-1]) // 2), (int(edges[-1]) // 2, int(edges[-1]))]
    assert gather(values, offsets, spans).sum(axis=0) == pytest.approx(values.sum(axis=0))


def test_a_text_without_words() -> None:
    assert gather(np.ones((2, 3)), [(0, 1), (1, 2)], []).shape == (0, 3)
