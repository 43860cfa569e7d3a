"""Reading of arrays as signals: kind, axes and scale, for all decoders of arrays."""

from __future__ import annotations

from tonearm.arrays.extent import Extent, extent_of
from tonearm.arrays.kinds import KINDS
from tonearm.arrays.options import ArrayOptions, KeyedArrayOptions, NanPolicy
from tonearm.arrays.read import read_array

__all__ = ["KINDS", "ArrayOptions", "Extent", "KeyedArrayOptions", "NanPolicy", "extent_of", "read_array"]
