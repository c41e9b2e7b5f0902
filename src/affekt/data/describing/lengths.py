"""How long texts are, in the tokens of a tokenizer or, without one, in words."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from affekt.errors import DataError
from affekt.models import SHIPPED

IntArray = npt.NDArray[np.int64]
_BATCH = 10_000


def text_lengths(texts: Sequence[str], tokenizer: str | Path | None = None) -> tuple[IntArray, str]:
    """Length of every text.

    Args:
        texts: the texts.
        tokenizer: a ``tokenizer.json`` or a folder with one; ``words`` counts words; None takes the shipped model's
            tokenizer, or words where no model is shipped.

    Returns:
        (texts,) lengths and their unit: ``tokens`` (special ones included) or ``words``.

    Raises:
        DataError: if there is no such tokenizer.
    """
    if tokenizer is None:
        shipped = SHIPPED / "tokenizer.json"
        tokenizer = shipped if shipped.is_file() else "words"
    if tokenizer == "words":
        return np.array([len(text.split()) for text in texts], dtype=np.int64), "words"
    return _token_lengths(texts, Path(tokenizer)), "tokens"


def _token_lengths(texts: Sequence[str], path: Path) -> IntArray:
    from tokenizers import Tokenizer

    file = path / "tokenizer.json" if path.is_dir() else path
    if not file.is_file():
        raise DataError(
            f"There is no tokenizer at '{path}'.", hint="Name a tokenizer.json, a folder with one, or words."
        )
    try:
        tokenizer = Tokenizer.from_file(str(file))
    except Exception as error:  # noqa: BLE001 - the library raises nothing narrower
        raise DataError(f"'{file}' is not a tokenizer: {error}.") from None
    tokenizer.no_truncation()
    tokenizer.no_padding()
    parts = (texts[start : start + _BATCH] for start in range(0, len(texts), _BATCH))
    return np.array([len(one.ids) for part in parts for one in tokenizer.encode_batch_fast(list(part))], dtype=np.int64)
