"""Strangers' texts and names, made fit to be shown on a terminal."""


def printable(text: str) -> str:
    r"""With a blank for every control character, which could break the line, move the cursor or recolour the terminal.

    Example:
        >>> printable("so good\x1b[2J")
        'so good [2J'
    """
    return text if text.isprintable() else "".join(c if c.isprintable() or c == "\u200d" else " " for c in text)
