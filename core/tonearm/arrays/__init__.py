"""Reading of arrays as signals of any kind, for all decoders of arrays: axes, types of values, NaN, companions."""

from __future__ import annotations

from tonearm.arrays.array_decoder import ArrayDecoder, KeyedArrayDecoder
from tonearm.arrays.extent import Extent, extent_of
from tonearm.arrays.options import ArrayOptions, KeyedArrayOptions, NanPolicy
from tonearm.arrays.read import read_array

__all__ = [
    "ArrayDecoder",
    "ArrayOptions",
    "Extent",
    "KeyedArrayDecoder",
    "KeyedArrayOptions",
    "NanPolicy",
    "extent_of",
    "read_array",
]
