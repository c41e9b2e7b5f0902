"""Which texts go through the model together: sorted by length, under a token budget."""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from affekt.errors import SettingError

IntArray = npt.NDArray[np.intp]


def batches(
    lengths: Sequence[int] | npt.NDArray[np.integer],
    token_budget: int,
    max_texts: int | None = None,
    *,
    equal: bool = False,
) -> list[IntArray]:
    """Split texts into batches of similar length, longest first.

    Longest first, so that the largest buffers are taken once and memory that does not suffice shows at once.

    Args:
        lengths: tokens of each text.
        token_budget: most tokens of a batch, padding included; a single longer text makes a batch of its own.
        max_texts: most texts of a batch.
        equal: only texts of one length share a batch, so that nothing is padded.

    Returns:
        Arrays of positions in ``lengths``; every position occurs once. Texts of one length keep their order.

    Raises:
        SettingError: if the budget or ``max_texts`` is not positive.
    """
    if token_budget < 1 or (max_texts is not None and max_texts < 1):
        raise SettingError("token_budget and max_texts must be at least 1.")
    sizes = np.asarray(lengths, dtype=np.intp)
    order = np.argsort(-sizes, kind="stable")
    bounds = list(_bounds(sizes[order], token_budget, max_texts or len(order) or 1, equal))
    return [order[start:stop] for start, stop in bounds]


def _bounds(sizes: IntArray, budget: int, most: int, equal: bool) -> Iterator[tuple[int, int]]:
    """Start and stop of each batch in descending ``sizes``: the first text of a batch decides its width."""
    start = 0
    while start < len(sizes):
        width = max(int(sizes[start]), 1)
        stop = min(start + max(1, min(budget // width, most)), len(sizes))
        if equal:
            stop = start + int(np.searchsorted(-sizes[start:stop], -sizes[start], side="right"))
        yield start, stop
        start = stop


def pad(rows: Sequence[Sequence[int]], fill: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Rows of token ids as one rectangle.

    Args:
        rows: token ids of each text.
        fill: id of the padding token.

    Returns:
        ``input_ids`` and ``attention_mask``, both (texts, longest) int64, padded on the right.
    """
    width = max(map(len, rows), default=0)
    if all(len(row) == width for row in rows):
        ids = np.array(rows, dtype=np.int64).reshape(len(rows), width)
        return ids, np.ones_like(ids)
    ids = np.full((len(rows), width), fill, dtype=np.int64)
    mask = np.zeros_like(ids)
    for number, row in enumerate(rows):
        ids[number, : len(row)] = row
        mask[number, : len(row)] = 1
    return ids, mask
