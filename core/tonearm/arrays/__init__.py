"""Reading an array right: kind, axes, scale; one place that every decoder of arrays shares."""

from __future__ import annotations

from tonearm.arrays.extent import Extent, extent_of
from tonearm.arrays.kinds import KINDS
from tonearm.arrays.options import ArrayOptions, KeyedArrayOptions, NanPolicy
from tonearm.arrays.read import read_array

__all__ = ["KINDS", "ArrayOptions", "Extent", "KeyedArrayOptions", "NanPolicy", "extent_of", "read_array"]
