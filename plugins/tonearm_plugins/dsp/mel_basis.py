"""A mel filter bank, and the ways back from its bands to the bins of a spectrum."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from tonearm_plugins.dsp.errors import ShapeError
from tonearm_plugins.dsp.typing import Float64Array, FloatArray

GROUP = 128
"""Bins that are multiplied with their bands at once: most weights of a whole filter bank are zero."""


@dataclass(frozen=True, eq=False)
class BinGroup:
    """Neighbouring bins, and the bands that overlap them, if any.

    Parameters
    ----------
    bins, bands
        Slices of all bins and of all bands.
    to_bands
        (bins, bands), the weight of each bin in each band.
    to_bins
        (bands, bins), the share of each band in the gain of each bin.
    """

    bins: slice
    bands: slice
    to_bands: FloatArray
    to_bins: FloatArray


@dataclass(frozen=True, eq=False)
class MelBasis:
    """A mel filter bank. Make one with `checked`.

    Parameters
    ----------
    weights
        (mels, bins), not negative: ``mel = weights @ magnitude ** power``.
    power
        1 or 2.
    """

    weights: Float64Array
    power: int

    @classmethod
    def checked(cls, weights: npt.ArrayLike, *, mels: int, power: float) -> MelBasis:
        """Return the basis of these weights, with all that was derived from them before.

        Deriving it takes as long as inverting the mel spectrogram of a second, so callers share the last few bases.

        Parameters
        ----------
        weights
            (mels, bins), not negative.
        mels
            Number of bands that they must have.
        power
            1 if bands are sums of magnitudes, 2 if they are sums of powers.

        Raises
        ------
        ShapeError
            If the weights have another shape, or are negative.
        ValueError
            If the power is neither 1 nor 2.

        Examples
        --------
        >>> MelBasis.checked([[1.0, 0.5, 0.0], [0.0, 0.5, 1.0]], mels=2, power=1).power
        1
        """
        values = np.asarray(weights, np.float64)
        if values.ndim != 2 or values.shape[0] != mels:
            raise ShapeError(f"a basis of shape {values.shape} does not fit {mels} mel bands")
        if not (values >= 0).all():
            raise ShapeError("a mel basis has no negative weights")
        if power not in (1, 2):
            raise ValueError(f"power is 1 or 2, not {power}")
        return _shared(np.ascontiguousarray(values).tobytes(), values.shape, int(power))

    @property
    def bins(self) -> int:
        """Bins of a spectrum."""
        return int(self.weights.shape[1])

    @cached_property
    def groups(self) -> tuple[BinGroup, ...]:
        """All bins, in groups of neighbours, float32."""
        return self._groups(np.float32)

    @cached_property
    def double_groups(self) -> tuple[BinGroup, ...]:
        """All bins, in groups of neighbours, float64."""
        return self._groups(np.float64)

    def _groups(self, dtype: npt.DTypeLike) -> tuple[BinGroup, ...]:
        return tuple(self._group(slice(first, first + GROUP), dtype) for first in range(0, self.bins, GROUP))

    def _group(self, bins: slice, dtype: npt.DTypeLike) -> BinGroup:
        overlapping = np.flatnonzero(self.weights[:, bins].any(axis=1))
        bands = slice(int(overlapping[0]), int(overlapping[-1]) + 1) if overlapping.size else slice(0)
        to_bands, to_bins = self.weights[bands, bins].T, self.shares[bands, bins]
        return BinGroup(bins, bands, *(np.ascontiguousarray(part, dtype) for part in (to_bands, to_bins)))

    @cached_property
    def shares(self) -> Float64Array:
        """The share of each band in the gain of each bin: the weights, scaled so that those of a bin sum to 1."""
        total = self.weights.sum(axis=0)
        return self.weights / np.where(total > 0, total, 1)

    @cached_property
    def pseudo_inverse(self) -> Float64Array:
        """The way back from bands to bins by least squares: (mels, bins)."""
        return np.ascontiguousarray(np.linalg.pinv(self.weights).T)

    @cached_property
    def even_spread(self) -> Float64Array:
        """The way back from bands to bins if all bins of a band are alike: (mels, bins)."""
        total = self.weights.sum(axis=1, keepdims=True)
        return self.shares / np.where(total > 0, total, 1)


@functools.lru_cache(maxsize=4)
def _shared(weights: bytes, shape: tuple[int, int], power: int) -> MelBasis:
    return MelBasis(np.frombuffer(weights).reshape(shape), power)
