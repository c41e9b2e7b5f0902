"""Cleaning of texts before the tokenizer (placeholder until the room's owner lands the real one)."""

from dataclasses import dataclass


@dataclass(frozen=True)
class CleaningOptions:
    """Options of :func:`clean`."""

    urls: bool = True


def clean(text: str, options: CleaningOptions = CleaningOptions()) -> str:  # noqa: B008
    """The cleaned text."""
    return " ".join(text.split()) if options.urls else text
