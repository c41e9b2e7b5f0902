"""Logs: where they go, and how an exception is written down without what it might quote."""

import logging
import sys
import traceback

FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"


def set_up(level: str = "info") -> None:
    """Send this server's and uvicorn's lines to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter(FORMAT))
    for name in ("affekt", "uvicorn"):
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.setLevel(level.upper())
        logger.propagate = False


def describe(error: BaseException) -> str:
    """An exception as kind and places; its message is left out, because it may quote a text."""
    frames = traceback.extract_tb(error.__traceback__)
    places = " < ".join(f"{frame.filename}:{frame.lineno}" for frame in reversed(frames[-8:]))
    return f"{type(error).__name__} at {places}"
