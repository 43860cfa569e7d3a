"""Reading an array right: kind, axes, scale; one place that every decoder of arrays shares."""

from __future__ import annotations

from tonearm.arrays.options import KINDS, ArrayOptions, KeyedArrayOptions, NanPolicy
from tonearm.arrays.read import read_array
from tonearm.arrays.values import Extent, extent_of

__all__ = ["KINDS", "ArrayOptions", "Extent", "KeyedArrayOptions", "NanPolicy", "extent_of", "read_array"]
