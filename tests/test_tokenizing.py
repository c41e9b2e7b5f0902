"""Token ids: one text and many alike, windows that cover a long text, and texts that no encoding knows."""

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer
from tokenizers.models import WordLevel

from affekt.errors import ModelFolderError
from affekt.tokenizing import TextTokenizer
from models import SPECIAL, tokenizer, vocabulary

CLS, SEP = SPECIAL.index("[CLS]"), SPECIAL.index("[SEP]")
ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()), max_size=80)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tokenizer")
    tokenizer(folder)
    (folder / "config.json").write_text(json.dumps({"pad_token_id": 3}))
    return folder


@pytest.fixture(scope="module")
def short(folder: Path) -> TextTokenizer:
    return TextTokenizer(folder / "tokenizer.json", 12)


def test_plain_words_of_the_vocabulary_are_single_tokens(short: TextTokenizer) -> None:
    words = short.words()
    assert words == sorted(set(words))
    assert "love" in words
    assert all(len(short.one(word)[0]) == 3 for word in words)


def test_the_mark_of_a_word_s_start_is_no_part_of_it(tmp_path: Path) -> None:
    entries = {"\u0120love": 0, "\u2581hate": 1, "love": 2, "\u0120,": 3, "[UNK]": 4, "caf\u00e9": 5}
    Tokenizer(WordLevel(entries, unk_token="[UNK]")).save(str(tmp_path / "tokenizer.json"))
    assert TextTokenizer(tmp_path / "tokenizer.json", 8).words() == ["hate", "love"]


@given(st.lists(ANY_TEXT, max_size=6))
def test_many_texts_get_the_ids_that_each_gets_alone(short: TextTokenizer, texts: list[str]) -> None:
    tokens = short.many(texts)
    alone = [short.one(text) for text in texts]
    assert tokens.rows == [row for windows in alone for row in windows]
    assert np.bincount(tokens.owner, minlength=len(texts)).tolist() == [len(windows) for windows in alone]
    assert tokens.lengths().tolist() == [len(row) for row in tokens.rows]


@given(st.lists(st.sampled_from(vocabulary()[5:40]), min_size=1, max_size=60))
def test_windows_cover_the_text_and_overlap(short: TextTokenizer, words: list[str]) -> None:
    windows = short.one(" ".join(words))
    ids = [vocabulary().index(word) for word in words]
    inner = [window[1:-1] for window in windows]
    assert all(window[0] == CLS and window[-1] == SEP and len(window) <= 12 for window in windows)
    rebuilt = inner[0] + [number for window in inner[1:] for number in window[2:]]
    assert rebuilt == ids
    assert all(before[-2:] == after[:2] for before, after in pairwise(inner))


def test_truncation_keeps_the_first_window(short: TextTokenizer) -> None:
    tokens = short.many(["love " * 40, "hate"], truncate=True)
    assert [len(row) for row in tokens.rows] == [12, 3]
    assert tokens.owner.tolist() == [0, 1]


def test_a_text_that_just_fits_is_one_window(short: TextTokenizer) -> None:
    assert len(short.one("love " * 10)) == 1
    assert len(short.many(["love " * 10]).rows) == 1
    assert len(short.one("love " * 11)) == 2


def test_an_empty_text_is_its_special_tokens(short: TextTokenizer) -> None:
    assert short.one("") == [[CLS, SEP]]


def test_halves_of_surrogate_pairs_are_replaced_and_whole_pairs_are_joined(short: TextTokenizer) -> None:
    assert short.one("love \ud83d hate") == short.one("love \ufffd hate")
    assert short.one("\ud83d\ude00") == short.one("\U0001f600")


def test_padding_id_comes_from_the_configuration(folder: Path) -> None:
    assert TextTokenizer.of(folder, 12).pad_id == 3


@pytest.mark.parametrize("content", ["", "{", '{"version": "1.0"}', "\x80\x04pickle"])
def test_a_broken_tokenizer_is_one_sentence(tmp_path: Path, content: str) -> None:
    (tmp_path / "tokenizer.json").write_text(content)
    with pytest.raises(ModelFolderError, match="cannot be read as a tokenizer"):
        TextTokenizer(tmp_path / "tokenizer.json", 12)


def test_a_broken_configuration_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(ModelFolderError, match=r"config\.json"):
        TextTokenizer.of(tmp_path, 12)
