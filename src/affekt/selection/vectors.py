"""Texts as short vectors of hashed words, to tell texts that say the same from texts that do not; numpy only."""

import itertools
import re
import zlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

WIDTH = 1024
_WORD = re.compile(r"\w+(?:['’]\w+)?|[^\w\s]")


def hashed(texts: Sequence[str], width: int = WIDTH) -> npt.NDArray[np.float32]:
    """Unit vectors of hashed words and word pairs, weighted by how rare they are among these texts (tf-idf).

    Args:
        texts: any.
        width: of the vectors.

    Returns:
        (texts, width) float32; a text without words is all 0.
    """
    counts = np.zeros((len(texts), width), dtype=np.float32)
    for row, text in enumerate(texts):
        words = _WORD.findall(text.lower())
        for feature in (*words, *map(" ".join, itertools.pairwise(words))):
            counts[row, zlib.crc32(feature.encode("utf-8", "surrogatepass")) % width] += 1
    present = (counts > 0).sum(axis=0)
    weighted: npt.NDArray[np.float32] = np.log1p(counts) * np.log((1 + len(texts)) / (1 + present)).astype(np.float32)
    weighted /= np.maximum(np.linalg.norm(weighted, axis=1, keepdims=True), 1e-9)
    return weighted
