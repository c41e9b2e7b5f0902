"""The model that ships with affekt."""

from pathlib import Path

SHIPPED = Path(__file__).resolve().parent / "goemotions-minilm"
"""Its model folder."""
