"""Cleaning of a text before the tokenizer: the same for training and prediction, idempotent, and linear in time.

The order of the stages is what makes :func:`clean` idempotent: no stage makes work for itself or for one before it.

1. characters: curly quotes, styled letters, control and zero-width characters (:mod:`affekt.cleaning.characters`);
2. HTML entities, until none is left (:mod:`affekt.cleaning.entities`);
3. emoji to words (:mod:`affekt.cleaning.emojis`);
4. canonical composition (:mod:`affekt.cleaning.characters`);
5. links and mentions, each replaced by a blank (:mod:`affekt.cleaning.links`);
6. white space.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

from affekt.cleaning import characters, emojis, entities, links

MAX_GROWTH = 44
"""``len(clean(text)) <= MAX_GROWTH * len(text)``, in code points: one emoji may become a name of 42 and two blanks."""


@dataclass(frozen=True)
class CleaningOptions:
    """What :func:`clean` does; saved with every model, because it changes answers.

    Attributes:
        urls: remove URLs, with or without a scheme; a bare ``example.com`` too, but never an e-mail address.
        users: remove ``@name`` mentions; ``name@host`` and ``f@ck`` are not mentions.
        emoji: emoji become words, as in ``:red_heart:``; ©, ® and ™ remain what they are.
        html: decode HTML entities.
        quotes: curly quotes become straight ones.
        control: remove control, zero-width and other invisible characters.
        unicode: canonical composition; full-width, mathematical and ligature letters become plain ones.
        whitespace: every run of white space becomes one blank; none at either end.
        reddit_names: remove GoEmotions' placeholders ``[NAME]`` and ``[RELIGION]``; its models expect them.
        reddit_mentions: remove Reddit's ``u/name`` and ``r/sub``.
    """

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    urls: bool = True
    users: bool = True
    emoji: bool = True
    html: bool = True
    quotes: bool = True
    control: bool = True
    unicode: bool = True
    whitespace: bool = True
    reddit_names: bool = False
    reddit_mentions: bool = False


DEFAULT = CleaningOptions()

_DOT_LETTER = re.compile(r"\.[A-Za-z]").search
_SURROGATE = re.compile("[\ud800-\udfff]")
_LONE_SURROGATE = re.compile("[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]")


def clean(text: str, options: CleaningOptions = DEFAULT) -> str:
    """The cleaned text; to clean it again changes nothing, whatever the text and the options.

    Args:
        text: any string; lone surrogates become U+FFFD and surrogate pairs their character, so that the result can
            always be encoded.
        options: what to do.

    Returns:
        A string of at most ``MAX_GROWTH * len(text)`` code points, in time linear in ``len(text)``.

    Example:
        >>> clean("so good \U0001f602 &amp; free: https://example.com @you")
        'so good :face_with_tears_of_joy: & free:'
    """
    if options.reddit_names or options.reddit_mentions or not _is_plain(text):
        text = _cleaner(options)(text)
    if options.whitespace and ("  " in text or text[:1] == " " or text[-1:] == " "):
        return " ".join(text.split())
    return text


def clean_all(texts: Iterable[str], options: CleaningOptions = DEFAULT) -> list[str]:
    """The cleaned texts, in order."""
    return [clean(text, options) for text in texts]


def _is_plain(text: str) -> bool:
    """Whether only white space may need work, Reddit's options left aside: the cheap answer for most texts."""
    return (
        text.isascii()
        and text.isprintable()
        and "&" not in text
        and "@" not in text
        and "://" not in text
        and _DOT_LETTER(text) is None
    )


@lru_cache(maxsize=64)
def _cleaner(options: CleaningOptions) -> Callable[[str], str]:
    """All stages but the last one, which only looks for doubled blanks: here, other white space becomes blanks."""
    invisible = options.control or options.emoji
    table = characters.table(
        control=options.control, quotes=options.quotes, letters=options.unicode, selectors=invisible
    )
    remove_links = links.remover(
        urls=options.urls,
        users=options.users,
        names=options.reddit_names,
        mentions=options.reddit_mentions,
    )

    def run(text: str) -> str:
        if not text.isascii():
            text = _join_surrogates(text).translate(table)
            text = emojis.drop_stray_joiners(text) if invisible else text
        elif options.control and not text.isprintable():
            text = text.translate(table)
        if options.html and "&" in text and ";" in text:
            text = _SURROGATE.sub("\ufffd", entities.decode(text, table, joiners=invisible))
        if not text.isascii():
            text = emojis.to_words(text) if options.emoji else text
            text = characters.compose(text) if options.unicode else text
        text = remove_links(text)
        return " ".join(text.split()) if options.whitespace else text

    return run


def _join_surrogates(text: str) -> str:
    if _SURROGATE.search(text) is None:
        return text
    return _LONE_SURROGATE.sub("\ufffd", text).encode("utf-16-le", "surrogatepass").decode("utf-16-le")
