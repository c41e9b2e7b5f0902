"""Where the words of a text went when it was cleaned and cut into tokens, so that tokens' values become words'."""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from affekt.explanation.words import Word

_SLACK = 48
"""Characters that may lie between two words that are found, for those that are not."""


def locate(words: Sequence[Word], cleaned: str, clean: Callable[[str], str]) -> list[tuple[int, int]]:
    """Where each word of the original stands in the cleaned text: one ``(start, end)`` per word, empty if it is gone.

    Each word is cleaned on its own and looked for from where the last one ended. Characters that no word claims (a
    word that cleaning changes only in company) go to the words that were not found there, or else to the word before.

    Args:
        words: of the original text, in order.
        cleaned: the whole text, cleaned.
        clean: what cleaned it.
    """
    spans: list[tuple[int, int]] = []
    lost: list[int] = []
    cursor = 0
    for index, word in enumerate(words):
        piece = clean(word.text).strip()
        start = cleaned.find(piece, cursor, cursor + 2 * len(piece) + _SLACK) if piece else -1
        if start < 0:
            lost.append(index)
            spans.append((cursor, cursor))
            continue
        _claim(spans, lost, cleaned, cursor, start)
        lost = []
        cursor = start + len(piece)
        spans.append((start, cursor))
    _claim(spans, lost, cleaned, cursor, len(cleaned))
    return spans


def _claim(spans: list[tuple[int, int]], lost: list[int], cleaned: str, start: int, end: int) -> None:
    """Give the characters between two found words to the first lost one, or stretch the word before over them."""
    if not cleaned[start:end].strip():
        return
    if lost:
        spans[lost[0]] = (start, end)
    elif spans:
        spans[-1] = (spans[-1][0], end)


def gather(
    tokens: npt.NDArray[np.float64], offsets: Sequence[tuple[int, int]], spans: Sequence[tuple[int, int]]
) -> npt.NDArray[np.float64]:
    """Sum tokens' values over words: each token goes to the word it overlaps most, or else to the one before it.

    Args:
        tokens: (tokens, labels).
        offsets: where each token stands in the cleaned text.
        spans: where each word stands there.

    Returns:
        (words, labels).
    """
    found = np.zeros((len(spans), tokens.shape[1]))
    if not spans:
        return found
    word = 0
    for value, (start, end) in zip(tokens, offsets, strict=True):
        if start == end:
            continue
        while word + 1 < len(spans) and spans[word][1] <= start:
            word += 1
        best = word
        while best + 1 < len(spans) and _overlap(spans[best + 1], start, end) > _overlap(spans[best], start, end):
            best += 1
        found[best] += value
    return found


def _overlap(span: tuple[int, int], start: int, end: int) -> int:
    return min(span[1], end) - max(span[0], start) if span[1] > span[0] else -1
