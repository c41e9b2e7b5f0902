"""affekt: multi-label emotion classification for English text."""

__version__ = "0.1.0"
