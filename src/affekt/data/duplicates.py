"""Texts that are the same, exactly or but for case, punctuation and white space."""

import sys
import unicodedata
from collections.abc import Hashable, Iterable, Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.intp]


def normalised(text: str) -> str:
    """What near-identical texts share: compatible forms, case folded, punctuation and white space as single spaces.

    Letters, digits and symbols (emoji among them) stay. A text of punctuation alone keeps it.
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(folded.translate(_punctuation()).split()) or " ".join(folded.split())


@lru_cache(maxsize=1)
def _punctuation() -> dict[int, str]:
    """Every punctuation character (categories P*) to a space; the apostrophe goes without one."""
    spaces = {n: " " for n in range(sys.maxunicode + 1) if unicodedata.category(chr(n))[0] == "P"}
    return spaces | {ord("'"): "", ord("’"): ""}


def group_numbers(keys: Iterable[Hashable]) -> IntArray:
    """(keys,) a number per key, the same for equal keys, counted from 0 in order of first appearance."""
    numbers: dict[Hashable, int] = {}
    return np.array([numbers.setdefault(key, len(numbers)) for key in keys], dtype=np.intp)


def text_groups(texts: Sequence[str]) -> IntArray:
    """(texts,) group numbers of texts that are the same once normalised."""
    return group_numbers(normalised(text) for text in texts)
