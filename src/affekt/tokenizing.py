"""Cleaned texts to token ids, with overlapping windows for texts longer than the model reads at once."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from affekt.errors import ModelFolderError

OVERLAP = 4
"""Neighbouring windows share one in ``OVERLAP`` of their tokens."""

WORD_START = "\u0120\u2581"
"""What stands for the blank before a word in the vocabularies of byte-pair (GPT-2) and SentencePiece tokenizers."""


@dataclass(frozen=True)
class Tokens:
    """Token ids of some texts.

    Attributes:
        rows: token ids of every window, special tokens included; the windows of a text follow each other.
        owner: (windows,) the text that each window belongs to, ascending.
    """

    rows: list[list[int]]
    owner: npt.NDArray[np.intp]

    def lengths(self) -> npt.NDArray[np.intp]:
        """(windows,) tokens of each window."""
        return np.fromiter(map(len, self.rows), dtype=np.intp, count=len(self.rows))


class TextTokenizer:
    """A model's tokenizer, set to windows of ``max_length`` tokens.

    Args:
        path: the ``tokenizer.json``.
        max_length: longest window in tokens, special tokens included.
        pad_id: id that fills short rows of a batch.
    """

    def __init__(self, path: Path, max_length: int, pad_id: int = 0) -> None:
        try:
            self._tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:  # the library raises nothing narrower
            raise ModelFolderError(f"'{path}' cannot be read as a tokenizer: {error}.") from error
        self._tokenizer.no_padding()
        special = self._tokenizer.num_special_tokens_to_add(is_pair=False)
        self._tokenizer.enable_truncation(max_length, stride=max(0, (max_length - special) // OVERLAP))
        self.max_length = max_length
        self.pad_id = pad_id

    @classmethod
    def of(cls, folder: Path, max_length: int) -> "TextTokenizer":
        """The tokenizer of a model folder, with the padding id of its ``config.json``."""
        try:
            config = json.loads((folder / "config.json").read_bytes())
        except (OSError, ValueError) as error:
            raise ModelFolderError(f"'{folder / 'config.json'}' cannot be read: {error}.") from error
        return cls(folder / "tokenizer.json", max_length, config.get("pad_token_id") or 0)

    def words(self) -> list[str]:
        """The plain words of its vocabulary, in alphabetical order."""
        entries = {entry.lstrip(WORD_START) for entry in self._tokenizer.get_vocab()}
        return sorted(entry for entry in entries if entry.isascii() and entry.isalpha())

    def one(self, text: str) -> list[list[int]]:
        """Windows of a single text, without the cost of a batch."""
        encoding = self._tokenizer.encode(_encodable(text))
        return [encoding.ids, *(further.ids for further in encoding.overflowing)]

    def many(self, texts: Sequence[str], *, truncate: bool = False) -> Tokens:
        """Windows of many texts, on every processor.

        Args:
            texts: cleaned texts.
            truncate: keep the first window of each text only.
        """
        encodings = self._tokenizer.encode_batch_fast([_encodable(text) for text in texts])
        rows = [encoding.ids for encoding in encodings]
        full = [] if truncate else [number for number, row in enumerate(rows) if len(row) == self.max_length]
        if not full:
            return Tokens(rows, np.arange(len(rows)))
        windows = [[row] for row in rows]
        for number in full:
            windows[number] += [further.ids for further in encodings[number].overflowing]
        owner = np.repeat(np.arange(len(windows)), [len(group) for group in windows])
        return Tokens([row for group in windows for row in group], owner)


def _encodable(text: str) -> str:
    """The text, with halves of surrogate pairs, which no encoding knows, as replacement characters."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
