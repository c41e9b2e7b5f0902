"""Encoders taken apart: the same names for the same parts of every architecture, as plain arrays."""

from affekt.encoders.families import FAMILIES, encoder_of
from affekt.encoders.parts import Encoder, Head, Layer, Linear, Norm

__all__ = ["FAMILIES", "Encoder", "Head", "Layer", "Linear", "Norm", "encoder_of"]
