"""Does the first row of a delimited file name the columns, or is it data already?"""

import re
from collections.abc import Sequence

TEXT_NAMES = (
    "text", "texts", "sentence", "comment", "comment_text", "tweet", "content", "body", "utterance", "message",
    "review", "document", "post", "input", "excerpt", "statement", "title",
)  # fmt: skip
LABEL_NAMES = (
    "labels", "label", "emotions", "emotion", "tags", "tag", "categories", "category", "classes", "class", "targets",
    "target", "sentiment", "sentiments", "feeling", "feelings", "label_ids", "emotion_ids", "y",
)  # fmt: skip
ID_NAMES = (
    "id", "ids", "comment_id", "text_id", "row_id", "tweet_id", "uid", "guid", "uuid", "idx", "index", "key", "textid",
    "sample_id", "example_id", "doc_id", "post_id", "", "unnamed: 0", "link_id",
)  # fmt: skip
_KNOWN = {name for name in TEXT_NAMES + LABEL_NAMES + ID_NAMES if name}
_NUMBERS = re.compile(r"[\s\d.,;|\[\]+-]*")
_SAMPLE = 1000


def canonical(name: str) -> str:
    """A column name as it is compared with the known ones."""
    return re.sub(r"[\s-]+", "_", name.strip().lower()).replace("unnamed:_0", "unnamed: 0")


def is_header(first: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Whether ``first`` names the columns of ``rows``.

    Known names decide; then numbers (a header has none, unless they count 0/1 columns); then whether a column of
    numbers has a word on top; at last, whether the first row is much shorter than the others.
    """
    names = [cell.strip() for cell in first]
    if any(canonical(name) in _KNOWN for name in names):
        return True
    if len(set(names)) < len(names):
        return False
    sample = [row for row in rows[:_SAMPLE] if len(row) == len(names)]
    numeric = [index for index, name in enumerate(names) if name and _NUMBERS.fullmatch(name)]
    if numeric:
        return len(numeric) > 2 and all(_is_flag_column(sample, index) for index in numeric)
    if any(name and _is_numeric_column(sample, index) for index, name in enumerate(names)):
        return True
    return len(names) > 1 and _is_short(names, sample)


def _is_numeric_column(rows: Sequence[Sequence[str]], index: int) -> bool:
    cells = [row[index].strip() for row in rows]
    return any(cells) and all(_NUMBERS.fullmatch(cell) for cell in cells)


def _is_flag_column(rows: Sequence[Sequence[str]], index: int) -> bool:
    return bool(rows) and {row[index].strip() for row in rows} <= {"0", "1", "0.0", "1.0"}


def _is_short(names: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    if not rows or any(len(name) > 32 or len(name.split()) > 3 for name in names):
        return False
    longest = max(sum(len(row[index]) for row in rows) / len(rows) for index in range(len(names)))
    return longest > 3 * max(len(name) for name in names)
