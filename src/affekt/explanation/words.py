"""Words as people see them: where each word, emoji and run of punctuation stands in the original text."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

_PICTURE = (
    "\u203c\u2049\u2122\u2139\u2190-\u21ff\u2300-\u23ff\u2600-\u27bf\u2b00-\u2bff\u3030\u303d"
    "\U0001f000-\U0001f1e5\U0001f200-\U0001faff"
)
_MODIFIER = "[\ufe0f\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]*"
_EMOJI = (
    "[\U0001f1e6-\U0001f1ff]{2}"  # a flag
    "|[0-9#*]\ufe0f?\u20e3"  # a keycap
    f"|[{_PICTURE}]{_MODIFIER}(?:\u200d[{_PICTURE}]{_MODIFIER})*"
)
_LETTER = r"[\w\u0300-\u036f]"
_WORD = re.compile(
    r"(?:https?://|www\.)\S+"
    r"|\[[A-Z]+\]"  # a placeholder such as [NAME]
    r"|&\#?\w{1,10};"  # an HTML entity
    rf"|{_EMOJI}"
    r"|<3+|[:;=][-'^]?[()\[\]DPpO/\\|*3]+(?!\w)"  # an emoticon
    rf"|@?{_LETTER}+(?:['’_-]{_LETTER}+)*"
    rf"|[^\w\s{_PICTURE}]+"
)


@dataclass(frozen=True, slots=True)
class Word:
    """A word, an emoji, an emoticon, a link or a run of punctuation.

    Attributes:
        text: as it stands in the original.
        start: first character, counted from 0.
        end: one past the last character.
    """

    text: str
    start: int
    end: int


def split_words(text: str) -> tuple[Word, ...]:
    """The words of a text in order; what lies between them is white space.

    >>> [word.text for word in split_words("I'm not happy 😂!!")]
    ["I'm", 'not', 'happy', '😂', '!!']
    """
    return tuple(Word(match.group(), match.start(), match.end()) for match in _WORD.finditer(text))


def keep(text: str, words: Sequence[Word], kept: Sequence[bool]) -> str:
    """The text with only some of its words, each with the white space that stood before it."""
    parts = []
    previous = 0
    for word, stays in zip(words, kept, strict=True):
        if stays:
            parts.append(text[previous : word.end])
        previous = word.end
    return "".join(parts).strip()
