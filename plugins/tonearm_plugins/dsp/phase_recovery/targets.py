"""Targets of phase recovery: the magnitudes, or the mel spectrogram, that spectra are projected onto."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from tonearm_plugins.dsp.mel_basis import MelBasis
from tonearm_plugins.dsp.typing import Array, ComplexArray, FloatArray

TINY = 1e-20
"""Added to magnitudes to keep x / |x| defined at 0: far below any audible bin, above the smallest float32."""

MAX_GAIN = 1e3
"""Largest factor by which one projection scales a bin."""

MEL_FLOOR = 1e-10
"""Smallest value of a band of a spectrum, relative to the largest value of the target."""

INITIAL_UPDATES = 3
"""Multiplicative updates of the initial magnitudes: more of them make no difference after an iteration."""


class Target(Protocol):
    """The target of one channel. Blocks are frames ``first`` to ``last - 1``, as (frames, bins)."""

    @property
    def dtype(self) -> np.dtype[np.floating[Any]]:
        """Type of the work: float32 or float64."""

    def initial_magnitudes(self) -> FloatArray:
        """Return the magnitudes to begin with: (frames, bins)."""

    def project(self, first: int, last: int, spectra: ComplexArray, smoothing: float = 0.0) -> None:
        """Change the magnitudes of spectra so that they meet the target, or almost if smoothed; the phases stay."""

    def residual(self, first: int, last: int, spectra: ComplexArray) -> tuple[float, float]:
        """Return the squared distance of spectra from the target, and the energy of the target."""


class MagnitudeTarget:
    """The magnitudes of all bins are known, as in Griffin and Lim (1984).

    Parameters
    ----------
    magnitude
        (bins, frames), real.
    dtype
        Type of the work: float32 or float64.
    """

    def __init__(self, magnitude: Array, dtype: npt.DTypeLike = np.float32) -> None:
        self.magnitude: FloatArray = np.ascontiguousarray(magnitude.T, dtype=dtype)
        self.dtype = self.magnitude.dtype

    def initial_magnitudes(self) -> FloatArray:
        """Return the known magnitudes."""
        return self.magnitude

    def project(self, first: int, last: int, spectra: ComplexArray, smoothing: float = 0.0) -> None:
        """Replace the magnitudes with the known ones.

        With smoothing e, ``x`` becomes ``x s / sqrt(|x|² + e s²)``. So a bin that is much quieter than it should be
        gets less than its known magnitude s, because its phase means little yet. All others are scaled by about
        ``1 / sqrt(1 + e)``, for which `Momentum.from_projection` makes up.
        """
        wanted, size = self.magnitude[first:last], np.abs(spectra)
        size += self.dtype.type(TINY)
        if smoothing:
            np.divide(size, wanted, out=size)  # infinite where nothing is wanted, which makes it nothing
            size *= size
            size += self.dtype.type(smoothing)
            np.reciprocal(size, out=size)
            np.sqrt(size, out=size)
        else:
            np.divide(wanted, size, out=size)
        spectra *= size

    def residual(self, first: int, last: int, spectra: ComplexArray) -> tuple[float, float]:
        """Compare magnitudes."""
        return _squared_distance(np.abs(spectra), self.magnitude[first:last])


class MelTarget:
    """Only a mel spectrogram is known, so the magnitudes within a band are free.

    The projection is one multiplicative update: each bin is scaled by the mean, over the bands that it lies in, of the
    target's value over the value found. Other methods fix the magnitudes first, and then look for phases. Here both
    are found together, which gives consistent signals that are much nearer to the mel spectrogram.

    Parameters
    ----------
    mel
        (mels, frames), real.
    basis
        The filter bank.
    dtype
        Type of the work: float32 or float64.
    """

    def __init__(self, mel: Array, basis: MelBasis, dtype: npt.DTypeLike = np.float32) -> None:
        self.mel: FloatArray = np.ascontiguousarray(mel.T, dtype=dtype)
        self.dtype = self.mel.dtype
        self.basis = basis
        self.groups = basis.double_groups if self.dtype == np.float64 else basis.groups
        self.floor = self.dtype.type(mel_floor(self.mel))

    def initial_magnitudes(self) -> FloatArray:
        """Return magnitudes that begin evenly within each band, after a few multiplicative updates."""
        energy = self.mel @ self.basis.even_spread.astype(self.dtype)
        for _ in range(INITIAL_UPDATES):
            energy *= self.gains(energy, self.mel)
        return energy if self.basis.power == 1 else np.sqrt(energy)

    def gains(self, energy: FloatArray, mel: FloatArray) -> FloatArray:
        """Return the factors of one multiplicative update: (frames, bins).

        Parameters
        ----------
        energy
            (frames, bins), magnitudes or powers, as the basis has them.
        mel
            (frames, mels), the target of these frames.
        """
        gains = np.empty_like(energy)
        with np.errstate(all="ignore"):
            ratio = self.bands_of(energy)
            np.divide(mel, np.maximum(ratio, self.floor, out=ratio), out=ratio)
            np.minimum(ratio, self.dtype.type(MAX_GAIN), out=ratio)
            for group in self.groups:
                np.matmul(ratio[:, group.bands], group.to_bins, out=gains[:, group.bins])
        return gains

    def bands_of(self, energy: FloatArray) -> FloatArray:
        """Return the bands of bins of these magnitudes or powers: (frames, mels)."""
        bands = np.zeros((len(energy), self.mel.shape[1]), self.dtype)
        for group in self.groups:
            bands[:, group.bands] += energy[:, group.bins] @ group.to_bands
        return bands

    def project(self, first: int, last: int, spectra: ComplexArray, smoothing: float = 0.0) -> None:
        """Scale the bins. The gains have a limit of their own, and are not smoothed."""
        energy = np.abs(spectra)
        if self.basis.power == 2:
            np.square(energy, out=energy)
        gains = self.gains(energy, self.mel[first:last])
        if self.basis.power == 2:
            np.sqrt(gains, out=gains)
        spectra *= gains

    def residual(self, first: int, last: int, spectra: ComplexArray) -> tuple[float, float]:
        """Compare mel spectra."""
        return _squared_distance(self.bands_of(np.abs(spectra) ** self.basis.power), self.mel[first:last])


def target_of(given: Array, basis: MelBasis | None, dtype: npt.DTypeLike = np.float32) -> Target:
    """Return the target of one channel.

    Parameters
    ----------
    given
        Magnitudes (bins, frames) or, with a basis, a mel spectrogram (mels, frames).
    basis
        The filter bank, or None.
    dtype
        Type of the work: float32 or float64.

    Examples
    --------
    >>> target_of(np.ones((513, 9)), None).initial_magnitudes().shape
    (9, 513)
    """
    return MagnitudeTarget(given, dtype) if basis is None else MelTarget(given, basis, dtype)


def mel_floor(mel: FloatArray) -> float:
    """Return the value that a band of a spectrum is raised to, before a target is divided by it; NaN is ignored.

    Examples
    --------
    >>> mel_floor(np.array([[2.0, np.nan]], np.float32))
    2e-10
    """
    return max(float(np.fmax.reduce(mel, axis=None, initial=0.0)) * MEL_FLOOR, 1e-30)


def _squared_distance(found: FloatArray, wanted: FloatArray) -> tuple[float, float]:
    """Return the squared distance of two arrays, and the energy of the second."""
    difference, wanted = (found - wanted).ravel(), wanted.ravel()
    return float(np.dot(difference, difference)), float(np.dot(wanted, wanted))
